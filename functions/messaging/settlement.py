"""What the status of an attempt means for its message, and which waiting states are answered.

The rule is defined once, for sends, for receipts and for the closing of a message.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from messaging.domain.errors import Failed
from messaging.domain.messages import Attempt, MessageHistory, Outcome
from messaging.domain.statuses import AttemptStatus, Success, fulfils
from messaging.ports import Clock, WaitingStates

if TYPE_CHECKING:
    from messaging.store import Store


def conclude(store: "Store", success: Attempt, at: datetime) -> Outcome:
    """The outcome of a successful attempt, after recording it for the message. The function that
    recorded the success may have failed before it could do this.
    """
    outcome = success.outcome
    store.messages.update_status(outcome.message_id, outcome.status, at, channel=outcome.channel)
    return outcome


class Settlement:
    """Answers waiting states according to the status of their attempts."""

    def __init__(self, store: "Store", workflow: WaitingStates, now: Clock) -> None:
        self._store = store
        self._workflow = workflow
        self._now = now

    def settle(self, attempt: Attempt, history: MessageHistory | None = None) -> None:
        """Answers the attempt's state according to its status; does nothing while it is open.

        The history is read if it is not given and the attempt has no `success`, as for a receipt
        that is recorded before its send.
        """
        if attempt.status is AttemptStatus.FAILED:
            self._workflow.fail(attempt.task_token, Failed, attempt.reason or "")
            return
        required = self._required(attempt, history)
        if required and fulfils(attempt.status, required):
            self._succeed(attempt)
        elif required is Success.CONFIRMED and attempt.reached:
            self._store.messages.close_as_delivered(
                attempt.attempt_id.message_id, self._now(), attempt.channel
            )

    def confirm(self, attempt: Attempt) -> None:
        """Answers the attempt's state: the message is confirmed."""
        self._workflow.succeed(attempt.task_token, attempt.confirmed_outcome)

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

    def _required(self, attempt: Attempt, history: MessageHistory | None) -> Success | None:
        """What the attempt's step requires; None for an attempt outside the plan."""
        if attempt.success:
            return attempt.success
        message_id = attempt.attempt_id.message_id
        plan = (history or self._store.messages.history(message_id)).message.plan
        return next((one.success for one in plan.attempts if one.number == attempt.number), None)

    def _succeed(self, attempt: Attempt) -> None:
        """Ends the attempt's wait. If the wait was already over, the success is late and ends the
        waits of later steps; otherwise there are none, because no later step begins while this one
        waits.

        A status is recorded, and an attempt claimed, before the history is read: of two concurrent
        functions at least one finds the other's change.
        """
        outcome = conclude(self._store, attempt, self._now())
        if not self._workflow.succeed(attempt.task_token, outcome):
            history = self._store.messages.history(outcome.message_id)
            for waiting in history.waiting_after(attempt):
                self._workflow.succeed(waiting.task_token, outcome)
