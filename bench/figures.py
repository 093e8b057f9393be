"""Percentiles, and the latencies of a message."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from bench.scenarios import SHORT_WAIT_SECONDS, LoadScenario
from bench.verdicts import attempt_of, published

# The providers' statuses for a message that will not be delivered.
FAILURES = ("failed", "TEXT_UNREACHABLE")


@dataclass(frozen=True)
class Spread:
    """Percentiles, in seconds."""

    p50: float
    p95: float
    p99: float


def spread(seconds: Iterable[float]) -> Spread | None:
    """None without values. Percentiles between two values are interpolated."""
    values = list(seconds)
    if not values:
        return None
    if len(values) == 1:
        values *= 2  # quantiles needs two values
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return Spread(cuts[49], cuts[94], cuts[98])


@dataclass(frozen=True)
class PostedMessage:
    """A message that the API accepted: when it was due, or in a burst when it was sent (Unix time),
    and how long the response took.
    """

    message_id: str
    scenario: LoadScenario
    at: float
    response_seconds: float


def to_first_call(posted: PostedMessage, calls: Sequence[Mapping[str, Any]]) -> float:
    return min(seconds(call["asked_at"]) for call in calls) - posted.at


def receipt_to_next_call(calls: Sequence[Mapping[str, Any]]) -> list[float]:
    """Seconds from a provider's failure receipt to the call on the next channel."""
    ordered = sorted(calls, key=attempt_of)
    return [
        seconds(after["asked_at"]) - seconds(failure["due_at"])
        for before, after in pairwise(ordered)
        for failure in published(before)
        if failure["receipt"].startswith(FAILURES)
    ]


def timeout_to_next_call(
    history: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]]
) -> list[float]:
    """Seconds from the end of the wait, which starts when its state is entered, to the call."""
    entered = [event for event in history if event["type"] == "TaskStateEntered"]
    last = max(calls, key=attempt_of)
    ends = entered[0]["timestamp"].timestamp() + SHORT_WAIT_SECONDS
    return [seconds(last["asked_at"]) - ends]


def seconds(time_text: str) -> float:
    return datetime.fromisoformat(time_text).timestamp()
