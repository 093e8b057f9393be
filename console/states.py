"""How many states of the workflow a message has entered, by what its store has of it."""

from typing import Final

from messaging.domain.messages import Attempt, MessageHistory
from messaging.domain.statuses import MessageStatus

# Choose channel, Plan message, Choose channel, Invalid request.
REJECTED: Final = 4
# Fall back, Close message, How did it end?, Undelivered; an expired one does not fall back.
ENDS: Final = {MessageStatus.UNDELIVERED: 4, MessageStatus.EXPIRED: 3}
# Broadcast and, in each of three branches, what asks for the channel and what follows from that.
BROADCAST: Final = 7
# Anyone reached?, and Reached where it is so.
ASKED: Final = 1


def states_entered(story: MessageHistory) -> int:
    """Without what the store does not tell: a state that was tried again, the two more of a direct
    start, and the end of one that was reached after it.
    """
    if story.message.status is MessageStatus.REJECTED:
        return REJECTED
    steps: dict[int, list[Attempt]] = {}
    for attempt in story.attempts:
        steps.setdefault(story.step(attempt), []).append(attempt)
    entered = sum(_entered(story, step, attempts) for step, attempts in steps.items())
    # Choose channel before the first step, Fall back before each other one.
    return max(1, len(steps)) + entered + ENDS.get(story.message.status, 0)


def _entered(story: MessageHistory, step: int, attempts: list[Attempt]) -> int:
    if not story.message.request["steps"][step - 1].get("broadcast"):
        return 1
    reached = any(story.fulfilled(one) for one in attempts)
    missed = sum(not story.fulfilled(one) for one in attempts)
    return BROADCAST + missed + ASKED + reached
