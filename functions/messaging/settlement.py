"""What the status of an attempt means for its message, and which waiting states are answered.

A send, a receipt and the close of a message ask the same question: does this status decide the
attempt, and who must know? It is answered here only.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from messaging.domain.errors import Failed
from messaging.domain.messages import Attempt, MessageHistory, Outcome
from messaging.domain.statuses import AttemptStatus, fulfils
from messaging.ports import Clock, WaitingStates

if TYPE_CHECKING:
    from messaging.store import Store


def conclude(store: "Store", success: Attempt, at: datetime) -> Outcome:
    """The outcome of the attempt that delivered the message, which from now on is the message's.
    The function that recorded the success may have ended before it could do this.
    """
    outcome = success.outcome
    store.messages.update_status(outcome.message_id, outcome.status, at, channel=outcome.channel)
    return outcome


class Settlement:
    """Answers waiting states by what the store knows of their attempts."""

    def __init__(self, store: "Store", workflow: WaitingStates, now: Clock) -> None:
        self._store = store
        self._workflow = workflow
        self._now = now

    def settle(self, attempt: Attempt, history: MessageHistory | None = None) -> None:
        """Answers the attempt's state as its status decides; nothing while it is open.

        The history is read where it is not given and the attempt does not say what its step asks
        for: that is so for a receipt which is recorded before its send is.
        """
        if attempt.status is AttemptStatus.FAILED:
            self._workflow.fail(attempt.task_token, Failed, attempt.reason or "")
        elif self._fulfilled(attempt, history):
            self._succeed(attempt)

    def skip(self, attempt: Attempt, success: Attempt, *, unsent: bool) -> None:
        """Answers the attempt's state with the success of another attempt; an attempt that was not
        sent is recorded as skipped.
        """
        if unsent:
            reason = f"attempt {success.number} on {success.channel} succeeded"
            self._store.attempts.update_status(
                attempt.attempt_id, AttemptStatus.SKIPPED, self._now(), reason
            )
        outcome = conclude(self._store, success, self._now())
        self._workflow.succeed(attempt.task_token, outcome)

    def _fulfilled(self, attempt: Attempt, history: MessageHistory | None) -> bool:
        if attempt.success:
            return fulfils(attempt.status, attempt.success)
        message_id = attempt.attempt_id.message_id
        return (history or self._store.messages.history(message_id)).fulfilled(attempt)

    def _succeed(self, attempt: Attempt) -> None:
        """Ends the attempt's wait. If that is over already, the success is late, and ends the wait
        of the attempts after it; if not, there are none, because no later step begins while this
        one waits.

        A status is recorded before the history is read, and an attempt is claimed before it reads
        the history: one of the two sees the other.
        """
        outcome = conclude(self._store, attempt, self._now())
        if not self._workflow.succeed(attempt.task_token, outcome):
            history = self._store.messages.history(outcome.message_id)
            for waiting in history.waiting_after(attempt):
                self._workflow.succeed(waiting.task_token, outcome)
