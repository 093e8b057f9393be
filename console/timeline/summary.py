"""The state of a message in one sentence."""

from typing import Final

from console.facts import MessageFacts
from console.plain import visible
from console.timeline.waits import awaited
from console.words import capital, channel, duration, listed, status
from messaging.domain.messages import Attempt
from messaging.domain.statuses import MessageStatus

ENDINGS: Final = {
    MessageStatus.UNDELIVERED: ("bad", "Undelivered: no channel succeeded"),
    MessageStatus.EXPIRED: ("warn", "Expired before any channel succeeded"),
    MessageStatus.REJECTED: ("bad", "Rejected"),
    MessageStatus.CANCELLED: ("quiet", "Cancelled"),
}


def summary(facts: MessageFacts) -> str:
    if facts.erased:
        return "This message was erased. The page shows what its execution history still contains."
    success = facts.history.success() if facts.history else None
    if success:
        return _delivery(facts, success)
    if facts.status == MessageStatus.CONFIRMED:
        return _confirmation(facts)
    if not facts.ended:
        waiting = [awaited(facts, one) for one in facts.sending.values() if not one.ended]
        return f"Waiting for {listed(waiting)}." if waiting else "In progress."
    if facts.history and facts.history.message.cancelled_at:
        return "Cancelled by the caller."
    unknown = "", capital(status(facts.status))
    ending = ENDINGS.get(MessageStatus(facts.status), unknown)[1]
    reason = facts.history.message.reason if facts.history else None
    return visible(f"{ending} ({reason})." if reason else f"{ending}.")


def _delivery(facts: MessageFacts, success: Attempt) -> str:
    after = duration((success.times[success.status] - facts.since).total_seconds())
    step, last = facts.plan.attempt(success.number).step, facts.plan.steps[-1].number
    return f"{success_text(facts)}, {after} after it was accepted, in step {step} of {last}."


def _confirmation(facts: MessageFacts) -> str:
    ended = facts.history.message.concluded_at if facts.history else None
    if ended is None:
        return f"{confirmation_text(facts)}."
    after = duration((ended - facts.since).total_seconds())
    return f"{confirmation_text(facts)}, {after} after it was accepted."


def confirmation_text(facts: MessageFacts) -> str:
    """Who confirmed the message."""
    if facts.checked_here:
        return "Approved: the code that was entered is right"
    return "Confirmed by the caller"


def success_text(facts: MessageFacts) -> str:
    """`Delivered by SMS`."""
    success = facts.history.success() if facts.history else None
    text = capital(str(facts.status))
    if success is None:
        return text
    late = ", late" if facts.history and facts.history.late(success) else ""
    return f"{text} by {channel(success.channel)}{late}"
