"""Names that are written in two rooms: substitutions, keys, metrics."""

import json
import re
from pathlib import Path

from infra import metrics
from infra.channels import CHANNELS as TEMPLATE_CHANNELS
from messaging.metrics import Metric
from messaging.store.table import Key
from simulator.sms import notify_api
from simulator.whatsapp import authentication
from tests.infra.template import Template
from tests.support.aws import ENVIRONMENT
from tests.support.plans import CHANNELS


def test_the_template_gives_every_substitution(template: Template) -> None:
    wanted = set(
        re.findall(r"\$\{(\w+)}", Path("statemachine/deliver_message.asl.json").read_text())
    )
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert machine["DefinitionSubstitutions"].keys() == wanted


def test_the_table_has_the_keys_that_the_store_uses(template: Template) -> None:
    table = template.only("AWS::DynamoDB::Table")
    source = "".join(one.read_text() for one in Path("functions/messaging/store").glob("*.py"))

    assert [key["AttributeName"] for key in table["KeySchema"]] == list(Key._fields)
    [index] = table["GlobalSecondaryIndexes"]
    for name in (
        *(key["AttributeName"] for key in index["KeySchema"]),
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
        metrics.BLOCKED_CODES,
        metrics.BREAKER_OPENED,
        metrics.UNCOUNTED_CODES,
    }

    assert looked_at == {str(metric) for metric in Metric}
    assert tuple(TEMPLATE_CHANNELS) == CHANNELS
    assert {"service": ENVIRONMENT["POWERTOOLS_SERVICE_NAME"]} == metrics.SERVICE


def test_the_simulator_has_the_templates_that_codes_are_sent_with() -> None:
    context = json.loads(Path("cdk.json").read_text())["context"]

    assert context["whatsapp_code_template"] in authentication.TEMPLATES
    assert context["sms_notify_code_template"] in notify_api.TEMPLATES
