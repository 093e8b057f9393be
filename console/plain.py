"""Makes text from outside safe to show: invisible characters and those that change direction."""

import json
import re
from datetime import datetime
from typing import Final

# Control characters except line breaks and tabs, bidirectional controls, zero-width characters and
# lone surrogates. Joiners stay: letters and emoji need them.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """The text with each of those characters replaced by its code point."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def pretty(value: object) -> str:
    """Indented JSON, to read and to copy."""
    return visible(json.dumps(value, indent=2, ensure_ascii=False, default=_moment))


def _moment(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
