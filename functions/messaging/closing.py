"""Closes a message that no step delivered in time."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from messaging.domain.messages import (
    ADVANCED_BEFORE,
    CONFIRMED_BEFORE,
    NOT_CONFIRMED,
    NOT_REQUESTED,
    Message,
    MessageHistory,
    Outcome,
)
from messaging.domain.plan import Plan
from messaging.domain.statuses import (
    ENDED_EXECUTION,
    FINAL,
    AttemptStatus,
    MessageStatus,
)
from messaging.ports import Clock
from messaging.settlement import conclude

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from messaging.store import Store


_SKIPPED_BY_CALLER = (ADVANCED_BEFORE, NOT_REQUESTED)


@dataclass(frozen=True, slots=True)
class Closed:
    """How a message ended, and why."""

    message_id: str
    status: MessageStatus
    cause: str


@dataclass(frozen=True, slots=True)
class Closing:
    """Closes messages."""

    store: "Store"
    now: Clock
    log: "Logger"

    def close(self, message_id: str, reason: str | None = None) -> Outcome | Closed:
        """The outcome of a confirmed message or of an attempt that succeeded late, otherwise the
        final status and its cause.

        The message is closed before its attempts: a function that claims an attempt afterwards
        finds the message closed.
        """
        history = self.store.messages.history(message_id)
        if not (_succeeded(history) or history.message.cancelled):
            history = self._close(history, reason)
        if history.message.confirmed:
            return self._confirmed(history)
        if success := history.success():
            self.log.info("delivered late", attempt=success.number)
            return conclude(self.store, success, self.now())
        status = history.message.status
        self.log.info("message closed", status=status, reason=reason)
        if history.message.reason == NOT_CONFIRMED:
            reason = NOT_CONFIRMED
        return Closed(message_id, status, reason or _cause(history))

    def _close(self, history: MessageHistory, reason: str | None) -> MessageHistory:
        """A delivery that is found after the message was closed raises its status. What was sent
        before the message was cancelled keeps its status.
        """
        message_id = history.message.message_id
        status, why = _ending(history, reason)
        self.store.messages.update_status(message_id, status, self.now(), reason=why)
        closed = self.store.messages.history(message_id)
        if _succeeded(closed) or closed.message.cancelled:
            return closed
        if reached := closed.unconfirmed():
            message = self.store.messages.close_as_delivered(
                message_id, self.now(), reached.channel
            )
            closed = replace(closed, message=message)
        return self._timed_out(closed, reason)

    def _confirmed(self, history: MessageHistory) -> Outcome | Closed:
        self.log.info("message is confirmed")
        if not history.attempts:
            return Closed(history.message.message_id, history.message.status, CONFIRMED_BEFORE)
        return history.attempts[-1].confirmed_outcome

    def close_after_execution(
        self, message_id: str, execution_status: str, started_at: datetime
    ) -> Outcome | Closed:
        """As `close`, for an execution that has ended. A message that the workflow has closed is
        not changed: its execution ends as failed as well.
        """
        reason = ENDED_EXECUTION[execution_status]
        # The store has no message if the execution ended before it stored its request.
        unplanned = Message(
            message_id, started_at, Plan(), status=MessageStatus.UNDELIVERED, reason=reason
        )
        if self.store.messages.add(unplanned):
            self.log.warning("message closed before it was planned", reason=reason)
            return Closed(message_id, MessageStatus.UNDELIVERED, reason)
        history = self.store.messages.history(message_id)
        if history.message.status in FINAL and not history.open_attempts():
            return Closed(message_id, history.message.status, reason)
        return self.close(message_id, reason)

    def _timed_out(self, history: MessageHistory, reason: str | None) -> MessageHistory:
        still_open = history.open_attempts()
        attempts = (
            self.store.attempts.time_out(one, self.now(), reason) if one in still_open else one
            for one in history.attempts
        )
        return replace(history, attempts=tuple(attempts))


def _succeeded(history: MessageHistory) -> bool:
    return history.message.confirmed or history.success() is not None


def _ending(history: MessageHistory, reason: str | None) -> tuple[MessageStatus, str | None]:
    """The status with which the message is closed, and why."""
    if history.unconfirmed():
        return MessageStatus.DELIVERED, NOT_CONFIRMED
    skipped = (one for one in history.attempts if one.status is AttemptStatus.SKIPPED)
    expired = any(one.reason not in _SKIPPED_BY_CALLER for one in skipped)
    return MessageStatus.EXPIRED if expired else MessageStatus.UNDELIVERED, reason


def _cause(history: MessageHistory) -> str:
    ends = (f"{one.channel}: {one.status} {one.reason or ''}".strip() for one in history.attempts)
    return "; ".join(ends) or "nothing was sent"
