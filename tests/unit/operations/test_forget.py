"""A message that is erased: what is gone, what stays, and what comes after it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

import record_receipt
from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import AttemptId, Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, Success
from messaging.store import Store
from tests.support.aws import CONTEXT, load, sns
from tests.support.plans import plan_of

ID = AttemptId("01JEXAMPLE0000000000000001", 1)
OTHER = AttemptId("01JEXAMPLE0000000000000001a", 1)
MARK = "a mark of its own"
LOCK = timedelta(seconds=60)


def add(store: Store, attempt_id: AttemptId) -> None:
    """A message that was sent and delivered, with all that such a one leaves."""
    now = datetime.now(UTC)
    plan = plan_of(PlannedAttempt(1, 1, "whatsapp", 45, Success.DELIVERED))
    request = {"content": {"text": MARK * 60}, "steps": [{}], "category": "utility"}
    store.idempotency.reserve(f"key of {attempt_id}", "body", attempt_id.message_id, now, LOCK)
    store.messages.add(Message(attempt_id.message_id, now, plan), request)
    store.attempts.claim(attempt_id, "whatsapp", "token", now)
    store.attempts.record_sent(attempt_id, f"id of {attempt_id}", now, plan.attempt(1))
    store.receipts.link(f"wamid of {attempt_id}", attempt_id, now, "whatsapp")
    store.attempts.update_status(attempt_id, AttemptStatus.DELIVERED, now)


def items(dynamodb: DynamoDBClient, table: str) -> list[dict[str, Any]]:
    return dynamodb.scan(TableName=table)["Items"]


def test_only_the_id_is_left_and_for_no_longer(
    store: Store, dynamodb: DynamoDBClient, table: str
) -> None:
    add(store, ID)
    kept_until = {item["sk"]["S"]: item["retained_until"] for item in items(dynamodb, table)}
    erased = store.erasure.erase(ID.message_id)

    assert erased == len({"message", "request", "attempt", "id", "wamid", "idempotency key"})
    assert items(dynamodb, table) == [
        {
            "pk": {"S": ID.message_id},
            "sk": {"S": "tombstone"},
            "retained_until": kept_until["message"],
        }
    ]


def test_other_messages_stay_whole(store: Store, dynamodb: DynamoDBClient, table: str) -> None:
    add(store, OTHER)
    before = items(dynamodb, table)
    add(store, ID)
    store.erasure.erase(ID.message_id)

    left = [item for item in items(dynamodb, table) if item["sk"]["S"] != "tombstone"]
    assert sorted(left, key=str) == sorted(before, key=str)
    assert MARK in str(left)


def test_nobody_is_erased_twice(store: Store) -> None:
    add(store, ID)
    store.erasure.erase(ID.message_id)

    with pytest.raises(UnknownMessage):
        store.erasure.erase(ID.message_id)
    assert store.erasure.was_erased(ID.message_id)
    assert not store.erasure.was_erased(OTHER.message_id)


def test_a_late_receipt_changes_nothing_and_waits_for_nobody(
    store: Store, dynamodb: DynamoDBClient, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_receipt, "store", lambda: store)
    add(store, ID)
    store.erasure.erase(ID.message_id)
    before = items(dynamodb, table)
    for event in ("whatsapp_read", "whatsapp_failed_131026"):
        record_receipt.handler(sns(json.dumps(load(event))), CONTEXT)

    assert items(dynamodb, table) == before


def test_the_pending_verification_of_a_message_is_forgotten_with_it(
    store: Store, dynamodb: DynamoDBClient, table: str
) -> None:
    """Its key is a hash of the recipient's addresses."""
    add(store, ID)
    until = datetime.now(UTC) + timedelta(minutes=10)
    store.verifications.take("hash of its recipient", ID.message_id, until, None)
    store.verifications.take("hash of another", OTHER.message_id, until, None)
    store.erasure.erase(ID.message_id)

    assert store.verifications.pending("hash of its recipient") is None
    assert store.verifications.pending("hash of another")
    assert "hash of its recipient" not in str(items(dynamodb, table))
