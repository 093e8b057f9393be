"""Percentiles, and the times that a message's facts hold."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from bench.scenarios import SHORTEST_WAIT, LoadScenario
from bench.verdicts import attempt_of, published

# The provider's words for a message that will not arrive.
FAILURES = ("failed", "TEXT_UNREACHABLE")


@dataclass(frozen=True)
class Spread:
    """Percentiles, in seconds."""

    p50: float
    p95: float
    p99: float


def spread(seconds: Iterable[float]) -> Spread | None:
    """None where there is nothing to measure. Between two values it is interpolated."""
    values = list(seconds)
    if not values:
        return None
    if len(values) == 1:
        values *= 2  # quantiles wants two
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return Spread(cuts[49], cuts[94], cuts[98])


@dataclass(frozen=True)
class PostedMessage:
    """A message that the API took: when its turn was, or, where all come at once, when it was asked
    (Unix time), and how long the answer took.
    """

    message_id: str
    scenario: LoadScenario
    at: float
    answered_in: float


def to_first_call(posted: PostedMessage, calls: Sequence[Mapping[str, Any]]) -> float:
    return min(seconds(call["asked_at"]) for call in calls) - posted.at


def receipt_to_next_call(calls: Sequence[Mapping[str, Any]]) -> list[float]:
    """From the moment a carrier has a failure to report to the call on the next channel."""
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
    """From the end of the wait, counted from when its state was entered, to the next call."""
    entered = [event for event in history if event["type"] == "TaskStateEntered"]
    last = max(calls, key=attempt_of)
    ends = entered[0]["timestamp"].timestamp() + SHORTEST_WAIT
    return [seconds(last["asked_at"]) - ends]


def seconds(time_text: str) -> float:
    return datetime.fromisoformat(time_text).timestamp()
