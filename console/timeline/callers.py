"""What the caller of the message asked for: the next step, a resend, a check, a cancellation."""

from collections.abc import Iterator

from console.facts import MessageFacts
from console.timeline.entries import DraftEntry
from console.timeline.steps import step_name
from console.words import small


def callers_requests(facts: MessageFacts) -> Iterator[DraftEntry]:
    if facts.history is None:
        return
    message = facts.history.message
    steps = {step.number: step for step in facts.plan.steps}
    what = "another send of the code" if facts.checked_here else "the next step"
    for number, at in message.advances.items():
        step = small(step_name(steps[number]))
        yield DraftEntry(at, "live", f"The caller requested {what}: {step}")
    for number, at in enumerate(message.check_times, 1):
        most = message.verification.max_checks if message.verification else number
        yield DraftEntry(at, "live", f"A code was entered: check {number} of {most}")
    if message.cancelled_at:
        yield DraftEntry(message.cancelled_at, "warn", "Cancelled by the caller")
