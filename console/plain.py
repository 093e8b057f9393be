"""Text of others as it can be shown: no character in it hides, or turns what is beside it."""

import json
import unicodedata
from datetime import datetime
from typing import Final

# Line breaks and tabs are seen; joiners shape letters and faces, and hide nothing.
_KEPT: Final = frozenset("\n\t\u200c\u200d")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def visible(text: str) -> str:
    """Control characters, and those that change the direction of writing, by their numbers."""
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _HIDDEN:
        return character
    return f"\\u{ord(character):04x}"


def pretty(value: object) -> str:
    """JSON to read and to copy."""
    return visible(json.dumps(value, indent=2, ensure_ascii=False, default=_moment))


def _moment(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
