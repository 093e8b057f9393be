"""Names that are written in two rooms: environment variables, substitutions, echo fields."""

import ast
import re
from pathlib import Path

import pytest

from infra import channels, metrics
from messaging.domain.messages import CHANNELS
from messaging.metrics import Metric
from tests.infra.template import Template
from tests.support.aws import ENVIRONMENT

FUNCTIONS = sorted(Path("functions").glob("*.py"))
SETTINGS = ast.parse(Path("functions/messaging/settings.py").read_text())
POWERTOOLS = {
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
}


def variables() -> dict[str, set[str]]:
    """The environment variables behind each function of the settings."""
    return {
        node.name: {
            constant.value
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "_text"
            for constant in call.args
            if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
        }
        for node in SETTINGS.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def asked(path: Path) -> set[str]:
    """The environment variables that a function asks its settings for."""
    known = variables()
    return {
        name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "settings"
        for name in known[node.attr]
    }


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_a_function_has_the_variables_that_it_reads(template: Template, path: Path) -> None:
    given = template.functions[path.stem]["Environment"]["Variables"].keys()

    assert given - POWERTOOLS == asked(path)


def test_tests_run_with_the_same_environment() -> None:
    every = set().union(*variables().values())

    assert every == {name for name in ENVIRONMENT if not name.startswith(("AWS_", "POWERTOOLS"))}


def test_the_template_gives_every_substitution(template: Template) -> None:
    wanted = set(
        re.findall(r"\$\{(\w+)}", Path("statemachine/deliver_message.asl.json").read_text())
    )
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["DefinitionSubstitutions"].keys() == wanted


def test_the_table_has_the_keys_that_the_store_uses(template: Template) -> None:
    table = template.only("AWS::DynamoDB::Table")
    source = Path("functions/messaging/store.py").read_text()

    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    [index] = table["GlobalSecondaryIndexes"]
    for name in (
        *(key["AttributeName"] for key in (*table["KeySchema"], *index["KeySchema"])),
        table["TimeToLiveSpecification"]["AttributeName"],
    ):
        assert f'"{name}"' in source


def test_alarms_and_dashboard_look_at_every_metric_that_the_functions_write() -> None:
    looked_at = {
        *metrics.OF_A_CHANNEL,
        metrics.TIME_OF_A_CHANNEL,
        *metrics.UNATTRIBUTED_RECEIPTS,
        *metrics.OF_MESSAGES,
        metrics.TIME_OF_MESSAGES,
        metrics.BROKEN,
        metrics.THROTTLED,
    }

    assert looked_at == {str(metric) for metric in Metric}
    assert tuple(channels.CHANNELS) == CHANNELS
    assert {"service": ENVIRONMENT["POWERTOOLS_SERVICE_NAME"]} == metrics.SERVICE
