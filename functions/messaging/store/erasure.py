"""Erases a message on request. No Lambda function has the permission to delete."""

from collections.abc import Iterator

from messaging.domain.errors import UnknownMessage
from messaging.store.table import Key, Table, key_of

_TOMBSTONE = "tombstone"


class Erasure:
    """Erases messages and records which were erased."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def erase(self, message_id: str) -> int:
        """The number of items that were erased: the message and every item that refers to it. Only
        its id remains, for as long as the message would have been kept, so that a late receipt is
        recognized. Raises `UnknownMessage`. Reads the whole table.
        """
        items = list(self._table.query(message_id, "attempt", "receipt#~"))
        message = next((item for item in items if item["sk"] == "message"), None)
        if message is None:
            raise UnknownMessage(message_id)
        retained_until = message.get("retained_until")
        self._table.put(
            Key(message_id, _TOMBSTONE),
            {"retained_until": None if retained_until is None else int(retained_until)},
        )
        # The message itself is deleted last: an erasure that was interrupted can be repeated.
        keys = [*self._leading_to(message_id), *map(key_of, items)]
        for key in sorted(keys, key=lambda key: key == key_of(message)):
            self._table.delete(key)
        return len(keys)

    def was_erased(self, message_id: str) -> bool:
        return bool(self._table.get(Key(message_id, _TOMBSTONE)))

    def _leading_to(self, message_id: str) -> Iterator[Key]:
        """The keys of the provider ids and of the idempotency key that refer to this message."""
        items = self._table.pages(
            "scan",
            ConsistentRead=True,
            FilterExpression="message_id = :id OR begins_with(attempt_id, :its)",
            ExpressionAttributeValues={":id": {"S": message_id}, ":its": {"S": f"{message_id}."}},
            ProjectionExpression="pk, sk",
        )
        return map(key_of, items)
