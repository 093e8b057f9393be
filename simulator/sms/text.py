"""How a text fits into SMS: its encoding, its length in that encoding, its parts."""

# https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html
_GSM = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    "àÅåÄäÇÉéèìÑñòØøÖöùÜüÆæß&*@:,¤$=!>#-¡¿(<%.+£?\")§;'/_¥ΔΦΓΛΩΠΨΣΘΞ \n\r"
)
_GSM_DOUBLE = frozenset("^{}\\[]~|€\f")
# Characters of one part, and of each part of a longer message.
_PART = {"GSM": (160, 153), "Unicode": (70, 67)}


def encoding(text: str) -> str:
    """`GSM` if every character is in GSM 03.38, else `Unicode`: one other character changes all."""
    return "GSM" if set(text) <= _GSM | _GSM_DOUBLE else "Unicode"


def length(text: str) -> int:
    """Septets in GSM, where some characters count double, or UTF-16 units in Unicode."""
    if encoding(text) == "GSM":
        return len(text) + sum(character in _GSM_DOUBLE for character in text)
    return len(text.encode("utf-16-be")) // 2


def parts(text: str) -> int:
    alone, chained = _PART[encoding(text)]
    size = length(text)
    return 1 if size <= alone else -(-size // chained)
