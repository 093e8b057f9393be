"""What became of each attempt, as far as neither a receipt nor the workflow reports it."""

from collections.abc import Iterator
from typing import Final

from console.facts import MessageFacts
from console.timeline.entries import DraftEntry
from console.words import capital, channel, status
from messaging.domain.messages import CAME_TOO_LATE, Attempt
from messaging.domain.statuses import AttemptStatus, ReceiptKind

# The kinds of receipt that report the same as an attempt's status.
_REPORTED_BY: Final = {
    AttemptStatus.DELIVERED: {ReceiptKind.DELIVERED, ReceiptKind.CARRIER_ACCEPTED},
    AttemptStatus.READ: {ReceiptKind.READ},
    AttemptStatus.UNCONFIRMED: {ReceiptKind.UNCONFIRMED, ReceiptKind.CARRIER_ACCEPTED},
    AttemptStatus.FAILED: {ReceiptKind.FAILED},
}


def attempts(facts: MessageFacts) -> Iterator[DraftEntry]:
    for attempt in facts.attempts:
        name = channel(attempt.channel)
        if attempt.waits_for_request:
            yield DraftEntry(attempt.claimed_at, "quiet", f"Not sent by {name}: {attempt.reason}")
            continue
        if AttemptStatus.SKIPPED in attempt.times or _never_sent(attempt):
            yield from _not_sent(attempt, name)
            continue
        text = f"Attempt {attempt.number} sent to {name}"
        yield DraftEntry(attempt.claimed_at, "quiet", text, _uncertainty(facts, attempt))
        yield from _statuses(facts, attempt, name)


def _uncertainty(facts: MessageFacts, attempt: Attempt) -> str | None:
    """Why it is unknown whether the provider accepted it, until a receipt shows it."""
    undecided = attempt.status in {AttemptStatus.SENDING, AttemptStatus.TIMED_OUT}
    if attempt.provider_id or attempt.released or not undecided or not attempt.reason:
        return None
    if facts.history and attempt.reason == facts.history.message.reason:
        return None
    return f"the provider may have accepted it, only a receipt can confirm it: {attempt.reason}"


def _never_sent(attempt: Attempt) -> bool:
    """Its wait ended before its function ran, or while its provider was busy."""
    return (attempt.reason or "").startswith(CAME_TOO_LATE)


def _not_sent(attempt: Attempt, name: str) -> Iterator[DraftEntry]:
    for which in (AttemptStatus.SKIPPED, AttemptStatus.TIMED_OUT, AttemptStatus.FAILED):
        if which in attempt.times:
            text = f"Not sent by {name}: {attempt.reason or status(which)}"
            yield DraftEntry(attempt.times[which], "quiet", text)


def _statuses(facts: MessageFacts, attempt: Attempt, name: str) -> Iterator[DraftEntry]:
    kinds = {one["kind"] for one in facts.receipts if one.get("attempt") == attempt.number}
    for which, at in attempt.times.items():
        if kinds & _REPORTED_BY.get(AttemptStatus(which), set()):
            continue
        if which == AttemptStatus.SENT:
            yield DraftEntry(
                at, "quiet", f"{capital(name)} accepted the message", attempt.provider_id
            )
        elif attempt.number not in facts.sending:
            reason = attempt.reason if which == attempt.status else None
            yield DraftEntry(at, "quiet", f"{capital(name)}: {status(which)}", reason)
