"""A store in memory, a clock that stands still, and a message of two steps."""

from datetime import UTC, datetime, timedelta

import pytest
from aws_lambda_powertools import Logger

from messaging.domain.messages import Attempt, AttemptId, Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.store import Store
from tests.support.dynamodb import MemoryDynamoDB
from tests.support.plans import plan_of
from tests.support.ports import RecordedStates

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIRST, SECOND = AttemptId("m1", 1), AttemptId("m1", 2)
PLAN = plan_of(
    PlannedAttempt(1, 1, "whatsapp", 45, Success.DELIVERED),
    PlannedAttempt(2, 2, "sms", 120, Success.DELIVERED),
)
MESSAGE = Message("m1", NOW, PLAN)
REQUEST = {
    "to": {"whatsapp": "+14255550156", "sms": "+14255550157"},
    "content": {"text": "hi"},
    "steps": [{}, {}],
    "category": "utility",
}


def now() -> datetime:
    return NOW


class RecordedRises:
    """Records each status of a message that rose: with its channel and its reason."""

    def __init__(self) -> None:
        self.of_message: list[tuple[MessageStatus, str | None, str | None]] = []

    def message_status_rose(
        self, status: MessageStatus, age: timedelta, channel: str | None, reason: str | None
    ) -> None:
        assert age >= timedelta(0)
        self.of_message.append((status, channel, reason))

    def attempt_status_rose(self, attempt: Attempt) -> None: ...


@pytest.fixture
def rises() -> RecordedRises:
    return RecordedRises()


@pytest.fixture
def store(rises: RecordedRises) -> Store:
    return Store(MemoryDynamoDB(), "Messages", timedelta(days=30), rises)  # type: ignore[arg-type] # the stand-in


@pytest.fixture
def states() -> RecordedStates:
    return RecordedStates()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Logger:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Throughline")
    return Logger(service="rules")


def in_status(store: Store, attempt_id: AttemptId, status: AttemptStatus) -> Attempt:
    """The attempt, claimed with a token of its number, in this status."""
    channel = PLAN.attempt(attempt_id.number).channel
    store.attempts.claim(attempt_id, channel, f"token {attempt_id.number}", NOW)
    reason = "rejected" if status is AttemptStatus.FAILED else None
    return store.attempts.update_status(attempt_id, status, NOW, reason)
