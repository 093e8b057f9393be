"""How many states of the workflow a message has entered, computed from the store."""

from typing import Final

from messaging.channels.catalog import channels
from messaging.domain.messages import NOT_CONFIRMED, Attempt, MessageHistory
from messaging.domain.plan import PlannedStep
from messaging.domain.statuses import OVER, MessageStatus

# Choose channel, Plan message, Choose channel, Invalid request.
REJECTED: Final = 4
# Fall back, Close message, How did it end?, Undelivered; an expired message does not fall back, and
# a cancelled one ends at once.
ENDS: Final = {
    MessageStatus.UNDELIVERED: 4,
    MessageStatus.EXPIRED: 3,
    MessageStatus.CANCELLED: 1,
}
# In each branch of a broadcast: the Choice whether the channel is requested, and the state it leads
# to.
BRANCH: Final = 2


def states_entered(history: MessageHistory) -> int:
    """Without what the store does not record: retries, the two additional states of a direct start,
    and the last states of a message that was delivered after they were entered.
    """
    if history.message.status is MessageStatus.REJECTED:
        return REJECTED
    started = [
        (step, [one for one in history.attempts if history.step(one) == step.number])
        for step in history.message.plan.steps
    ]
    entered = [_entered(history, step, attempts) for step, attempts in started if attempts]
    # Choose channel before the first step, Fall back before each other one.
    return max(1, len(entered)) + sum(entered) + ENDS.get(_end(history), 0)


def _end(history: MessageHistory) -> MessageStatus:
    """A message that was delivered and not confirmed ends as one that was not delivered."""
    unconfirmed = history.message.reason == NOT_CONFIRMED
    return MessageStatus.UNDELIVERED if unconfirmed else history.message.status


def _entered(history: MessageHistory, step: PlannedStep, attempts: list[Attempt]) -> int:
    if not step.broadcast:
        return 1
    reached = [one for one in attempts if _succeeded(history, one)]
    missed = len(attempts) - len(reached)
    # Broadcast, its branches, Anyone reached?, and Reached or Confirmed if that is so.
    return 1 + BRANCH * len(channels()) + missed + 1 + bool(reached)


def _succeeded(history: MessageHistory, attempt: Attempt) -> bool:
    """Whether its state did, as those that wait do when the message is confirmed."""
    confirmed = history.message.confirmed and attempt.status not in OVER
    return confirmed or history.fulfilled(attempt)
