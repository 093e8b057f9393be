"""A checked request becomes a message: stored, and queued for its execution."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from messaging.domain.errors import NotQueued, Problem
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

# Longer than the function may run that holds it, so that a later caller finds the request
# finished or abandoned.
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
        """The message as it is stored, and its route. Doing it again changes nothing: the message
        that was stored first remains.
        """
        if not self.store.messages.add(message, request):
            message = self.store.messages.history(message.message_id).message
        return message, route(message.message_id, message.plan, self.channels)

    def reject(self, message_id: str, at: "datetime", problems: Sequence[Problem]) -> None:
        """Stores that the request of this message is invalid, and why."""
        listed = tuple(one.document for one in problems)
        self.store.messages.add(
            Message(message_id, at, Plan(), status=MessageStatus.REJECTED, problems=listed)
        )

    def accept(self, message: Message, request: Mapping[str, Any], queue: RequestsQueue) -> Message:
        """The message, now queued. Raises `NotQueued`: then the message is closed, and nothing will
        be sent of it. Doing it again delivers nothing twice, because the execution is named after
        the message.
        """
        message, node = self.plan(message, request)
        try:
            queue.put(json.dumps(node), {"message_id": message.message_id})
        except NotQueued:
            self._close_unqueued(message)
        self.log.info("message accepted", message_id=message.message_id)
        return message

    def _close_unqueued(self, message: Message) -> None:
        """A queue that did not confirm the request may have it all the same, and its execution may
        run. Whether it does is decided by who has the first attempt: this, and then nothing is ever
        sent; or the execution, and then the message was queued.
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

    def reserve(self, key: str, fingerprint: str, message: Message) -> "Reservation":
        """Takes the idempotency key for the message, or says which message has it."""
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
        """As `accept`, under a key that was reserved for it. A message that could not be queued
        leaves its key free.
        """
        mine = replace(message, message_id=reservation.message_id)
        try:
            accepted = self.accept(mine, request, queue)
        except NotQueued:
            self.store.idempotency.free(key, mine.message_id, self.now())
            raise
        self.store.idempotency.finish(key)
        return accepted
