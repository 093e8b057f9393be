"""Turns a valid request into a message: stores it and queues it for its execution."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from messaging.domain.errors import NotQueued, Problem, UnknownMessage
from messaging.domain.messages import AttemptId, Message
from messaging.domain.plan import Plan
from messaging.domain.route import Node, route
from messaging.domain.statuses import MessageStatus
from messaging.ports import Clock, RequestsQueue

if TYPE_CHECKING:
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from messaging.store import Store
    from messaging.store.idempotency import Reservation

# Longer than the timeout of the function that holds it: when it expires, that function has ended.
LOCK = timedelta(seconds=60)
NOT_QUEUED = "the request could not be queued"


@dataclass(frozen=True, slots=True)
class Intake:
    """Stores messages and plans their routes. `channels` are all that a route may name."""

    store: "Store"
    channels: Sequence[str]
    now: Clock
    log: "Logger"

    def plan(self, message: Message, request: Mapping[str, Any]) -> tuple[Message, Node]:
        """The message as it is stored, and its route. Idempotent: the message that was stored
        first remains.
        """
        if not self.store.messages.add(message, request):
            message = self.store.messages.history(message.message_id).message
        return message, route(message.message_id, message.plan, self.channels)

    def reject(self, message_id: str, at: "datetime", problems: Sequence[Problem]) -> None:
        """Stores the message as rejected, with the problems of its request."""
        listed = tuple(one.document for one in problems)
        self.store.messages.add(
            Message(message_id, at, Plan(), status=MessageStatus.REJECTED, problems=listed)
        )

    def accept(self, message: Message, request: Mapping[str, Any], queue: RequestsQueue) -> Message:
        """The message, now queued. Raises `NotQueued` after closing the message: then nothing will
        be sent. A repeated call delivers nothing twice, because the execution is named after the
        message.
        """
        message, node = self.plan(message, request)
        try:
            queue.put(json.dumps(node), {"message_id": message.message_id})
        except NotQueued:
            self._close_unqueued(message)
        self.log.debug("message accepted", message_id=message.message_id)
        return message

    def queue_again(self, message: Message, queue: RequestsQueue) -> None:
        """Queues a stored message whose first caller may have ended before it did. Raises
        `NotQueued`; the message may be queued all the same.
        """
        node = route(message.message_id, message.plan, self.channels)
        queue.put(json.dumps(node), {"message_id": message.message_id})

    def _close_unqueued(self, message: Message) -> None:
        """The queue may have the request although it did not confirm it, and the execution may run.
        The first attempt decides: if it is blocked here, nothing will be sent; if the execution has
        claimed it, the message was queued.
        """
        message_id, first = message.message_id, message.plan.attempts[0]
        attempt_id = AttemptId(message_id, first.number)
        if not self.store.attempts.block(attempt_id, first.channel, self.now(), NOT_QUEUED):
            return
        self.store.messages.update_status(
            message_id, MessageStatus.UNDELIVERED, self.now(), reason=NOT_QUEUED
        )
        self.log.warning("request not queued, message closed", message_id=message_id)
        raise NotQueued(NOT_QUEUED)

    def _close_if_blocked(self, message_id: str) -> None:
        """Closes a message whose previous caller had blocked it and ended before it could do so."""
        try:
            history = self.store.messages.history(message_id)
        except UnknownMessage:
            return
        if any(attempt.reason == NOT_QUEUED for attempt in history.attempts):
            self._close_unqueued(history.message)

    def reserve(self, key: str, fingerprint: str, message: Message) -> "Reservation":
        """Reserves the idempotency key for the message, or returns the message that has it."""
        return self.store.idempotency.reserve(
            key, fingerprint, message.message_id, message.accepted_at, LOCK
        )

    def accept_reserved(
        self,
        key: str,
        message: Message,
        reservation: "Reservation",
        request: Mapping[str, Any],
        queue: RequestsQueue,
    ) -> Message:
        """As `accept`, for a message with a reserved key. The key is released if the message could
        not be queued.
        """
        mine = replace(message, message_id=reservation.message_id)
        try:
            if mine.message_id != message.message_id:
                self._close_if_blocked(mine.message_id)
            accepted = self.accept(mine, request, queue)
        except NotQueued:
            self.store.idempotency.free(key, mine.message_id, self.now())
            raise
        self.store.idempotency.finish(key)
        return accepted
