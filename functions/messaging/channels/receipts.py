"""Reads a provider's event with the parser of its format."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from messaging import channels
from messaging.channels.reading import EventItem, each
from messaging.domain.messages import SetupMessage, UnreadableReceipt

Event = Mapping[str, Any]
Format = tuple[Callable[[Event], bool], Callable[[Event], Iterable[EventItem]]]

# What Amazon SES publishes, as plain text, when an event destination is created; it is not
# documented (django-anymail, tests/test_amazon_ses_webhooks.py, quotes a captured one).
_SETUP = "Successfully validated SNS topic for Amazon SES event publishing."


@cache
def formats() -> tuple[Format, ...]:
    """Each format: whether an event has it, and its parser. A channel's `receipts` lists its own
    formats; an event has one at most.
    """
    found: list[Format] = []
    for module in iter_modules(channels.__path__):
        if module.ispkg:
            found += import_module(f"{channels.__name__}.{module.name}.receipts").FORMATS
    return tuple(found)


def parse(text: str, published_at: str | None = None) -> tuple[EventItem, ...]:
    """The receipts in one provider event, and an `UnreadableReceipt` for each part of it that is
    not of its format. `published_at`: SNS's time, for a format that has none of its own.
    """
    return tuple(each([text], partial(_event, published_at)))


def _event(published_at: str | None, text: str) -> Iterable[EventItem]:
    if text.strip() == _SETUP:
        return (SetupMessage(),)
    event = json.loads(text)
    event = {"published_at": published_at, **event.get("detail", event)}  # EventBridge wraps it
    for matches, parser in formats():
        if matches(event):
            return parser(event)
    return (UnreadableReceipt("unknown format"),)
