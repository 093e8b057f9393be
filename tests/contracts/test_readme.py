"""The README says what is so: the drawing, the parameters, the statuses, the links."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.config import Config
from messaging.domain.statuses import AttemptStatus, MessageStatus
from tools.draw_workflow import WORKFLOW, drawing, renewed

README = Path("README.md").read_text()
PAGES = [Path("README.md"), Path("CONTRIBUTING.md"), *sorted(Path("docs").glob("*.md"))]


def first_columns(heading: str, first_cell: str) -> set[str]:
    """The names in the first column of the table that begins with this cell."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = section.split(f"| {first_cell} |")[1].split("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_the_workflow_is_drawn_from_its_file() -> None:
    assert renewed(README, WORKFLOW.read_text()) == README
    assert "flowchart TD" in README


def test_the_drawing_shows_every_state() -> None:
    definition: dict[str, Any] = json.loads(WORKFLOW.read_text())

    assert all(f'"{name}' in drawing(definition) for name in definition["States"])


def test_readme_and_cdk_json_list_the_parameters() -> None:
    context = json.loads(Path("cdk.json").read_text())["context"]

    assert first_columns("Parameters", "parameter") == set(Config.names())
    assert {name for name in context if ":" not in name} == set(Config.names())


def test_the_readmes_defaults_are_those_of_cdk_json() -> None:
    context = json.loads(Path("cdk.json").read_text())["context"]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", README.split("## Parameters")[1], re.MULTILINE)
    told = {name: default.strip().strip("`") for name, default in rows}

    for name, value in context.items():
        if ":" not in name and told[name] not in {"an example", "none"}:
            assert told[name] == (value if isinstance(value, str) else json.dumps(value)), name


def test_the_readme_explains_every_status() -> None:
    life = "A message's life"

    assert first_columns(life, "message") >= {status.value for status in MessageStatus}
    assert first_columns(life, "attempt") >= {status.value for status in AttemptStatus}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("command", re.findall(r"^\$ make ([a-z-]+)", README, re.MULTILINE))
def test_the_commands_exist(command: str) -> None:
    assert re.search(rf"^{command}:", Path("Makefile").read_text(), re.MULTILINE)
