"""The failed runs after which a state retries."""

from collections.abc import Iterator

from console.execution import THROTTLED, Condition, TaskRun
from console.facts import MessageFacts
from console.timeline.entries import DraftEntry
from console.words import capital, channel


def retries(facts: MessageFacts) -> Iterator[DraftEntry]:
    for visit in facts.sending.values():
        retried = visit.runs if visit.condition is Condition.RETRYING else visit.runs[:-1]
        for number, run in enumerate(retried, 1):
            at, name = run.ended_at or run.at, channel(visit.channel)
            if run.error == "Resend":
                text = f"The state of {name} ran again because a resend was requested"
                yield DraftEntry(at, "live", text)
                continue
            text = f"{_failure(run, name)}; the state retries"
            yield DraftEntry(at, "warn", text, f"try {number}: {_error(run)}")


def _error(run: TaskRun) -> str:
    return run.cause if run.error == "Unavailable" else f"{run.error} {run.cause}".strip()


def _failure(run: TaskRun, name: str) -> str:
    """A function that failed may have sent the message; a retry never sends it again."""
    if run.error == THROTTLED:
        return f"Lambda throttled the function and nothing was sent by {name}"
    if run.error == "Unavailable":
        return f"{capital(name)} was unavailable and nothing was sent"
    return f"The function failed while sending by {name}"
