"""What a message's caller does to it: confirms it, asks for its next step, or cancels it.

Each first writes the fact to the message, then reads the history, then answers the waiting states;
a send claims its attempt, then reads the history. So either the send finds the fact, or this finds
the task token. A repetition answers again: the first one may not have come so far.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from messaging.domain.errors import Advanced, Cancelled, InvalidRequest, Problem, Resend, TooLate
from messaging.domain.messages import (
    ADVANCED_BEFORE,
    CANCELLED_BEFORE,
    REQUESTED,
    Attempt,
    Message,
    MessageHistory,
)
from messaging.ports import Clock, WaitingStates

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from messaging.store import Store


@dataclass(frozen=True, slots=True)
class Control:
    """Confirms, advances and cancels messages. Every method raises `UnknownMessage`."""

    store: "Store"
    workflow: WaitingStates
    now: Clock
    log: "Logger"

    def confirm(self, message_id: str, *, by_check: str | None = None) -> tuple[Message, bool]:
        """The confirmed message, and whether this call confirmed it. Raises `TooLate` if it was
        rejected or its caller cancelled it.

        `by_check`: the check that found the code right; of several, `confirmed_by` of the message
        is the one that confirmed it. A code of ours is confirmed by a check only.
        """
        if by_check is None:
            self._require_own_code(message_id)
        message, new = self.store.messages.confirm(message_id, self.now(), by_check)
        if not message.confirmed:
            raise _too_late("confirmed", message)
        for attempt in self._history(message_id).waiting():
            self.workflow.succeed(attempt.task_token, attempt.confirmed_outcome)
        self.log.info("confirmed")
        return message, new

    def cancel(self, message_id: str, reason: str = CANCELLED_BEFORE) -> Message:
        """The cancelled message: nothing more is sent. A receipt of what had been sent may have
        raised its status since. Raises `TooLate` if it had ended, unless it has a code that can
        still be entered: that is cancelled, and the message remains as it ended.
        """
        message = self.store.messages.cancel(message_id, self.now(), reason, by_caller=True)
        if not message.cancelled_at:
            raise _too_late("cancelled", message)
        self._stop(message_id, reason)
        return message

    def use_up(self, message_id: str, reason: str) -> Message:
        """Ends a message whose code cannot be checked any more: as `cancel`, but a right check that
        was counted before still confirms it, and a message that had ended is not changed.
        """
        message = self.store.messages.cancel(message_id, self.now(), reason, by_caller=False)
        if message.cancelled:
            self._stop(message_id, reason)
        return message

    def advance(self, message_id: str, step: int, *, resend: bool = False) -> Message:
        """The message, whose steps up to this one are over: the next one begins. Raises `TooLate`
        if it had ended or if no step follows, `InvalidRequest` if the plan has no such step.

        `resend`: whether the limits of a verification's sends permitted this one; without them, a
        verification is not advanced.
        """
        message = self._history(message_id).message
        if message.verification and not resend:
            raise TooLate("the next send of a verification is a resend", message.status)
        _require_another_step(message, step)
        message = self.store.messages.advance(message_id, step + 1, self.now())
        if message.advanced_to <= step:
            raise _too_late("advanced", message)
        history = self._history(message_id)
        for attempt in history.waiting():
            self._advance(history, attempt)
        self.log.info("advanced", step=step)
        return message

    def _advance(self, history: MessageHistory, attempt: Attempt) -> None:
        if history.advanced_beyond(attempt):
            self.workflow.fail(attempt.task_token, Advanced, ADVANCED_BEFORE)
        elif attempt.waits_for_request and not history.not_requested(attempt):
            self.workflow.fail(attempt.task_token, Resend, REQUESTED)

    def _stop(self, message_id: str, reason: str) -> None:
        for attempt in self._history(message_id).waiting():
            self.workflow.fail(attempt.task_token, Cancelled, reason)
        self.log.info("cancelled", reason=reason)

    def _history(self, message_id: str) -> MessageHistory:
        return self.store.messages.history(message_id)

    def _require_own_code(self, message_id: str) -> None:
        message = self._history(message_id).message
        if message.verification and not message.verification.own_code:
            detail = "the message has a code of this service, which is confirmed by checking it"
            raise TooLate(detail, message.status)


def _require_another_step(message: Message, step: int) -> None:
    last = len(message.plan.steps)
    if not 1 <= step <= last:
        raise InvalidRequest([Problem("/step", f"is {step}; it must be from 1 to {last}")])
    if step == last:
        raise TooLate(f"step {step} is the last step of the message", message.status)


def _too_late(asked: str, message: Message) -> TooLate:
    return TooLate(f"the message cannot be {asked}, because it is {message.status}", message.status)
