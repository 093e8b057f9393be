"""Simulated messages with codes: protection, feedback, and WhatsApp's authentication template."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.simulator import Json, RunningSimulator, receipt_types, serving

PROTECT = "protect-abc11111111111111111111111111111"
BLOCKED_BY_PROTECT = """
[sms]
default = "blocked"
[sms.scenarios.blocked]
says = "A protect configuration blocks the message"
receipts = [{ receipt = "TEXT_PROTECT_BLOCKED", after_seconds = 0 }]
"""
CODE = [{"type": "text", "text": "123456"}]
BODY = {"type": "body", "parameters": CODE}
BUTTON = {"type": "button", "sub_type": "url", "index": "0", "parameters": CODE}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with serving() as started:
        yield started


def failing(call: Any, *arguments: Any, **named: Any) -> Json:
    with pytest.raises(ClientError) as error:
        call(*arguments, **named)
    response: Any = error.value.response
    return {"code": response["Error"]["Code"], **response}


def feedback(running: RunningSimulator, provider_id: str, status: Any = "RECEIVED") -> Json:
    response = running.sms.put_message_feedback(MessageId=provider_id, MessageFeedbackStatus=status)
    return {name: response[name] for name in ("MessageId", "MessageFeedbackStatus")}


def verification(*components: Json, name: str = "verification_code") -> Json:
    template = {"name": name, "language": {"code": "en"}, "components": list(components)}
    return {"template": template}


def test_feedback_is_kept_of_a_message_that_was_sent_with_it(running: RunningSimulator) -> None:
    provider_id = running.send_sms("+14255550156", MessageFeedbackEnabled=True)

    assert feedback(running, provider_id) == {
        "MessageId": provider_id,
        "MessageFeedbackStatus": "RECEIVED",
    }
    [call] = [one for one in running.get("/sent") if one["provider_id"] == provider_id]
    assert call["feedback"] == "RECEIVED"


@pytest.mark.parametrize("enabled", [{}, {"MessageFeedbackEnabled": False}])
def test_there_is_no_feedback_of_other_messages(running: RunningSimulator, enabled: Json) -> None:
    provider_id = running.send_sms("+14255550156", **enabled)
    error = failing(feedback, running, provider_id)

    assert error["code"] == "ResourceNotFoundException"
    assert (error["ResourceType"], error["ResourceId"]) == ("message", provider_id)
    assert failing(feedback, running, "none")["code"] == "ResourceNotFoundException"
    assert failing(feedback, running, provider_id, "SEEN")["code"] == "ValidationException"


def test_a_dearer_message_than_its_maximum_is_not_sent(running: RunningSimulator) -> None:
    assert running.send_sms("+14255550156", MaxPrice="0.01")
    error = failing(running.send_sms, "+14255550156", MaxPrice="0.001")

    assert (error["code"], error["Reason"]) == ("ValidationException", "PRICE_OVER_THRESHOLD")


@pytest.mark.parametrize("price", ["1.", "0.123456", "100.0", "0,05"])
def test_a_maximum_price_has_the_form_of_aws(running: RunningSimulator, price: str) -> None:
    error = failing(running.send_sms, "+14255550156", MaxPrice=price)

    assert error["code"] == "ValidationException"
    assert [one["Name"] for one in error["Fields"]] == ["MaxPrice"]


@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_an_unknown_protect_configuration_is_not_found(
    running: RunningSimulator, channel: str
) -> None:
    arn = f"arn:aws:sms-voice:us-east-1:123456789012:protect-configuration/{PROTECT}"
    for known in (PROTECT, arn):
        assert running.send(channel, "+14255550156", ProtectConfigurationId=known)
    error = failing(running.send, channel, "+14255550156", ProtectConfigurationId="mine")

    assert error["code"] == "ResourceNotFoundException"
    assert (error["ResourceType"], error["ResourceId"]) == ("protect-configuration", "mine")


def test_a_block_names_the_protect_configuration_of_the_request(tmp_path: Any) -> None:
    file = tmp_path / "scenarios.toml"
    file.write_text(BLOCKED_BY_PROTECT)
    with serving(file) as running:
        provider_id = running.send_sms("+14255550156", ProtectConfigurationId=PROTECT)
        [event] = running.topic.of(provider_id, 1)

    assert event["eventType"] == "TEXT_PROTECT_BLOCKED"
    assert event["protectConfiguration"]["protectConfigurationId"] == PROTECT


def test_the_phone_shows_metas_text_and_the_button_that_copies_the_code(
    running: RunningSimulator,
) -> None:
    provider_id = running.send_whatsapp("+14255550101", **verification(BODY, BUTTON))

    _, sent = running.topic.of(provider_id, 2)
    assert '"category":"authentication"' in sent["whatsAppWebhookEntry"]
    template = running.entries("whatsapp", "+14255550101")[-1]["content"]["template"]
    assert template["text"] == (
        "123456 is your verification code. For your security, do not share this code."
    )
    assert template["button"] == {"text": "Copy code", "copies": "123456"}
    [recipient] = [one for one in running.get("/recipients") if one["to"] == "+14255550101"]
    assert recipient["preview"].startswith("123456 is your verification code.")


@pytest.mark.parametrize(
    ("components", "receipt"),
    [
        ((BODY,), "failed:131008"),
        ((BODY, {**BUTTON, "parameters": []}), "failed:131008"),
        ((BUTTON,), "failed:132000"),
        (({**BODY, "parameters": CODE * 2}, BUTTON), "failed:132000"),
    ],
)
def test_meta_rejects_an_authentication_template_without_its_values(
    running: RunningSimulator, components: tuple[Json, ...], receipt: str
) -> None:
    """As Meta answers AWS, which has accepted the message by then: a failed status."""
    provider_id = running.send_whatsapp("+14255550101", **verification(*components))

    events = running.topic.of(provider_id, 1)
    assert receipt_types(events) == [receipt]
    assert running.entries("whatsapp", "+14255550101")[-1]["state"] == "failed"


def test_another_template_may_have_any_values(running: RunningSimulator) -> None:
    message = verification(BODY, name="order_shipped")
    provider_id = running.send_whatsapp("+14255550101", **message)

    assert receipt_types(running.topic.of(provider_id, 1))[0] == "accepted"
    template = running.entries("whatsapp", "+14255550101")[-1]["content"]["template"]
    assert "text" not in template
