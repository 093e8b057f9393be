"""Reads the items of a provider's event one by one: a bad item does not affect the others."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from typing import Any

from messaging.domain.messages import Receipt, SetupMessage, UnreadableReceipt

EventItem = Receipt | UnreadableReceipt | SetupMessage

# What reading an item raises if it is not of its format: a field is missing, has another type, or
# has a value that is out of range. RecursionError: JSON that is nested too deep.
_NOT_OF_ITS_FORMAT = (
    *(LookupError, TypeError, ValueError, AttributeError),
    *(OverflowError, OSError, RecursionError),
)
# The word and the key of a receipt share a sort key of at most 1,024 bytes (DynamoDB: "Quotas").
MAX_BYTES = 400


def each(items: object, read: Callable[[Any], Iterable[EventItem]]) -> Iterator[EventItem]:
    """What `read` returns for each item of a list; an item that is not of its format becomes an
    `UnreadableReceipt`. None is an empty list, as providers write it too.
    """
    if items is not None and not isinstance(items, list):
        yield UnreadableReceipt("not a list")
        return
    for item in items or ():
        try:
            yield from map(_checked, read(item))
        except _NOT_OF_ITS_FORMAT as error:
            yield UnreadableReceipt(_reason(error))


def _checked(item: EventItem) -> EventItem:
    """The item, if the store can hold it; the type hints do not check what a provider wrote."""
    if isinstance(item, Receipt):
        ids = [one for one in (item.provider_id, item.wamid) if one is not None]
        # A lone surrogate cannot be encoded, nor what is not a text.
        if any(len(one.encode()) > MAX_BYTES for one in (item.word, item.key, *ids)):
            raise ValueError("an id is too long")
        (item.reason or "").encode()
        if item.occurred_at.tzinfo is None:
            raise ValueError("a time has no time zone")
        item.occurred_at.astimezone(UTC)
    return item


def _reason(error: Exception) -> str:
    """Without values of the event: an error's text may quote an address."""
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return f"not of its format ({type(error).__name__})"
