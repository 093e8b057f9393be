"""The page for users of other verification services names fields and limits that exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PAGE = Path("docs/coming-from-verify.md").read_text()
API: dict[str, Any] = yaml.safe_load(Path("openapi.yaml").read_text())
SCHEMAS: dict[str, Any] = API["components"]["schemas"]
REQUEST = SCHEMAS["VerificationRequest"]["properties"]
# Where a limit of a field is in its schema.
LARGEST = ("maximum", "maxLength", "maxItems", "maxProperties")


def cells() -> Iterator[str]:
    """The cells about this service: the last ones of the tables whose head says "here"."""
    ours = False
    for line in PAGE.splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else None
        if row is None:
            ours = False
        elif row[-1] == "here":
            ours = True
        elif ours and not set(row[-1]) <= {"-"}:
            yield row[-1]


def names(node: object) -> Iterator[str]:
    """Each field and each word of an enum in the file."""
    if isinstance(node, list):
        for one in node:
            yield from names(one)
    elif isinstance(node, dict):
        yield from node.get("properties", {})
        yield from (word for word in node.get("enum", ()) if isinstance(word, str))
        for one in node.values():
            yield from names(one)


WORDS = sorted({word for cell in cells() for word in re.findall(r"`([^`]+)`", cell)})
LIMITS = sorted(
    {
        found
        for cell in cells()
        for found in re.findall(r"`(\w+)`, (?:(\d+) to|up to|at most) (\d+)", cell)
    }
)
DEFAULTS = sorted(
    {found for cell in cells() for found in re.findall(r"`(\w+)`, \d+ to \d+ \((\d+)\)", cell)}
)


@pytest.mark.parametrize("word", WORDS)
def test_what_it_names_exists(word: str) -> None:
    method, _, path = word.partition(" /v1")

    assert method.lower() in API["paths"][path] if path else word in set(names(API))


@pytest.mark.parametrize(("field", "least", "most"), LIMITS)
def test_its_limits_are_those_of_the_api(field: str, least: str, most: str) -> None:
    schema = REQUEST[field]

    assert int(most) in {schema.get(limit) for limit in LARGEST}
    assert not least or int(least) == schema["minimum"]


@pytest.mark.parametrize(("field", "default"), DEFAULTS)
def test_its_defaults_are_those_of_the_api(field: str, default: str) -> None:
    assert REQUEST[field]["default"] == int(default)


def test_it_states_limits_and_defaults() -> None:
    assert {field for field, _, _ in LIMITS} >= {"length", "expires_in_seconds", "max_checks"}
    assert {field for field, _ in DEFAULTS} >= {"length", "expires_in_seconds", "max_checks"}


def test_every_source_that_it_cites_is_listed() -> None:
    text, _, sources = PAGE.partition("\n## Sources\n")
    cited = {
        one
        for group in re.findall(r"\[([APTV]\d+(?:, [APTV]\d+)*)\]", text)
        for one in group.split(", ")
    }
    listed = {
        one
        for row in re.findall(r"^\| ([APTV][^|]+) \|", sources, re.MULTILINE)
        for one in row.split(", ")
    }

    assert cited == listed
