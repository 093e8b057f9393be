"""Events that no provider sent, or that are about somebody else: they change nothing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

import record_receipt
from messaging.domain.errors import Failed, Unmatched, Unreadable
from messaging.domain.messages import AttemptId, Message, Outcome
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, Success
from messaging.store import Store
from messaging.store.receipts import MAX_REASON
from tests.support.aws import CONTEXT, event_text, load, sns
from tests.support.plans import plan_of

MESSAGE_ID = "01JEXAMPLE0000000000000001"
FIRST, SECOND = AttemptId(MESSAGE_ID, 1), AttemptId(MESSAGE_ID, 2)

Event = dict[str, Any]


class Nobody:
    """A workflow that no forged event may speak to."""

    def __getattr__(self, name: str) -> object:
        pytest.fail(f"the workflow was called: {name}")


@pytest.fixture(autouse=True)
def sent(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message whose first attempt, an SMS, waits for its receipt; its email was not sent yet."""
    monkeypatch.setattr(record_receipt, "store", lambda: store)
    monkeypatch.setattr(record_receipt, "workflow", Nobody)
    now = datetime.now(UTC)
    attempts = (
        PlannedAttempt(1, 1, "sms", 45, Success.DELIVERED),
        PlannedAttempt(2, 2, "email", 45, Success.DELIVERED),
    )
    store.messages.add(Message(MESSAGE_ID, now, plan_of(*attempts)))
    store.attempts.claim(FIRST, "sms", "token", now)
    store.attempts.record_sent(FIRST, "862a8790-60c0-4430-9b2b-658bd0000001", now, attempts[0])


@pytest.fixture
def everything(dynamodb: DynamoDBClient, table: str) -> Callable[[], list[Any]]:
    """All that the table holds."""
    return lambda: sorted(dynamodb.scan(TableName=table)["Items"], key=str)


def sms(**context: str) -> Event:
    return {**load("sms_TEXT_DELIVERED"), "context": context}


def email(message_id: str, attempt: str) -> Event:
    event = load("ses_Delivery")
    event["mail"]["tags"] = {"message_id": [message_id], "attempt": [attempt]}
    return event


def whatsapp(echo: str, **envelope: str) -> Event:
    event = load("whatsapp_delivered") | envelope
    entry = event["whatsAppWebhookEntry"].replace(f"{MESSAGE_ID}.1", echo)
    return {**event, "whatsAppWebhookEntry": entry}


OTHERS = {
    "a message that does not exist": sms(message_id="01JNOBODY00000000000000000", attempt="1"),
    "an attempt that was not made": email(MESSAGE_ID, "2"),
    "an attempt beyond the plan": sms(message_id=MESSAGE_ID, attempt="99"),
    "an attempt on another channel": email(MESSAGE_ID, "1"),
    "a WhatsApp receipt for an SMS": whatsapp(f"{MESSAGE_ID}.1"),
    **{
        f"another send, {word}": {
            **load("sms_TEXT_DELIVERED"),
            "eventType": f"TEXT_{word}",
            "messageId": "another-send",
        }
        for word in ("DELIVERED", "BLOCKED", "UNKNOWN", "QUEUED", "TELEPATHY")
    },
}
NO_ATTEMPT = ["0", "-1", "1.0", "1e0", " 1", "100", "9" * 5_000, "1#x", ""]
FOREIGN = {
    "another account's entry": whatsapp("order-7", messageId="not-ours", aws_account_id="999"),
    "an entry without an echo": whatsapp("", messageId="not-ours"),
    "an attempt in Arabic digits": sms(message_id=MESSAGE_ID, attempt="٣"),
    **{
        f"attempt {number[:5]!r}": sms(message_id=MESSAGE_ID, attempt=number)
        for number in NO_ATTEMPT
    },
}


def receive(event: Event | str) -> None:
    text = event if isinstance(event, str) else json.dumps(event)
    record_receipt.handler(sns(text), CONTEXT)


@pytest.mark.parametrize("event", OTHERS.values(), ids=OTHERS.keys())
def test_what_echoes_another_attempt_is_kept_for_people_and_changes_nothing(
    everything: Callable[[], list[Any]], event: Event
) -> None:
    before = everything()
    with pytest.raises(Unmatched):
        receive(event)

    assert everything() == before


@pytest.mark.parametrize("event", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_is_not_ours_is_passed_over(everything: Callable[[], list[Any]], event: Event) -> None:
    before = everything()
    receive({**event, "messageId": "not-ours", "eventTimestamp": 1_700_000_000_000})

    assert everything() == before


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "7", "{", "[" * 100_000),
        '{"whatsAppWebhookEntry": "' + "[" * 100_000 + '"}',
        json.dumps({**load("sms_TEXT_DELIVERED"), "eventTimestamp": 1e300}),
        json.dumps({**load("ses_Delivery"), "mail": []}),
        json.dumps({**load("whatsapp_delivered"), "whatsAppWebhookEntry": "{}}"}),
    ],
    ids=lambda text: text[:20],
)
def test_what_no_provider_would_say_is_raised_and_changes_nothing(
    everything: Callable[[], list[Any]], text: str
) -> None:
    before = everything()
    with pytest.raises(Unreadable):
        receive(text)

    assert everything() == before


@pytest.mark.parametrize("word", ["DELIVERED", "BLOCKED", "QUEUED"])
def test_the_same_event_with_the_id_of_the_send_counts(
    store: Store, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(record_receipt, "workflow", Told)
    receive({**load("sms_TEXT_DELIVERED"), "eventType": f"TEXT_{word}"})

    assert [one["word"] for one in store.receipts.of(MESSAGE_ID)] == [f"TEXT_{word}"]


def test_an_id_that_comes_before_the_send_is_recorded_gives_way_to_the_sends(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_receipt, "workflow", Told)
    now, planned = datetime.now(UTC), PlannedAttempt(2, 2, "email", 45, Success.DELIVERED)
    store.attempts.claim(SECOND, "email", "token 2", now)
    bounce = load("ses_Bounce_Permanent_General")
    bounce["mail"] |= {"tags": {"message_id": [MESSAGE_ID], "attempt": ["2"]}, "messageId": "bad"}
    receive(bounce)
    store.attempts.record_sent(SECOND, "good", now, planned)

    attempt = store.messages.history(MESSAGE_ID).attempts[1]
    assert (attempt.status, attempt.provider_id) == (AttemptStatus.FAILED, "good")
    with pytest.raises(Unmatched):
        receive(bounce)
    delivery = email(MESSAGE_ID, "2")
    delivery["mail"]["messageId"] = "good"
    receive(delivery)
    assert store.messages.history(MESSAGE_ID).attempts[1].status is AttemptStatus.DELIVERED


class Told:
    """A workflow that waits for each answer."""

    def succeed(self, task_token: str, outcome: Outcome) -> bool:
        return bool(task_token and outcome)

    def fail(self, task_token: str, error: type[Exception], cause: str) -> bool:
        return bool(task_token and error and cause)


@pytest.mark.parametrize("word", ["TEXT_SENT", "TEXT_QUEUED", "TEXT_UNREACHABLE", "TEXT_UNKNOWN"])
def test_a_delivered_attempt_stays_delivered(
    store: Store, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    store.attempts.update_status(FIRST, AttemptStatus.DELIVERED, datetime.now(UTC))
    before = store.messages.history(MESSAGE_ID)
    monkeypatch.setattr(record_receipt, "workflow", Quiet)
    receive(event_text(f"sms_{word}"))

    assert store.messages.history(MESSAGE_ID).attempts == before.attempts


class Quiet:
    """A workflow that has ended."""

    def succeed(self, task_token: str, outcome: Outcome) -> bool:
        assert outcome.status == "delivered"
        return task_token != "token"

    def fail(self, task_token: str, error: type[Exception], cause: str) -> bool:
        assert (error, cause[:4]) == (Failed, "TEXT")
        return task_token != "token"


def test_a_huge_reason_is_cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_receipt, "workflow", Quiet)
    receive({**load("sms_TEXT_UNREACHABLE"), "messageStatusDescription": "x" * 200_000})

    (attempt,) = store.messages.history(MESSAGE_ID).attempts
    assert len(attempt.reason or "") == MAX_REASON
