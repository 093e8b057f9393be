"""How the message and its execution ended, and which steps did not run."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from console.facts import MessageFacts
from console.timeline.arrival import planned_at
from console.timeline.entries import DraftEntry
from console.timeline.steps import step_name, steps_name
from console.timeline.summary import ENDINGS, confirmation_text, success_text
from console.words import channel
from messaging.domain.messages import NOT_CONFIRMED, NOT_REQUESTED, Message
from messaging.domain.statuses import MessageStatus

EXECUTION_ENDINGS: Final = {
    "SUCCEEDED": ("quiet", "The execution succeeded"),
    "FAILED": ("bad", "The execution failed"),
    "ABORTED": ("bad", "The execution was stopped"),
    "TIMED_OUT": ("bad", "The execution timed out"),
}


def ending(facts: MessageFacts) -> Iterator[DraftEntry]:
    yield from _message_end(facts)
    execution = facts.execution
    if execution and execution.status and execution.ended_at:
        tone, text = EXECUTION_ENDINGS[execution.status]
        # That is what its caller asked for.
        tone = "quiet" if execution.error == "Cancelled" else tone
        text = f"{text}: {execution.error}" if execution.error else text
        known = facts.history is not None and facts.history.message.problems
        yield DraftEntry(execution.ended_at, tone, text, None if known else execution.cause)
    yield from _steps_not_run(facts)


def _message_end(facts: MessageFacts) -> Iterator[DraftEntry]:
    if facts.history is None:
        return
    message = facts.history.message
    if message.problems:
        problems = "; ".join(f"{one['pointer']} {one['detail']}" for one in message.problems)
        yield DraftEntry(planned_at(facts), "bad", "Rejected: the request is invalid", problems)
    # A cancellation by the caller is told as its request.
    told = message.status is MessageStatus.CANCELLED and message.cancelled_at
    if message.concluded_at and not told:
        tone, text = _end(facts, message)
        yield DraftEntry(message.concluded_at, tone, text, message.reason)


def _end(facts: MessageFacts, message: Message) -> tuple[str, str]:
    if message.confirmed:
        return "good", confirmation_text(facts)
    good = "warn" if message.reason == NOT_CONFIRMED else "good"
    return ENDINGS.get(message.status, (good, success_text(facts)))


def _steps_not_run(facts: MessageFacts) -> Iterator[DraftEntry]:
    if not facts.ended or facts.history is None:
        return
    made = {attempt.number for attempt in facts.attempts}
    not_run = [
        step for step in facts.plan.steps if not made & {one.number for one in step.attempts}
    ]
    for step in not_run:
        if not step.on_request:
            yield _not_run(facts, step_name(step), _reason(facts))
    if on_request := [step for step in not_run if step.on_request]:
        yield _not_run(facts, steps_name(on_request), NOT_REQUESTED)


def _not_run(facts: MessageFacts, name: str, reason: str) -> DraftEntry:
    return DraftEntry(_ended_at(facts), "quiet", f"{name} did not run: {reason}")


def _reason(facts: MessageFacts) -> str:
    if facts.status in {MessageStatus.CONFIRMED, MessageStatus.CANCELLED}:
        return f"the message was {facts.status}"
    success = facts.history.success() if facts.history else None
    if success:
        return f"{channel(success.channel)} had already succeeded"
    if facts.status == MessageStatus.EXPIRED:
        return "the message had expired"
    reason = facts.history.message.reason if facts.history else None
    return reason or "the execution had ended"


def _ended_at(facts: MessageFacts) -> datetime:
    ends = [facts.execution.ended_at if facts.execution else None]
    if facts.history:
        ends.append(facts.history.message.concluded_at)
    return max((one for one in ends if one), default=facts.since)
