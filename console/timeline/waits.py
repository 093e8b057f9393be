"""What the message waits for, and what ended each wait."""

from collections.abc import Iterator

from console.execution import Condition, Visit
from console.facts import MessageFacts
from console.timeline.entries import DraftEntry
from console.timeline.steps import failure
from console.words import capital, channel, duration


def open_waits(facts: MessageFacts) -> Iterator[DraftEntry]:
    for visit in facts.sending.values():
        if not visit.ended:
            text = f"Waiting for a receipt from {channel(visit.channel)},"
            yield DraftEntry(visit.runs[-1].at, "live", text, until=visit.until)


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
    return "bad", f"The wait for {name} ended after {took}: {_failure(visit, facts)}"


def _success(visit: Visit, name: str, took: str) -> str:
    if visit.output.get("attempt") in (None, visit.attempt):
        return f"{capital(name)} succeeded after {took}: {visit.output.get('status')}"
    other = channel(str(visit.output.get("channel")))
    return f"The wait for {name} ended after {took} because a late receipt from {other} arrived"


def _failure(visit: Visit, facts: MessageFacts) -> str:
    """An attempt that a receipt failed has that receipt's entry before, with the reason."""
    if visit.failure and visit.failure.error == "Failed":
        return "the attempt failed"
    return failure(visit, facts)
