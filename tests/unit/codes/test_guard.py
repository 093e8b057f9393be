"""What is refused before a code is sent, and what is let through when counting is down."""

from datetime import UTC, datetime, timedelta

import pytest
from aws_lambda_powertools import Logger

from messaging.codes.guard import Guard
from messaging.domain.errors import Blocked
from messaging.domain.limits import BreakerMode, CodeLimits
from messaging.store.counters import Counters
from messaging.store.table import Table
from tests.support.dynamodb import MemoryDynamoDB

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIMITS = CodeLimits(5, 10, 20, 20, frozenset(), frozenset(), BreakerMode.BLOCK, 20)
ANA = "+14255550156"


class Clock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters() -> Counters:
    return Counters(Table(MemoryDynamoDB(), "Messages"))  # type: ignore[arg-type] # the stand-in


@pytest.fixture
def guard(counters: Counters, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Guard:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Throughline")
    return Guard(counters, LIMITS, clock, Logger(service="guard"))


def test_a_recipient_gets_five_codes_in_an_hour_and_ten_in_a_day(
    guard: Guard, clock: Clock
) -> None:
    for _ in range(5):
        guard.admit([ANA], None)
    with pytest.raises(Blocked) as blocked:
        guard.admit([ANA], None)
    assert (blocked.value.limit, blocked.value.retry_after) == ("recipient", 3600)
    clock.advance(hours=1)
    for _ in range(5):
        guard.admit([ANA], None)
    clock.advance(hours=1)
    with pytest.raises(Blocked) as blocked:
        guard.admit([ANA], None)
    assert (blocked.value.limit, blocked.value.retry_after) == ("recipient", 22 * 3600)


def test_a_prefix_whose_codes_are_not_entered_is_blocked(guard: Guard, clock: Clock) -> None:
    for number in range(10):
        guard.admit([f"+1425555{number:04}"], None)
    clock.advance(minutes=5)
    with pytest.raises(Blocked) as blocked:
        guard.admit([f"+1425555{9999:04}"], None)
    assert (blocked.value.limit, blocked.value.retry_after) == ("breaker", 12 * 3600)
