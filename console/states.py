"""How many states of the workflow a message has entered, computed from the store."""

from typing import Final

from messaging.channels.catalog import channels
from messaging.domain.messages import Attempt, MessageHistory
from messaging.domain.plan import PlannedStep
from messaging.domain.statuses import MessageStatus

# Choose channel, Plan message, Choose channel, Invalid request.
REJECTED: Final = 4
# Fall back, Close message, How did it end?, Undelivered; an expired message does not fall back.
ENDS: Final = {MessageStatus.UNDELIVERED: 4, MessageStatus.EXPIRED: 3}
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
    return max(1, len(entered)) + sum(entered) + ENDS.get(history.message.status, 0)


def _entered(history: MessageHistory, step: PlannedStep, attempts: list[Attempt]) -> int:
    if not step.broadcast:
        return 1
    reached = any(history.fulfilled(one) for one in attempts)
    missed = sum(not history.fulfilled(one) for one in attempts)
    # Broadcast, its branches, Anyone reached?, and Reached if that is so.
    return 1 + BRANCH * len(channels()) + missed + 1 + reached
