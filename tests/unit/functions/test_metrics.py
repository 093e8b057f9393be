"""What is counted: each fact once, by channel, and nothing that leads to a person."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

import record_receipt
import send_message
from messaging.domain.content import Delivery
from messaging.domain.errors import Ambiguous, Refused, Unavailable, Unmatched
from messaging.domain.messages import AttemptId, Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.metrics import Metric, StatusMetrics
from messaging.store import Store
from tests.support.aws import CONTEXT, event_text, load, sns
from tests.support.plans import plan_of, send_event

ID = AttemptId("01JEXAMPLE0000000000000001", 1)
SECOND = AttemptId(ID.message_id, 2)
NOW = datetime.now(UTC)
PLAN = plan_of(
    PlannedAttempt(1, 1, "sms", 45, Success.DELIVERED),
    PlannedAttempt(2, 2, "email", 45, Success.DELIVERED),
)
REQUEST = {
    "to": {"sms": "+14255550156", "email": "ana@example.com"},
    "content": {"text": "Your code is 123456.", "subject": "Your code"},
    "steps": [{}, {}],
    "category": "utility",
}
Lines = Callable[[], list[dict[str, Any]]]


class Workflow:
    """Takes every answer."""

    def answer(self, *_: object) -> None: ...
    def succeed(self, *_: object) -> None: ...
    def fail(self, *_: object) -> None: ...


class Channel:
    """Answers by script."""

    def __init__(self) -> None:
        self.script: list[Exception] = []

    def send(self, delivery: Delivery) -> str:
        if self.script:
            raise self.script.pop()
        return f"provider-{delivery.attempt_id}"


@pytest.fixture
def store(dynamodb: DynamoDBClient, table: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store that counts, with a message that was accepted a minute ago."""
    store = Store(dynamodb, table, timedelta(days=30), StatusMetrics())
    for function in (record_receipt, send_message):
        monkeypatch.setattr(function, "store", lambda: store)
        monkeypatch.setattr(function, "workflow", Workflow)
    a_minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    store.messages.add(Message(ID.message_id, a_minute_ago, PLAN), REQUEST)
    return store


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Channel:
    channel = Channel()
    monkeypatch.setattr(send_message, "channel", lambda _: channel)
    return channel


@pytest.fixture
def lines(store: Store, capsys: pytest.CaptureFixture[str]) -> Lines:
    """What was counted since it was asked last."""
    assert store
    capsys.readouterr()

    def read() -> list[dict[str, Any]]:
        written = (json.loads(line) for line in capsys.readouterr().out.splitlines())
        return [line for line in written if "_aws" in line]

    return read


def names(lines: list[dict[str, Any]]) -> list[str]:
    """`Sent sms`: each metric and its channel."""
    return [
        f"{metric['Name']} {line['channel']}" if "channel" in dimensions else metric["Name"]
        for line in lines
        for directive in line["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]
        for metric in directive["Metrics"]
    ]


def attempt(number: int = 1, channel: str = "sms") -> None:
    planned = PLAN.attempt(number)
    assert planned.channel == channel
    send_message.handler(send_event(ID.message_id, planned, f"token {number}"), CONTEXT)


def receive(name: str) -> None:
    record_receipt.handler(sns(event_text(name)), CONTEXT)


def test_a_line_is_in_cloudwatchs_format_and_holds_channel_and_service_only(
    lines: Lines, channel: Channel
) -> None:
    assert channel
    attempt()
    [line] = lines()

    when = line["_aws"].pop("Timestamp")
    assert abs(when / 1000 - datetime.now(UTC).timestamp()) < 60
    assert line == {
        "_aws": {
            "CloudWatchMetrics": [
                {
                    "Namespace": "Throughline",
                    "Dimensions": [["channel", "service"]],
                    "Metrics": [{"Name": "Sent", "Unit": "Count"}],
                }
            ]
        },
        "channel": "sms",
        "service": "throughline",
        "Sent": [1.0],
    }


def test_a_delivery_is_counted_once_and_timed_from_the_acceptance(
    store: Store, lines: Lines
) -> None:
    store.attempts.claim(ID, "sms", "token", NOW)
    for _ in range(2):
        receive("sms_TEXT_DELIVERED")
    counted = lines()

    assert names(counted) == [
        "Delivered sms",
        "MessageDelivered",
        "MessageTimeToDeliver",
        "TimeToDeliver sms",
    ]
    [milliseconds] = counted[-1]["TimeToDeliver"]
    assert 60_000 <= milliseconds < 90_000
    assert counted[-1]["_aws"]["CloudWatchMetrics"][-1] == {
        "Namespace": "Throughline",
        "Dimensions": [["channel", "service"]],
        "Metrics": [{"Name": "TimeToDeliver", "Unit": "Milliseconds"}],
    }


def test_a_read_receipt_after_a_delivery_is_no_second_delivery(store: Store, lines: Lines) -> None:
    store.attempts.claim(ID, "whatsapp", "token", NOW)
    store.attempts.update_status(ID, AttemptStatus.DELIVERED, NOW)
    store.attempts.update_status(ID, AttemptStatus.READ, NOW)

    assert names(lines()) == ["Delivered whatsapp"]


def test_a_read_receipt_alone_is_a_delivery(store: Store, lines: Lines) -> None:
    store.attempts.claim(ID, "whatsapp", "token", NOW)
    store.attempts.update_status(ID, AttemptStatus.READ, NOW)
    store.attempts.update_status(ID, AttemptStatus.DELIVERED, NOW)

    assert names(lines()) == ["Delivered whatsapp"]


def test_a_failure_receipt_is_counted_once(store: Store, lines: Lines) -> None:
    store.attempts.claim(ID, "sms", "token", NOW)
    for _ in range(2):
        receive("sms_TEXT_UNREACHABLE")

    assert names(lines()) == ["Failed sms"]


def test_a_refusal_is_a_failure_and_counted_as_a_refusal_too(
    lines: Lines, channel: Channel
) -> None:
    channel.script = [Refused("OptedOut")]
    attempt()
    attempt()

    assert names(lines()) == ["Refused sms", "Failed sms"]


def test_a_busy_provider_is_counted_when_it_took_the_message(
    lines: Lines, channel: Channel
) -> None:
    channel.script = [Unavailable("ThrottlingException")]
    attempt()
    assert lines() == []
    attempt()

    assert names(lines()) == ["Sent sms"]


def test_what_was_perhaps_sent_is_not_counted_as_sent(lines: Lines, channel: Channel) -> None:
    channel.script = [Ambiguous("ReadTimeoutError")]
    attempt()

    assert lines() == []


def test_a_fallback_is_counted_with_the_time_out_that_led_to_it(
    lines: Lines, channel: Channel
) -> None:
    assert channel
    attempt()
    attempt(2, "email")

    assert names(lines()) == ["Sent sms", "TimedOut sms", "Sent email", "Fallback email"]


def test_a_message_is_counted_when_it_comes_and_when_it_ends(store: Store, lines: Lines) -> None:
    store.messages.add(Message("m2", NOW, PLAN), REQUEST)
    store.messages.add(Message("m2", NOW, PLAN), REQUEST)
    store.messages.update_status("m2", MessageStatus.UNDELIVERED, NOW)
    store.messages.update_status("m2", MessageStatus.EXPIRED, NOW)
    store.messages.update_status("m2", MessageStatus.DELIVERED, NOW, channel="sms")

    assert names(lines()) == [
        "MessageAccepted",
        "MessageUndelivered",
        "MessageDelivered",
        "MessageTimeToDeliver",
        "TimeToDeliver sms",
    ]


def test_an_execution_that_ended_by_itself_is_counted(store: Store, lines: Lines) -> None:
    store.messages.update_status(
        ID.message_id, MessageStatus.UNDELIVERED, NOW, reason="the execution was stopped"
    )

    assert names(lines()) == ["MessageUndelivered", "ExecutionBroken"]


def test_a_receipt_without_its_attempt_is_counted_at_every_try(lines: Lines) -> None:
    for _ in range(2):
        with pytest.raises(Unmatched):
            receive("sms_TEXT_DELIVERED")

    assert names(lines()) == ["UnmatchedReceipt sms"] * 2


def test_another_applications_receipt_is_counted_as_foreign(lines: Lines) -> None:
    event = load("sms_eventbridge_TEXT_DELIVERED")
    event["detail"]["eventTimestamp"] = int((NOW - timedelta(seconds=61)).timestamp() * 1000)
    record_receipt.handler(sns(json.dumps(event)), CONTEXT)

    assert names(lines()) == ["ForeignReceipt sms"]


def test_every_status_that_ends_a_message_has_its_metric(lines: Lines) -> None:
    for status in MessageStatus:
        StatusMetrics().message_status_rose(status, timedelta(0), None, None)

    assert set(names(lines())) == {str(metric) for metric in Metric if metric.startswith("Message")}
