"""The receipts: which ones a recipient causes, in which order, in AWS's and Meta's formats."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
)

from simulator.provider import ScheduledReceipt
from simulator.sms.events import time_to_live
from tests.support.simulator import (
    Json,
    RunningSimulator,
    eventually,
    receipt_types,
    serving,
    status_of,
)

EVENTS = Path(__file__).parents[2] / "events"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with serving() as running:
        yield running


# --- the receipts of each recipient


PENDING_DELIVERED = ["TEXT_PENDING", "TEXT_DELIVERED"]
PENDING_UNREACHABLE = ["TEXT_PENDING", "TEXT_UNREACHABLE"]
DELIVERED = ("TEXT_DELIVERED", "delivered", "Delivery")
ACCEPTED_131026 = ["accepted", "failed:131026"]

SCENARIOS = [
    ("sms", "+14255550100", PENDING_DELIVERED),
    ("sms", "+12065550100", PENDING_DELIVERED),
    ("sms", "+14255550102", ["TEXT_SUCCESSFUL"]),
    ("sms", "+14255550103", ["TEXT_SUCCESSFUL", "TEXT_DELIVERED"]),
    ("sms", "+14255550120", PENDING_UNREACHABLE),
    ("sms", "+14255550121", ["TEXT_BLOCKED"]),
    ("sms", "+14255550122", ["TEXT_INVALID"]),
    ("sms", "+14255550123", ["TEXT_CARRIER_BLOCKED"]),
    ("sms", "+14255550124", ["TEXT_UNKNOWN"]),
    ("sms", "+14255550126", ["TEXT_PROTECT_BLOCKED"]),
    ("sms", "+14255550130", []),
    ("sms", "+14255550131", ["TEXT_DELIVERED"]),
    ("sms", "+14255550132", ["TEXT_PENDING"] * 2 + ["TEXT_DELIVERED"] * 3),
    ("sms", "+14255550133", ["TEXT_DELIVERED", "TEXT_PENDING", "TEXT_QUEUED"]),
    ("sms", "+14255550135", ["TEXT_UNREACHABLE", "TEXT_DELIVERED"]),
    ("sms", "+14255550136", ["TEXT_DELIVERED", "TEXT_UNREACHABLE"]),
    ("sms", "+14255550156", PENDING_DELIVERED),
    ("sms", "+14255550157", PENDING_DELIVERED),
    ("sms", "+14255550158", PENDING_UNREACHABLE),
    ("sms", "+14255550159", []),
    ("sms", "+14255550199", ["TEXT_QUEUED", "TEXT_PENDING"]),
    ("sms", "+14254147755", PENDING_DELIVERED),
    ("sms", "+14254147167", PENDING_UNREACHABLE),
    ("sms", "+447860019066", PENDING_DELIVERED),
    ("sms", "+447860019067", PENDING_UNREACHABLE),
    ("whatsapp", "+14255550100", ["accepted", "sent", "delivered"]),
    ("whatsapp", "14255550101", ["accepted", "sent", "delivered", "read"]),
    ("whatsapp", "+14255550102", ["accepted", "sent", "read"]),
    ("whatsapp", "+14255550120", ACCEPTED_131026),
    ("whatsapp", "+14255550121", ["accepted", "failed:131047"]),
    ("whatsapp", "+14255550122", ["accepted", "failed:131049"]),
    ("whatsapp", "+14255550123", ["accepted", "failed:132001"]),
    ("whatsapp", "+14255550124", ["failed"]),
    ("whatsapp", "+14255550130", []),
    ("whatsapp", "+14255550131", ["accepted", "sent", "delivered"]),
    ("whatsapp", "+14255550132", ["accepted"] * 2 + ["delivered"] * 3),
    ("whatsapp", "+14255550133", ["read", "delivered", "sent", "accepted"]),
    ("whatsapp", "+14255550135", ["accepted", "failed:131026", "delivered"]),
    ("whatsapp", "+14255550136", ["accepted", "delivered", "failed:131026"]),
    ("whatsapp", "+14255550137", ["accepted", "sent"]),
    ("whatsapp", "+14255550156", ACCEPTED_131026),
    ("whatsapp", "+14255550157", []),
    ("whatsapp", "+14255550158", ACCEPTED_131026),
    ("whatsapp", "+14255550199", ["accepted", "sent"]),
    ("email", "person@example.com", ["Send"]),
    ("email", "ana@example.com", ["Send", "Delivery"]),
    ("email", "bounce@example.com", ["Send", "Bounce:Permanent/General"]),
    ("email", "Ana <Bounce+order-42@Example.com>", ["Send", "Bounce:Permanent/General"]),
    ("email", "mailbox-full@example.com", ["Send", "Bounce:Transient/MailboxFull"]),
    ("email", "suppressed@example.com", ["Send", "Bounce:Permanent/OnAccountSuppressionList"]),
    ("email", "reject@example.com", ["Send", "Reject"]),
    ("email", "rendering-failure@example.com", ["Rendering Failure"]),
    ("email", "complaint@example.com", ["Send", "Delivery", "Complaint"]),
    ("email", "delayed@example.com", ["Send", "DeliveryDelay", "Delivery"]),
    ("email", "silent@example.com", ["Send"]),
    ("email", "late@example.com", ["Send", "Delivery"]),
    ("email", "duplicated@example.com", ["Send"] * 2 + ["Delivery"] * 3),
    ("email", "out-of-order@example.com", ["Delivery", "Send"]),
    (
        "email",
        "bounced-then-delivered@example.com",
        ["Send", "Bounce:Transient/General", "Delivery"],
    ),
    (
        "email",
        "delivered-then-bounced@example.com",
        ["Send", "Delivery", "Bounce:Permanent/General"],
    ),
    ("email", "out-of-office@example.com", ["Send", "Delivery", "Bounce:Transient/General"]),
    ("email", "success@simulator.amazonses.com", ["Send", "Delivery"]),
    ("email", "bounce+m1@simulator.amazonses.com", ["Send", "Bounce:Permanent/General"]),
    ("email", "ooto@simulator.amazonses.com", ["Send", "Delivery"]),
    ("email", "complaint@simulator.amazonses.com", ["Send", "Delivery", "Complaint"]),
    ("email", "suppressionlist@simulator.amazonses.com", ["Send", "Bounce:Permanent/Suppressed"]),
]


@pytest.mark.parametrize(("channel", "to", "expected"), SCENARIOS)
def test_receipts_follow_the_recipient(
    running: RunningSimulator, channel: str, to: str, expected: list[str]
) -> None:
    provider_id = running.send(channel, to)

    assert receipt_types(running.topic.of(provider_id, len(expected))) == expected
    eventually(lambda: all(_published(running, provider_id)))
    assert len(_published(running, provider_id)) == len(expected)


def _published(running: RunningSimulator, provider_id: str) -> list[str | None]:
    (call,) = running.get(f"/sent?message_id={provider_id}")
    return [receipt["published_at"] for receipt in call["receipts"]]


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_an_early_receipt_is_there_before_the_answer(
    running: RunningSimulator, channel: str
) -> None:
    to = "early@example.com" if channel == "email" else "+14255550134"
    provider_id = running.send(channel, to)

    assert running.topic.last_receipt_of(provider_id) in DELIVERED


# --- calls that fail although the message is sent


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_throttled_twice_then_accepted(running: RunningSimulator, channel: str) -> None:
    to = "throttled@example.com" if channel == "email" else "+14255550140"
    for _ in range(2):
        with pytest.raises(ClientError, match=r"Thrott|TooManyRequests"):
            running.send(channel, to)

    provider_id = running.send(channel, to)
    assert (
        receipt_types(running.topic.of(provider_id, 1 if channel == "sms" else 2))[-1] in DELIVERED
    )


def test_each_attempt_is_throttled_for_itself(running: RunningSimulator) -> None:
    for attempt in ("7", "8"):
        with pytest.raises(running.sms.exceptions.ThrottlingException):
            running.send_sms("+14255550140", Context={"message_id": "m2", "attempt": attempt})


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_a_server_error_although_the_message_was_sent(
    running: RunningSimulator, channel: str
) -> None:
    to = "server-error-though-accepted@example.com" if channel == "email" else "+14255550142"
    with pytest.raises(ClientError) as failed:
        running.send(channel, to)

    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    _expect_delivery_of_the_last(running, channel)


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_a_dropped_connection_although_the_message_was_sent(
    running: RunningSimulator, channel: str
) -> None:
    to = "connection-dropped@example.com" if channel == "email" else "+14255550144"
    with pytest.raises(ConnectionClosedError):
        running.send(channel, to)

    call = _expect_delivery_of_the_last(running, channel)
    assert call["answer"] == {"connection": "dropped"}


def test_a_response_that_times_out_although_the_message_was_sent() -> None:
    with serving(read_timeout=0.1) as running:
        for channel in ("sms", "whatsapp", "email"):
            to = "answer-times-out@example.com" if channel == "email" else "+14255550143"
            with pytest.raises(ReadTimeoutError):
                running.send(channel, to)

            call = _expect_delivery_of_the_last(running, channel)
            assert call["answer"] is None


def _expect_delivery_of_the_last(running: RunningSimulator, channel: str) -> Json:
    last = f"/sent?channel={channel}&limit=1"
    eventually(lambda: running.get(last))  # it may come only after its sender has given up
    call: Json = running.get(last)[0]
    events = running.topic.of(call["provider_id"], len(call["receipts"]))
    assert receipt_types(events)[-1] in DELIVERED
    return call


# --- formats


SAMPLES = [
    ("sms", "+14255550100", "TEXT_PENDING", "sms_TEXT_PENDING"),
    ("sms", "+14255550100", "TEXT_DELIVERED", "sms_TEXT_DELIVERED"),
    ("sms", "+14255550133", "TEXT_QUEUED", "sms_TEXT_QUEUED"),
    ("sms", "+14255550102", "TEXT_SUCCESSFUL", "sms_TEXT_SUCCESSFUL"),
    ("sms", "+14255550120", "TEXT_UNREACHABLE", "sms_TEXT_UNREACHABLE"),
    ("sms", "+14255550121", "TEXT_BLOCKED", "sms_TEXT_BLOCKED"),
    ("sms", "+14255550122", "TEXT_INVALID", "sms_TEXT_INVALID"),
    ("sms", "+14255550124", "TEXT_UNKNOWN", "sms_TEXT_UNKNOWN"),
    ("sms", "+14255550126", "TEXT_PROTECT_BLOCKED", "sms_TEXT_PROTECT_BLOCKED"),
    ("whatsapp", "+14255550101", "accepted", "whatsapp_accepted"),
    ("whatsapp", "+14255550101", "sent", "whatsapp_sent"),
    ("whatsapp", "+14255550101", "delivered", "whatsapp_delivered"),
    ("whatsapp", "+14255550101", "read", "whatsapp_read"),
    ("whatsapp", "+14255550120", "failed:131026", "whatsapp_failed_131026"),
    ("whatsapp", "+14255550121", "failed:131047", "whatsapp_failed_131047"),
    ("whatsapp", "+14255550122", "failed:131049", "whatsapp_failed_131049"),
    ("whatsapp", "+14255550124", "failed", "whatsapp_retries_exhausted"),
    ("email", "ana@example.com", "Send", "ses_Send"),
    ("email", "ana@example.com", "Delivery", "ses_Delivery"),
    ("email", "bounce@example.com", "Bounce:Permanent/General", "ses_Bounce_Permanent_General"),
    (
        "email",
        "mailbox-full@example.com",
        "Bounce:Transient/MailboxFull",
        "ses_Bounce_Transient_MailboxFull",
    ),
    (
        "email",
        "suppressed@example.com",
        "Bounce:Permanent/OnAccountSuppressionList",
        "ses_Bounce_Permanent_OnAccountSuppressionList",
    ),
    (
        "email",
        "suppressionlist@simulator.amazonses.com",
        "Bounce:Permanent/Suppressed",
        "ses_Bounce_Permanent_Suppressed",
    ),
    ("email", "complaint@example.com", "Complaint", "ses_Complaint"),
    ("email", "reject@example.com", "Reject", "ses_Reject"),
    ("email", "delayed@example.com", "DeliveryDelay", "ses_DeliveryDelay"),
]
# The values of these members are compared too, not only the shape.
SAID = ("isFinal", "messageStatus", "messageStatusDescription", "messageEncoding", "messageType",
        "eventVersion", "totalMessagePrice", "mcc", "mnc")  # fmt: skip


@pytest.mark.parametrize(("channel", "to", "word", "sample"), SAMPLES, ids=str)
def test_an_event_looks_like_the_providers_own(
    running: RunningSimulator, channel: str, to: str, word: str, sample: str
) -> None:
    event = _event(running, channel, to, word)
    real = json.loads((EVENTS / f"{sample}.json").read_text(encoding="utf-8"))

    assert _shape(event) == _shape(real)
    assert {name: event.get(name) for name in SAID} == {name: real.get(name) for name in SAID}
    assert event.get("bounce", {}).get("bouncedRecipients", [{}])[0].get("status") == (
        real.get("bounce", {}).get("bouncedRecipients", [{}])[0].get("status")
    )


def _event(running: RunningSimulator, channel: str, to: str, word: str) -> Json:
    provider_id = running.send(channel, to)
    (call,) = running.get(f"/sent?message_id={provider_id}")
    events = running.topic.of(provider_id, len(call["receipts"]))
    return events[receipt_types(events).index(word)]


def _shape(value: object) -> object:
    """The names and types of a JSON value; of a list, those of its first entry."""
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value[:1]]
    if isinstance(value, str) and value.startswith("{"):
        return _shape(json.loads(value))
    return type(value).__name__


def test_a_rendering_failure_has_only_its_configuration_set(running: RunningSimulator) -> None:
    event = _event(running, "email", "rendering-failure@example.com", "Rendering Failure")

    assert event["mail"]["tags"] == {"ses:configuration-set": ["ConfigSet"]}
    assert set(event["failure"]) == {"errorMessage", "templateName"}


def test_sms_echoes_its_context(running: RunningSimulator) -> None:
    event = _event(running, "sms", "+14255550100", "TEXT_DELIVERED")

    assert event["context"] == {"message_id": "m1", "attempt": "1"}
    assert event["originationPhoneNumber"] == "+12065550152"
    assert event["eventTimestamp"] >= event["messageRequestTimestamp"]


def test_whatsapp_echoes_the_callback_data_except_in_what_aws_made(
    running: RunningSimulator,
) -> None:
    provider_id = running.send_whatsapp("+14255550101")
    events = running.topic.of(provider_id, 4)

    echoes = [status_of(event).get("biz_opaque_callback_data") for event in events]
    assert echoes == [None, "m1.1", "m1.1", "m1.1"]
    assert len({status_of(event)["id"] for event in events}) == 1
    assert {event["messageId"] for event in events} == {provider_id}


def test_a_wamid_holds_the_recipient(running: RunningSimulator) -> None:
    event = _event(running, "whatsapp", "+14255550100", "accepted")

    wamid = status_of(event)["id"]
    assert b"14255550100" in base64.b64decode(wamid.removeprefix("wamid."))


def test_email_echoes_its_tags_as_lists(running: RunningSimulator) -> None:
    event = _event(running, "email", "ana@example.com", "Delivery")

    tags = event["mail"]["tags"]
    assert (tags["message_id"], tags["attempt"]) == (["m1"], ["1"])
    assert tags["ses:configuration-set"] == ["ConfigSet"]
    assert event["mail"]["commonHeaders"]["subject"] == "Your code"


def test_a_raw_email_is_read_for_its_headers(running: RunningSimulator) -> None:
    raw = (
        b"From: Ana <ana@example.com>\r\nTo: bounce@example.com\r\nSubject: Hi\r\n\r\n"
        + b"x" * 50_000
    )
    provider_id = running.email.send_email(
        Content={"Raw": {"Data": raw}}, ConfigurationSetName="ConfigSet"
    )["MessageId"]

    event = running.topic.of(provider_id, 2)[1]
    assert event["bounce"]["bouncedRecipients"][0]["emailAddress"] == "bounce@example.com"
    assert event["mail"]["commonHeaders"]["subject"] == "Hi"
    assert event["mail"]["source"] == "Ana <ana@example.com>"


def test_a_duplicate_is_the_same_event_again(running: RunningSimulator) -> None:
    for channel in ("sms", "whatsapp", "email"):
        to = "duplicated@example.com" if channel == "email" else "+14255550132"
        events = running.topic.of(running.send(channel, to), 5)
        assert events[0] == events[1]
        assert events[2] == events[3] == events[4]


def test_receipts_out_of_order_happened_in_order(running: RunningSimulator) -> None:
    events = running.topic.of(running.send_sms("+14255550133"), 3)

    times = [event["eventTimestamp"] for event in events]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_without_a_configuration_set_there_are_no_receipts(
    running: RunningSimulator, channel: str
) -> None:
    if channel == "sms":
        answer = running.sms.send_text_message(
            DestinationPhoneNumber="+14255550100", MessageBody="Hello"
        )
    else:
        answer = running.email.send_email(
            FromEmailAddress="sender@example.com",
            Destination={"ToAddresses": ["ana@example.com"]},
            Content={"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}},
        )

    (call,) = running.get(f"/sent?message_id={answer['MessageId']}")
    assert (call["receipts"], call["note"]) == (
        [],
        "The request has no configuration set, so AWS publishes no events.",
    )


def test_a_number_abroad_is_international(running: RunningSimulator) -> None:
    event = _event(running, "sms", "+447860019066", "TEXT_DELIVERED")

    assert (event["isoCountryCode"], event["isInternationalSend"]) == ("GB", True)


def test_a_long_text_has_parts_and_their_price(running: RunningSimulator) -> None:
    provider_id = running.send_sms("+14255550102", MessageBody="ж" * 71)

    (event,) = running.topic.of(provider_id, 1)
    assert (event["messageEncoding"], event["totalMessageParts"]) == ("Unicode", 2)
    assert event["totalMessagePrice"] == 0.01162


# --- TimeToLive


def test_a_message_not_delivered_in_time_expires(running: RunningSimulator) -> None:
    provider_id = running.send_sms("+14255550125", TimeToLive=5)

    (call,) = running.get(f"/sent?message_id={provider_id}")
    assert [receipt["receipt"] for receipt in call["receipts"]] == [
        "TEXT_PENDING",
        "TEXT_TTL_EXPIRED",
    ]
    assert _seconds(call["receipts"][1]["due_at"]) - _seconds(call["asked_at"]) == pytest.approx(
        5, abs=0.5
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("receipts", "expected"),
    [
        ([ScheduledReceipt(9, "TEXT_DELIVERED")], [ScheduledReceipt(5, "TEXT_TTL_EXPIRED")]),
        ([ScheduledReceipt(5, "TEXT_DELIVERED")], [ScheduledReceipt(5, "TEXT_DELIVERED")]),
        (
            [
                ScheduledReceipt(1, "TEXT_PENDING"),
                ScheduledReceipt(9, "TEXT_BLOCKED"),
                ScheduledReceipt(10, "TEXT_DELIVERED"),
            ],
            [ScheduledReceipt(1, "TEXT_PENDING"), ScheduledReceipt(5, "TEXT_TTL_EXPIRED")],
        ),
        (
            [ScheduledReceipt(1, "TEXT_SUCCESSFUL"), ScheduledReceipt(9, "TEXT_DELIVERED")],
            [ScheduledReceipt(1, "TEXT_SUCCESSFUL"), ScheduledReceipt(9, "TEXT_DELIVERED")],
        ),
        (
            [ScheduledReceipt(9, "TEXT_DELIVERED", despite_ttl=True)],
            [ScheduledReceipt(9, "TEXT_DELIVERED", despite_ttl=True)],
        ),
        ([], []),
    ],
    ids=str,
)
def test_what_is_due_after_the_time_to_live(
    receipts: list[ScheduledReceipt], expected: list[ScheduledReceipt]
) -> None:
    assert list(time_to_live(5).apply(receipts)) == expected
