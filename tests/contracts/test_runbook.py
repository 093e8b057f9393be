"""The runbook has a section for each alarm, and none for an alarm that does not exist."""

import re
from pathlib import Path

import pytest

from messaging.metrics import Metric
from tests.infra.template import Template

RUNBOOK = Path("docs/runbook.md").read_text()
SECTIONS = re.findall(r"^### (\w+)$\n(.*?)(?=^##)", RUNBOOK, re.MULTILINE | re.DOTALL)


def test_every_alarm_has_its_section_and_every_section_its_alarm(template: Template) -> None:
    alarms = template.of_type("AWS::CloudWatch::Alarm").keys()

    assert sorted(name for name, _ in SECTIONS) == sorted(alarms)


@pytest.mark.parametrize(("name", "section"), SECTIONS, ids=[name for name, _ in SECTIONS])
def test_a_section_has_the_meaning_the_action_and_when_it_is_resolved(
    name: str, section: str
) -> None:
    parts = re.findall(r"^\*\*(\w+)\*\*", section, re.MULTILINE)

    assert parts == ["Meaning", "Action", "Resolved"], name


def test_a_link_within_the_runbook_leads_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}

    assert set(re.findall(r"\]\(#([\w-]+)\)", RUNBOOK)) <= anchors


def test_the_outputs_that_it_uses_exist(template: Template) -> None:
    used = set(re.findall(r"\$\(out (\w+)", RUNBOOK))

    assert used
    assert used <= template.body["Outputs"].keys()


def test_the_resources_that_it_uses_exist(template: Template) -> None:
    used = re.findall(r"\$\(named ([\w:]+) (\w+)\)", RUNBOOK)

    assert used
    for kind, name in used:
        [found] = [one for one in template.of_type(f"AWS::{kind}") if name in one]
        assert found


def test_the_logs_that_it_reads_exist(template: Template) -> None:
    groups = template.of_type("AWS::Logs::LogGroup")
    used = set(re.findall(r"`errors (\w+)`|^errors (\w+)$", RUNBOOK, re.MULTILINE))

    assert used
    for first, second in used:
        assert [name for name in groups if f"{first or second}Log" in name]


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`make ([a-z-]+)`", RUNBOOK))))
def test_the_commands_that_it_names_exist(command: str) -> None:
    assert re.search(rf"^{command}:", Path("Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("parameter", sorted(set(re.findall(r"-c (\w+)=", RUNBOOK))))
def test_the_parameters_that_it_changes_exist(parameter: str) -> None:
    assert f'"{parameter}":' in Path("cdk.json").read_text()


def test_every_metric_is_explained() -> None:
    tables = RUNBOOK.split("## Metrics")[1]
    rows = re.findall(r"^\| (`[^|]+) \|", tables, re.MULTILINE)

    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {
        str(metric) for metric in Metric
    }
