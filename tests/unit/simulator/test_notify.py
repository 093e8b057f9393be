"""Simulated SMS from a Notify configuration: AWS's own templates and numbers."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.simulator import Json, RunningSimulator, receipt_types, serving

TEMPLATE = "notify-code-verification-english-001"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with serving() as started:
        yield started


def send(running: RunningSimulator, to: str, **changes: Any) -> str:
    request = {
        "NotifyConfigurationId": "nc-1234567890abcdef0",
        "DestinationPhoneNumber": to,
        "TemplateId": TEMPLATE,
        "TemplateVariables": {"code": "123456"},
        "ConfigurationSetName": "Receipts",
        "Context": {"message_id": "m1", "attempt": "1"},
    }
    return running.sms.send_notify_text_message(**(request | changes))["MessageId"]


def test_the_phone_shows_the_templates_text(running: RunningSimulator) -> None:
    provider_id = send(running, "+14255550156")

    [entry] = running.entries("sms", "+14255550156")
    assert entry["content"]["text"] == "123456 is your verification code."
    assert receipt_types(running.topic.of(provider_id, 2)) == ["TEXT_PENDING", "TEXT_DELIVERED"]


def test_a_recipients_scenario_applies(running: RunningSimulator) -> None:
    assert receipt_types(running.topic.of(send(running, "+14255550121"), 1)) == ["TEXT_BLOCKED"]


def test_a_call_names_its_operation(running: RunningSimulator) -> None:
    provider_id = send(running, "+14255550157")

    [call] = [one for one in running.get("/sent") if one["provider_id"] == provider_id]
    assert (call["channel"], call["operation"]) == ("sms", "SendNotifyTextMessage")


def test_nobody_can_reply_to_aws_numbers(running: RunningSimulator) -> None:
    assert running.act(send(running, "+14255550158"), "reply", text="Hi")[0] == 400


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TemplateId": "order-shipped"}, "ResourceNotFoundException"),
        ({"TemplateVariables": {}}, "ValidationException"),
        ({"DestinationPhoneNumber": "0"}, "ValidationException"),
    ],
)
def test_aws_rejects_an_unknown_template_and_missing_values(
    running: RunningSimulator, changes: Json, code: str
) -> None:
    with pytest.raises(ClientError) as error:
        send(running, "+14255550159", **changes)

    assert error.value.response["Error"]["Code"] == code
