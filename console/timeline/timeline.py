"""The whole timeline, put together from its parts."""

from console.facts import MessageFacts
from console.timeline.arrival import arrival
from console.timeline.attempts import attempts
from console.timeline.callers import callers_requests
from console.timeline.ending import ending
from console.timeline.entries import TimelineEntry
from console.timeline.receipts import receipts
from console.timeline.retries import retries
from console.timeline.steps import steps
from console.timeline.waits import ended_waits, open_waits
from console.words import MINUTE, duration


def timeline(facts: MessageFacts) -> list[TimelineEntry]:
    """Everything that happened, in chronological order, and last what the message waits for."""
    past = (
        *arrival(facts),
        *callers_requests(facts),
        *retries(facts),
        *ended_waits(facts),
        *steps(facts),
        *attempts(facts),
        *receipts(facts),
        *ending(facts),
    )
    drafts = (*sorted(past, key=lambda one: one.at), *open_waits(facts))
    return [one.entry(facts.since) for one in drafts]


def elapsed(seconds: float) -> str:
    """Since the message was accepted; to the millisecond within the first minute."""
    return f"+{seconds:.3f} s" if seconds < MINUTE else f"+{duration(seconds)}"
