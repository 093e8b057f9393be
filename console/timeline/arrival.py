"""How a message arrived, and how it was planned."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from console.facts import MessageFacts, MessageSource
from console.timeline.entries import DraftEntry
from console.timeline.steps import steps_name
from console.words import channel, listed, small
from messaging.domain.plan import PlannedAttempt, PlannedStep
from messaging.domain.statuses import Success

SOURCES: Final = {
    MessageSource.API: "Accepted by the API",
    MessageSource.DIRECT: "Started directly with StartExecution",
    MessageSource.QUEUE_OR_DIRECT: (
        "Received from the requests queue, or started with StartExecution without a name"
    ),
    MessageSource.UNKNOWN: "Accepted",
}


def arrival(facts: MessageFacts) -> Iterator[DraftEntry]:
    yield DraftEntry(facts.since, "live", SOURCES[facts.source])
    if facts.history and facts.plan.attempts:
        yield DraftEntry(planned_at(facts), "live", "Planned", _plan(facts))
    if facts.execution and facts.source is MessageSource.API:
        yield DraftEntry(facts.execution.started_at, "quiet", "The execution started")


def planned_at(facts: MessageFacts) -> datetime:
    """A message that did not arrive by the API is planned by the first task of its execution."""
    by_api = facts.source is MessageSource.API
    visits = facts.execution.visits if facts.execution and not by_api else ()
    planned = (one.exited_at for one in visits if one.runs and one.attempt is None)
    return next(planned, None) or facts.since


def _plan(facts: MessageFacts) -> str:
    parts = [_step(step) for step in facts.plan.steps if not step.on_request]
    if on_request := [step for step in facts.plan.steps if step.on_request]:
        parts.append(f"{small(steps_name(on_request))}, only if requested")
    steps = "; ".join(parts)
    expires_at = facts.history and facts.history.message.expires_at
    if not expires_at:
        return steps
    return f"{steps}; nothing is sent after {(expires_at - facts.since).total_seconds():g} s"


def _step(step: PlannedStep) -> str:
    return f"step {step.number}: {listed(_attempt(one) for one in step.attempts)}"


def _attempt(one: PlannedAttempt) -> str:
    success = "" if one.success is Success.DELIVERED else f" for success “{one.success}”"
    if one.success is Success.CONFIRMED:
        success = " to be confirmed"
    return f"{channel(one.channel)}, waits {one.wait_seconds} s{success}"
