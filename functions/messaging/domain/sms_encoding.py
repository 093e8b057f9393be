"""The encoding of an SMS text, its length in that encoding, and the number of its parts."""

from dataclasses import dataclass
from typing import Final

# Source of the characters and of the maximums:
# https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html
# A character in the table's extension counts as two; a character in neither changes the encoding of
# the whole text to Unicode. The service uses no national language shift tables.
_GSM: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    "àÅåÄäÇÉéèìÑñòØøÖöùÜüÆæß&*@:,¤$=!>#-¡¿(<%.+£?\")§;'/_¥ΔΦΓΛΩΠΨΣΘΞ \n\r"
)
_EXTENSION: Final = frozenset("^{}\\[]~|€\f")


@dataclass(frozen=True, slots=True)
class SmsEncoding:
    """Its longest text, and the length of a text in one part and of each part of a longer text."""

    name: str
    maximum: int
    one_part: int
    each_part: int


GSM: Final = SmsEncoding("GSM 03.38", 1_530, 160, 153)
UNICODE: Final = SmsEncoding("Unicode", 630, 70, 67)


def encoding(text: str) -> SmsEncoding:
    return GSM if set(text) <= _GSM | _EXTENSION else UNICODE


def length(text: str) -> int:
    """In GSM 03.38, the septets; in Unicode, the UTF-16 code units: an emoji has two or more."""
    if encoding(text) is GSM:
        return len(text) + sum(one in _EXTENSION for one in text)
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def parts(text: str) -> int:
    """The number of parts, each of which is billed."""
    used, size = encoding(text), length(text)
    return 1 if size <= used.one_part else -(-size // used.each_part)


def length_problem(text: str) -> str | None:
    """What is invalid about a text that is too long for an SMS; None if it is short enough."""
    used, size = encoding(text), length(text)
    if size <= used.maximum:
        return None
    if used is GSM:
        return (
            f"has {size} characters, counting each of ^ {{ }} \\ [ ] ~ | € and form feed as two; "
            f"the maximum for an SMS in {used.name} is {used.maximum}"
        )
    position = next(index for index, one in enumerate(text) if one not in _GSM | _EXTENSION)
    return (
        f"has {size} UTF-16 code units; the maximum for an SMS in {used.name} is {used.maximum}, "
        f"and character {position + 1} (U+{ord(text[position]):04X}) is not in {GSM.name}, where "
        f"the maximum is {GSM.maximum} characters"
    )
