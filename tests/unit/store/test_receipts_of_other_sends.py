"""A receipt of another send changes nothing, and one write both checks and changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from messaging.domain.errors import Unmatched
from messaging.domain.messages import AttemptId, Receipt
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, ReceiptKind, Success
from messaging.store import Store
from tests.support.dynamodb import MemoryDynamoDB

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = AttemptId("m1", 1)
SMS = PlannedAttempt(1, 1, "sms", 45, Success.DELIVERED)


class CountedCalls:
    """A table and the names of the calls to it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.exceptions = client.exceptions
        self.made: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        self.made.append(operation)
        return getattr(self._client, operation)


@pytest.fixture(params=["moto", "memory"])
def calls(request: pytest.FixtureRequest, dynamodb: DynamoDBClient) -> CountedCalls:
    return CountedCalls(dynamodb if request.param == "moto" else MemoryDynamoDB())


@pytest.fixture
def store(calls: CountedCalls, table: str) -> Store:
    """A store with an attempt by SMS that is being sent."""
    store = Store(calls, table, timedelta(days=30))  # type: ignore[arg-type] # the stand-in
    store.attempts.claim(ID, "sms", "token", NOW)
    return store


def apply(store: Store, provider_id: str | None, status: AttemptStatus) -> AttemptStatus:
    receipt = Receipt("sms", ReceiptKind.FAILED, "word", NOW, provider_id=provider_id)
    return store.attempts.apply_receipt(receipt, ID, status, NOW).status


@pytest.mark.parametrize("status", [AttemptStatus.FAILED, AttemptStatus.DELIVERED])
@pytest.mark.parametrize("provider_id", ["another", ""])
def test_a_receipt_with_another_provider_id_changes_nothing(
    store: Store, calls: CountedCalls, status: AttemptStatus, provider_id: str
) -> None:
    sent = store.attempts.record_sent(ID, "sms-1", NOW, SMS)
    calls.made.clear()

    with pytest.raises(Unmatched, match=r"attempt m1\.1 was sent with another provider id"):
        apply(store, provider_id, status)
    assert calls.made == ["update_item"]
    assert store.attempts.claim(ID, "sms", "token", NOW)[0] == sent


@pytest.mark.parametrize("provider_id", ["sms-1", None])
def test_a_receipt_with_the_id_of_the_send_or_none_takes_one_write(
    store: Store, calls: CountedCalls, provider_id: str | None
) -> None:
    store.attempts.record_sent(ID, "sms-1", NOW, SMS)
    calls.made.clear()

    assert apply(store, provider_id, AttemptStatus.DELIVERED) is AttemptStatus.DELIVERED
    assert calls.made == ["update_item"]


def test_the_first_receipt_before_the_send_is_recorded_fixes_the_id_until_the_send_does(
    store: Store,
) -> None:
    assert apply(store, "early", AttemptStatus.UNCONFIRMED) is AttemptStatus.UNCONFIRMED
    with pytest.raises(Unmatched):
        apply(store, "another", AttemptStatus.FAILED)

    store.attempts.record_sent(ID, "sms-1", NOW, SMS)
    with pytest.raises(Unmatched):
        apply(store, "early", AttemptStatus.FAILED)
    assert apply(store, "sms-1", AttemptStatus.FAILED) is AttemptStatus.FAILED


@pytest.mark.parametrize("status", [AttemptStatus.SENT, AttemptStatus.DELIVERED])
def test_a_receipt_with_another_provider_id_is_told_even_if_it_would_not_raise_the_status(
    store: Store, status: AttemptStatus
) -> None:
    store.attempts.record_sent(ID, "sms-1", NOW, SMS)
    apply(store, "sms-1", AttemptStatus.READ)

    with pytest.raises(Unmatched):
        apply(store, "another", status)
