"""Idempotency keys: which message a key created, for 24 hours."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from messaging.store.table import Item, Key, Table, epoch, key_of, timestamp

IDEMPOTENCY_HOURS = 24


class Reserved(Enum):
    """The outcome of reserving an idempotency key."""

    ACQUIRED = "acquired"
    DONE = "done"
    IN_PROGRESS = "in progress"
    OTHER_BODY = "other body"


@dataclass(frozen=True, slots=True)
class Reservation:
    message_id: str
    state: Reserved


class IdempotencyKeys:
    """The idempotency keys in the table; callers pass each as its hash."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def reserve(
        self, key: str, fingerprint: str, message_id: str, now: datetime, lock: timedelta
    ) -> Reservation:
        """Reserves the key for a message with this id, or returns the message that has it.

        A caller that fails between `reserve` and `finish` leaves the key locked until `lock` is
        over; the next caller then continues with the same message id, so that nothing is sent
        twice.
        """
        item = {
            "message_id": message_id,
            "fingerprint": fingerprint,
            "locked_until": timestamp(now + lock),
            "retained_until": epoch(now + timedelta(hours=IDEMPOTENCY_HOURS)),
        }
        if self._table.put_new(_key(key), item, expired_at=now):
            return Reservation(message_id, Reserved.ACQUIRED)
        held = self._table.get(_key(key))
        # The SDK repeated the call because its response was lost.
        if held["message_id"] == message_id:
            return Reservation(message_id, Reserved.ACQUIRED)
        return self._held(held, fingerprint, now, lock)

    def _held(self, held: Item, fingerprint: str, now: datetime, lock: timedelta) -> Reservation:
        if held["fingerprint"] != fingerprint:
            return Reservation(held["message_id"], Reserved.OTHER_BODY)
        if "locked_until" not in held:
            return Reservation(held["message_id"], Reserved.DONE)
        taken = held["locked_until"] <= timestamp(now) and self._take_over(held, now + lock)
        return Reservation(held["message_id"], Reserved.ACQUIRED if taken else Reserved.IN_PROGRESS)

    def _take_over(self, held: Item, until: datetime) -> bool:
        try:
            self._table.update(
                key_of(held),
                {"locked_until": timestamp(until)},
                condition="locked_until = :was",
                values={":was": held["locked_until"]},
            )
        except self._table.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def finish(self, key: str) -> None:
        """The request with this key is queued: from now on the key returns the same response."""
        self._table.update(_key(key), {}, remove=("locked_until",))

    def free(self, key: str, message_id: str, now: datetime) -> None:
        """The request with this key could not be queued: the next one creates its own message. A
        key that another message has taken over is not changed.
        """
        try:
            self._table.update(
                _key(key),
                {"retained_until": epoch(now)},
                condition="message_id = :mine AND attribute_exists(locked_until)",
                values={":mine": message_id},
            )
        except self._table.client.exceptions.ConditionalCheckFailedException:
            return


def _key(key: str) -> Key:
    return Key(f"idempotency#{key}", "request")
