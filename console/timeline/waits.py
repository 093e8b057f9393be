"""What the message waits for, and what ended each wait."""

from collections.abc import Iterator

from console.execution import Condition, Visit
from console.facts import MessageFacts
from console.timeline.entries import DraftEntry
from console.timeline.steps import failure
from console.words import capital, channel, duration
from messaging.domain.statuses import MessageStatus, Success


def open_waits(facts: MessageFacts) -> Iterator[DraftEntry]:
    for visit in facts.sending.values():
        if not visit.ended:
            text = f"Waiting for {awaited(facts, visit)},"
            yield DraftEntry(visit.runs[-1].at, "live", text, until=visit.until)


def awaited(facts: MessageFacts, visit: Visit) -> str:
    """What ends the wait of a sending state before its time is over."""
    number, name = visit.attempt or 0, channel(visit.channel)
    attempt, planned = facts.attempt(number), facts.planned(number)
    if attempt and attempt.waits_for_request:
        return f"a resend by {name}"
    if planned is None or planned.success is not Success.CONFIRMED:
        return f"a receipt from {name}"
    what = "check of the code" if facts.checked_here else "confirmation of the message"
    return f"the {what} sent by {name}"


def ended_waits(facts: MessageFacts) -> Iterator[DraftEntry]:
    for visit in facts.sending.values():
        end = visit.exited_at or (facts.execution and facts.execution.ended_at)
        if visit.ended and end:
            took = duration((end - visit.entered_at).total_seconds())
            tone, text = _end_of_wait(facts, visit, took)
            yield DraftEntry(end, tone, text)


def _end_of_wait(facts: MessageFacts, visit: Visit, took: str) -> tuple[str, str]:
    name = channel(visit.channel)
    if visit.condition is Condition.STOPPED:
        return "warn", f"The wait for {name} ended after {took} because the execution ended"
    if visit.condition is Condition.SUCCEEDED:
        return "good", _success(visit, name, took)
    if visit.condition is Condition.TIMED_OUT:
        return "warn", capital(failure(visit, facts))
    if visit.condition is Condition.ENDED:
        return "quiet", f"The wait for {name} ended after {took} because {failure(visit, facts)}"
    return "bad", f"The wait for {name} ended after {took}: {_failure(visit, facts)}"


def _success(visit: Visit, name: str, took: str) -> str:
    if visit.output.get("status") == MessageStatus.CONFIRMED:
        return f"The wait for {name} ended after {took} because the message was confirmed"
    if visit.output.get("attempt") in (None, visit.attempt):
        return f"{capital(name)} succeeded after {took}: {visit.output.get('status')}"
    other = channel(str(visit.output.get("channel")))
    return f"The wait for {name} ended after {took} because a late receipt from {other} arrived"


def _failure(visit: Visit, facts: MessageFacts) -> str:
    """An attempt that a receipt failed has that receipt's entry before, with the reason."""
    if visit.failure and visit.failure.error == "Failed":
        return "the attempt failed"
    return failure(visit, facts)
