"""Plans for tests, made of their attempts, and the events of the states that send them."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from messaging.channels.catalog import channels
from messaging.domain.plan import Plan, PlannedAttempt, PlannedStep

CHANNELS = tuple(channels())


def plan_of(*attempts: PlannedAttempt) -> Plan:
    """The plan with these attempts; a step of several is a broadcast."""
    steps = []
    for number, group in groupby(attempts, key=lambda attempt: attempt.step):
        held = tuple(group)
        steps.append(PlannedStep(number, held, broadcast=len(held) > 1))
    return Plan(tuple(steps))


def send_event(
    message_id: str, attempt: PlannedAttempt, task_token: str, entered_at: datetime | None = None
) -> dict[str, Any]:
    """The payload that a sending state gives `send_message`."""
    return {
        "task_token": task_token,
        "message_id": message_id,
        "attempt": attempt.number,
        "channel": attempt.channel,
        "wait_seconds": attempt.wait_seconds,
        "entered_at": (entered_at or datetime.now(UTC)).isoformat(),
    }
