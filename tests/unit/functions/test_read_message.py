"""`GET /v1/messages/{id}`: what the response contains about a message, and what it never does."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import plan_message
import read_message
from messaging.api import requests
from messaging.domain.messages import AttemptId, Receipt
from messaging.domain.statuses import AttemptStatus, MessageStatus, ReceiptKind
from messaging.store import Store
from tests.support.aws import CONTEXT, TABLE, aws
from tests.support.request_cases import SENDERS, VALID, but

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

START = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
WAITS = {"whatsapp": 45, "sms": 120, "email": 300}
MESSAGE_ID = "01KB3Q4Y9V6Z8M2N7R5T1W0XCD"
TOKEN = "the-task-token"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def stack() -> Iterator["DynamoDBClient"]:
    with aws():
        yield boto3.client("dynamodb")


@pytest.fixture
def store(stack: "DynamoDBClient") -> Store:
    """A store with one message, just accepted."""
    for item in stack.scan(TableName=TABLE)["Items"]:
        key = {name: item[name] for name in ("pk", "sk")}
        stack.delete_item(TableName=TABLE, Key=key)
    store = Store(stack, TABLE, timedelta(days=1))
    body = but(VALID, {"/metadata": {"order": "42"}, "/steps/2": {"channel": "email"}})
    request = requests.check(body, SENDERS)
    store.messages.add(request.message(MESSAGE_ID, START, WAITS), request.document)
    return store


def get(message_id: str = MESSAGE_ID) -> dict[str, Any]:
    return read_message.handler({"pathParameters": {"id": message_id}}, CONTEXT)


def read(message_id: str = MESSAGE_ID) -> dict[str, Any]:
    answer = get(message_id)
    assert answer["statusCode"] == 200, answer
    body: dict[str, Any] = json.loads(answer["body"])
    return body


def sent(store: Store, number: int, channel: str, seconds: float) -> None:
    attempt = AttemptId(MESSAGE_ID, number)
    store.attempts.claim(attempt, channel, TOKEN, at(seconds))
    planned = store.messages.history(MESSAGE_ID).message.plan.attempt(number)
    store.attempts.record_sent(attempt, f"provider-{number}", at(seconds + 1), planned)


def reported(store: Store, number: int, kind: ReceiptKind, word: str, seconds: float) -> None:
    """A receipt that comes two seconds after it occurred."""
    channel = ("whatsapp", "sms")[number - 1]
    receipt = Receipt(channel, kind, word, at(seconds - 2), f"provider-{number}", key=word)
    store.receipts.add(receipt, AttemptId(MESSAGE_ID, number), at(seconds))


def fall_back(store: Store) -> None:
    """WhatsApp fails, the SMS arrives."""
    sent(store, 1, "whatsapp", 1)
    store.attempts.update_status(AttemptId(MESSAGE_ID, 1), AttemptStatus.FAILED, at(5), "131026")
    reported(store, 1, ReceiptKind.FAILED, "failed", 5.1)
    sent(store, 2, "sms", 6)
    reported(store, 2, ReceiptKind.PROGRESS, "TEXT_QUEUED", 8)
    store.attempts.update_status(AttemptId(MESSAGE_ID, 2), AttemptStatus.DELIVERED, at(9))
    reported(store, 2, ReceiptKind.DELIVERED, "TEXT_DELIVERED", 9.1)
    store.messages.update_status(MESSAGE_ID, MessageStatus.DELIVERED, at(9.2))


@pytest.mark.usefixtures("store")
def test_a_message_that_was_just_accepted() -> None:
    body = read()

    assert (body["id"], body["status"], body["concluded_at"]) == (MESSAGE_ID, "accepted", None)
    assert (body["category"], body["metadata"]) == ("utility", {"order": "42"})
    assert [one["channel"] for one in body["plan"]] == ["whatsapp", "sms", "email"]
    assert body["attempts"] == []
    assert body["timeline"] == [{"at": "2026-01-15T09:30:00.000Z", "event": "accepted"}]


def test_a_message_with_an_attempt_is_in_progress(store: Store) -> None:
    store.attempts.claim(AttemptId(MESSAGE_ID, 1), "whatsapp", TOKEN, at(1))
    body = read()

    assert body["status"] == "in_progress"
    assert body["attempts"] == [
        {
            "attempt": 1,
            "step": 1,
            "channel": "whatsapp",
            "status": "sending",
            "late": False,
            "reason": None,
            "provider_id": None,
            "started_at": "2026-01-15T09:30:01.000Z",
        }
    ]


def test_a_message_that_fell_back(store: Store) -> None:
    fall_back(store)
    body = read()

    assert (body["status"], body["concluded_at"]) == ("delivered", "2026-01-15T09:30:09.200Z")
    assert [
        (one["attempt"], one["channel"], one["status"], one["reason"], one["provider_id"])
        for one in body["attempts"]
    ] == [
        (1, "whatsapp", "failed", "131026", "provider-1"),
        (2, "sms", "delivered", None, "provider-2"),
    ]


def test_the_timeline_tells_everything_in_its_order(store: Store) -> None:
    fall_back(store)

    assert [
        (one["at"][17:-1], one["event"], one.get("attempt"), one.get("word") or one.get("reason"))
        for one in read()["timeline"]
    ] == [
        ("00.000", "accepted", None, None),
        ("01.000", "sending", 1, None),
        ("02.000", "sent", 1, None),
        ("05.000", "failed", 1, "131026"),
        ("05.100", "receipt", 1, "failed"),
        ("06.000", "sending", 2, None),
        ("07.000", "sent", 2, None),
        ("08.000", "receipt", 2, "TEXT_QUEUED"),
        ("09.000", "delivered", 2, None),
        ("09.100", "receipt", 2, "TEXT_DELIVERED"),
        ("09.200", "delivered", None, None),
    ]


def test_a_late_receipt_stands_where_it_came(store: Store) -> None:
    sent(store, 1, "whatsapp", 1)
    store.attempts.time_out(
        store.attempts.claim(AttemptId(MESSAGE_ID, 1), "whatsapp", TOKEN, at(46))[0], at(46)
    )
    sent(store, 2, "sms", 47)
    store.attempts.update_status(AttemptId(MESSAGE_ID, 1), AttemptStatus.DELIVERED, at(50))
    reported(store, 1, ReceiptKind.DELIVERED, "delivered", 50)
    body = read()

    assert [one["late"] for one in body["attempts"]] == [True, False]
    events = [(one["event"], one.get("attempt")) for one in body["timeline"]]
    assert events[-4:] == [("sending", 2), ("sent", 2), ("delivered", 1), ("receipt", 1)]


def test_no_address_no_text_and_no_token_is_told(store: Store) -> None:
    fall_back(store)
    answer = get()["body"]

    for secret in (*VALID["to"].values(), *VALID["content"].values(), TOKEN, *SENDERS.values()):
        assert secret not in answer


@pytest.mark.usefixtures("store")
def test_a_rejected_message_tells_its_problems() -> None:
    asked = {"message_id": "direct-1", "started_at": "2026-01-15T09:30:00.000Z", "request": {}}
    plan_message.handler(asked, CONTEXT)
    body = read("direct-1")

    assert (body["status"], body["category"], body["plan"]) == ("rejected", None, [])
    assert body["errors"] == [{"pointer": "/steps", "detail": "is required"}]


@pytest.mark.usefixtures("store")
def test_an_answer_is_not_to_be_kept() -> None:
    assert get()["headers"] == {"Content-Type": "application/json", "Cache-Control": "no-store"}


def not_found(message_id: str) -> bool:
    answer = get(message_id)
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(answer["body"]) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "no message has this id",
    }
    return bool(answer["statusCode"] == 404)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("message_id", ["01KB3Q4Y9V6Z8M2N7R5T1W0XCE", MESSAGE_ID.lower(), "m" * 80])
def test_an_unknown_id_is_not_found(message_id: str) -> None:
    assert not_found(message_id)


@pytest.mark.parametrize(
    "message_id",
    [
        "",
        "m" * 81,
        "m" * 5_000,
        "provider#provider-1",
        "idempotency#0",
        "../messages",
        f"{MESSAGE_ID}\n",
        f"{MESSAGE_ID}.1",
        "%00",
        "名前",
    ],
    ids=lambda message_id: repr(message_id[:30]),
)
def test_what_cannot_be_an_id_is_not_even_looked_for(
    monkeypatch: pytest.MonkeyPatch, message_id: str
) -> None:
    monkeypatch.setattr(read_message, "store", lambda: pytest.fail("looked for it"))

    assert not_found(message_id)


@pytest.mark.parametrize("closed", [False, True])
def test_an_attempt_that_the_workflow_has_gone_on_without_is_not_on_its_way(
    store: Store, *, closed: bool
) -> None:
    """Its function died before it could note that."""
    store.attempts.claim(AttemptId(MESSAGE_ID, 1), "whatsapp", TOKEN, at(1))
    assert read()["attempts"][0]["status"] == "sending"
    if closed:
        store.messages.update_status(MESSAGE_ID, MessageStatus.UNDELIVERED, at(10))
    else:
        store.attempts.claim(AttemptId(MESSAGE_ID, 2), "sms", TOKEN, at(10))
    assert read()["attempts"][0]["status"] == "timed_out"
