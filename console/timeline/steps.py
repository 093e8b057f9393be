"""Why each step of the plan ran."""

from collections.abc import Iterator, Sequence
from typing import Final

from console.execution import CALLERS_ERRORS, THROTTLED, TaskRun, Visit
from console.facts import MessageFacts
from console.timeline.entries import DraftEntry
from console.words import channel, listed, status
from messaging.domain.messages import NOT_REQUESTED, WAITS_FOR_REQUEST
from messaging.domain.plan import PlannedStep
from messaging.domain.statuses import Success

# How an attempt ended that the execution reports with this error.
_ERRORS: Final = {
    "Failed": "failed",
    "Refused": "refused the message",
    "Unavailable": "was unavailable",
    THROTTLED: "was throttled by Lambda",
    "InvalidRoute": "was not used, because the route is invalid",
    "Expired": "was not tried before the message expired",
}
# What a waiting state waits for, by what its step counts as success.
_AWAITED: Final = {
    Success.SENT: "confirmation",
    Success.DELIVERED: "delivery receipt",
    Success.READ: "read receipt",
}


def steps(facts: MessageFacts) -> Iterator[DraftEntry]:
    before: list[Visit] = []
    for step in facts.plan.steps:
        visits = [facts.sending[one.number] for one in step.attempts if one.number in facts.sending]
        if visits:
            at = min(visit.entered_at for visit in visits)
            text = f"{step_name(step)} started {_reason(before, facts)}"
            yield DraftEntry(at, "live", text)
            before = visits


def step_name(step: PlannedStep) -> str:
    names = listed(channel(one.channel) for one in step.attempts)
    return f"Step {step.number} ({f'broadcast to {names}' if step.broadcast else names})"


def steps_name(alike: Sequence[PlannedStep]) -> str:
    """The name of steps that follow each other and have the same channels."""
    first, last = alike[0], alike[-1]
    name = step_name(first)
    if first is last:
        return name
    to = "and" if len(alike) == 2 else "to"  # noqa: PLR2004 - two have none between them
    return name.replace(f"Step {first.number}", f"Steps {first.number} {to} {last.number}", 1)


def _reason(before: Sequence[Visit], facts: MessageFacts) -> str:
    if not before:
        return "as the first step of the plan"
    return f"because {listed(failure(visit, facts) for visit in before)}"


def failure(visit: Visit, facts: MessageFacts) -> str:
    """Why the workflow left a sending state for the next step."""
    name = channel(visit.channel)
    failed = visit.failure
    if failed is None:
        return f"{name} {status(visit.condition)}"
    if failed.error in CALLERS_ERRORS:
        return callers_reason(failed.error or "", facts)
    if failed.error == "States.Timeout":
        return _timeout(name, failed, facts, visit.attempt or 0)
    words = _ERRORS.get(failed.error or "", f"failed with {failed.error}")
    times = f" {len(visit.runs)} times" if failed.error in {"Unavailable", THROTTLED} else ""
    return f"{name} {words}{times}: {failed.cause}" if failed.cause else f"{name} {words}{times}"


def callers_reason(error: str, facts: MessageFacts) -> str:
    """What the caller did that ended a wait with one of `CALLERS_ERRORS`."""
    if error == "Advanced":
        return f"{'another send' if facts.checked_here else 'the next step'} was requested"
    message = facts.history.message if facts.history else None
    if message and message.cancelled_at:
        return "the caller cancelled the message"
    return (message and message.reason) or "the message was cancelled"


def _timeout(name: str, failed: TaskRun, facts: MessageFacts, number: int) -> str:
    seconds = (failed.until - failed.at).total_seconds() if failed.until else 0
    within = f"within {seconds:g} s"
    attempt, planned = facts.attempt(number), facts.planned(number)
    if attempt and attempt.reason in {WAITS_FOR_REQUEST, NOT_REQUESTED}:
        return f"no resend by {name} was requested {within}"
    success = planned.success if planned else Success.DELIVERED
    if success is Success.CONFIRMED:
        return f"the message sent by {name} was not confirmed {within}"
    return f"no {_AWAITED.get(success, 'receipt')} from {name} arrived {within}"
