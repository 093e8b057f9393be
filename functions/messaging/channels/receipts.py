"""Reads a provider's event with the parser of its format."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from messaging import channels
from messaging.domain.messages import Receipt

Event = Mapping[str, Any]
Format = tuple[Callable[[Event], bool], Callable[[Event], tuple[Receipt, ...]]]


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


def parse(text: str) -> tuple[Receipt, ...]:
    """The receipts in one provider event, none if its format is unknown.

    Raises ValueError if the text is not a JSON object.
    """
    event = json.loads(text)
    if not isinstance(event, dict):
        raise ValueError("a provider event is a JSON object")  # noqa: TRY004 - the text is wrong
    event = event.get("detail", event)  # EventBridge wraps it
    for matches, parser in formats():
        if matches(event):
            return parser(event)
    return ()
