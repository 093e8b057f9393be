"""The threat model names a test for what it says, and each of these tests exists."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path("docs/security.md").read_text()
NAMED = sorted(set(re.findall(r"`(test_\w+)`", PAGE)))
# The sections whose every row can be tested.
TESTED = ("Who may call what", "What an attacker can do")


def rows(section: str) -> list[str]:
    """The rows of the section's table, without its head."""
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


@pytest.fixture(scope="module")
def defined() -> set[str]:
    return {
        node.name
        for path in Path("tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_it_names_exists(defined: set[str], name: str) -> None:
    assert name in defined


@pytest.mark.parametrize("section", TESTED)
def test_every_row_names_a_test(section: str) -> None:
    found = rows(section)

    assert found
    assert [row for row in found if not re.search(r"`test_\w+`", row)] == []


def test_it_stays_a_page() -> None:
    assert len(PAGE.splitlines()) < 150
