"""The README agrees with the code: diagram, parameters, statuses, links, commands and output."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench import idle
from infra import regions
from infra.config import Config
from local.addresses import Addresses
from local.deploy import Deployment
from local.first_message import RECIPIENT
from local.processes import Parts
from local.stack import Stack
from local.terminal import show_next_steps
from messaging.domain.statuses import AttemptStatus, MessageStatus
from messaging.pricing import prices
from tests.infra.template import Template
from tools.draw_workflow import WORKFLOW, drawing, updated

README = Path("README.md").read_text()
MAKEFILE = Path("Makefile").read_text()
PAGES = [Path("README.md"), Path("CONTRIBUTING.md"), *sorted(Path("docs").glob("*.md"))]


def first_columns(heading: str, first_cell: str) -> set[str]:
    """The names in the first column of the table that begins with this cell."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = section.split(f"| {first_cell} |")[1].split("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_the_workflow_is_drawn_from_its_file() -> None:
    assert updated(README, WORKFLOW.read_text()) == README
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
    defaults = {name: default.strip().strip("`") for name, default in rows}

    for name, value in context.items():
        if ":" not in name and defaults[name] not in {"an example", "none"}:
            assert defaults[name] == (value if isinstance(value, str) else json.dumps(value)), name


def test_the_readme_states_what_an_idle_stack_costs(template: Template) -> None:
    found = idle.monthly(template.body, prices.load())
    shown = [f"${dollars:.2f}" for dollars in (sum(found.values()), *found.values()) if dollars]
    [sentence] = re.findall(r"^A stack without messages costs .*$", README, re.MULTILINE)

    assert sorted(re.findall(r"\$\d\.\d\d", sentence)) == sorted(shown)


def test_the_readme_lists_the_regions_that_lack_a_part() -> None:
    section = README.split("\n## Deploying\n")[1].split("\n- ")[0]
    parts = regions.WITHOUT.items()
    lacking = set().union(*(every for kind, every in parts if "Notify" not in kind))

    for first, last in re.findall(r"(\S+) to (\S+-\d)", section):
        place, numbers = first[:-1], range(int(first[-1]), int(last[-1]) + 1)
        section += " ".join(f"{place}{number}" for number in numbers)
    assert set(re.findall(r"[a-z]{2}-[a-z]+-\d", section)) == lacking


def test_the_readme_explains_every_status() -> None:
    section = "Message lifecycle"

    assert first_columns(section, "message status") >= {one.value for one in MessageStatus}
    assert first_columns(section, "attempt status") >= {one.value for one in AttemptStatus}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_to_a_section_lead_to_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([\w-]+)\)", page.read_text()):
        linked = (page.parent / target if target else page).read_text()
        headings = re.findall(r"^#+ (.+)$", linked, re.MULTILINE)

        assert anchor in {
            re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings
        }, anchor


@pytest.mark.parametrize("command", re.findall(r"^\$ make ([a-z-]+)", README, re.MULTILINE))
def test_the_commands_exist(command: str) -> None:
    assert re.search(rf"^{command}:", MAKEFILE, re.MULTILINE)


def output_of_make_run() -> str:
    """What the README shows of `make run`."""
    return README.split("```console\n$ make run\n")[1].split("```")[0]


def test_the_output_of_make_run_begins_with_the_steps_of_the_launcher() -> None:
    # The template is synthesized only if it is out of date.
    steps = re.findall(r'with step\("(.+)"\)', Path("local/stack.py").read_text())[1:]
    shown = output_of_make_run().split("\n\n")

    assert shown[0].splitlines() == [f"{step} …" for step in steps]
    assert shown[1].startswith(f"A message to {RECIPIENT}")


def test_the_output_of_make_run_ends_with_what_the_launcher_prints(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    address = Addresses()
    url = output_of_make_run().split("API      ")[1].split("\n")[0]
    show_next_steps(Stack(address, Deployment({}, url, "…"), Parts(tmp_path)))
    printed = capsys.readouterr().out
    shown = "\n" + output_of_make_run().split("\n\n")[-1]

    assert [shortened(line) for line in shown.splitlines()] == [
        shortened(line) for line in printed.splitlines()
    ]


def shortened(line: str) -> str:
    """The line up to the key or the body of the curl line, which the README leaves out."""
    return line.partition("X-Api-Key")[0]


def durations() -> dict[str, str]:
    """The duration in the table of commands, by command."""
    rows = re.findall(r"^\| `make ([a-z-]+)` \|.*\| ([^|]+) \|$", README, re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize("command", ["run", "test"])
def test_the_two_main_commands_are_listed_with_their_duration(command: str) -> None:
    assert re.search(r"\d+ (minutes|seconds)", durations()[command])


def test_the_output_of_make_test_is_the_summary_of_pytest() -> None:
    [recipe] = re.findall(r"^test:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    [row] = re.findall(r"^\| `make test` .*$", README, re.MULTILINE)

    assert "-m pytest" in recipe.splitlines()[-1]
    assert re.search(r"`\S+ passed in \S+s", row)


@pytest.mark.parametrize("command", durations())
def test_the_listed_commands_exist(command: str) -> None:
    assert re.search(rf"^{command}:", MAKEFILE, re.MULTILINE)
