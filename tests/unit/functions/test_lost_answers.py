"""A write is done and its answer is lost: the SDK asks again, with the same words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from messaging.domain.messages import AttemptId
from messaging.domain.statuses import AttemptStatus
from messaging.store import Store
from messaging.store.idempotency import Reserved
from tests.support.dynamodb import MemoryDynamoDB

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = AttemptId("m1", 1)
LOCK = timedelta(seconds=60)


class AskedAgain(MemoryDynamoDB):
    """Each write is done twice, and only the second answer arrives."""

    def put_item(self, **asked: Any) -> dict[str, Any]:
        super().put_item(**asked)
        return super().put_item(**asked)

    def update_item(self, **asked: Any) -> dict[str, Any]:
        super().update_item(**asked)
        return super().update_item(**asked)


@pytest.fixture
def store() -> Store:
    client: Any = AskedAgain()
    return Store(client, "Messages", timedelta(days=1))


def test_an_attempt_is_still_its_claimers(store: Store) -> None:
    attempt, ours = store.attempts.claim(ID, "sms", "token", NOW)
    assert (attempt.status, ours) == (AttemptStatus.SENDING, True)


def test_an_attempt_is_nobody_elses(store: Store) -> None:
    store.attempts.claim(ID, "sms", "token", NOW)
    assert not store.attempts.claim(ID, "sms", "token", NOW)[1]


def test_a_released_attempt_is_still_claimed_once_more(store: Store) -> None:
    store.attempts.claim(ID, "sms", "token", NOW)
    store.attempts.release(ID, "busy")
    assert store.attempts.claim(ID, "sms", "newer token", NOW)[1]


def test_an_idempotency_key_is_still_its_takers(store: Store) -> None:
    assert store.idempotency.reserve("key", "body", "m1", NOW, LOCK).state is Reserved.ACQUIRED
    assert store.idempotency.reserve("key", "body", "m2", NOW, LOCK).state is Reserved.IN_PROGRESS
