"""Counts the parts of an SMS; each part is billed."""

from collections.abc import Mapping
from typing import Any, Final

from messaging.domain.content import content
from messaging.domain.plan import PlannedAttempt

# GSM 03.38: https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html
# A character in the table's extension counts as two; a character in neither changes the encoding of
# the whole text to Unicode.
_GSM: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    "àÅåÄäÇÉéèìÑñòØøÖöùÜüÆæß&*@:,¤$=!>#-¡¿(<%.+£?\")§;'/_¥ΔΦΓΛΩΠΨΣΘΞ \n\r"
)
_EXTENSION: Final = frozenset("^{}\\[]~|€\f")
# The maximum length of a text in one part, and of each part of a longer text.
_GSM_PLACES: Final = 160, 153
_UNICODE_PLACES: Final = 70, 67


def parts(request: Mapping[str, Any], planned: PlannedAttempt) -> int:
    """The number of parts in an attempt's SMS; 1 on any other channel."""
    if planned.channel != "sms":
        return 1
    step = request["steps"][planned.step - 1]
    return segments(content(request, step, planned.channel).text or "")


def segments(text: str) -> int:
    """The number of parts in a text."""
    if set(text) <= _GSM | _EXTENSION:
        length, places = len(text) + sum(one in _EXTENSION for one in text), _GSM_PLACES
    else:
        length, places = len(text.encode("utf-16-be")) // 2, _UNICODE_PLACES
    alone, chained = places
    return 1 if length <= alone else -(-length // chained)
