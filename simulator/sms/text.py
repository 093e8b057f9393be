"""The encoding of an SMS text, its length in that encoding, and its number of parts."""

# https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html
_GSM = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    "àÅåÄäÇÉéèìÑñòØøÖöùÜüÆæß&*@:,¤$=!>#-¡¿(<%.+£?\")§;'/_¥ΔΦΓΛΩΠΨΣΘΞ \n\r"
)
_GSM_DOUBLE = frozenset("^{}\\[]~|€\f")
# Characters of a single part, and of each part of a longer message.
_PART = {"GSM": (160, 153), "Unicode": (70, 67)}


def encoding(text: str) -> str:
    """`GSM` if every character is in GSM 03.38, else `Unicode` for the whole text."""
    return "GSM" if set(text) <= _GSM | _GSM_DOUBLE else "Unicode"


def length(text: str) -> int:
    """Septets in GSM, where some characters count twice, or UTF-16 code units in Unicode."""
    if encoding(text) == "GSM":
        return len(text) + sum(character in _GSM_DOUBLE for character in text)
    return len(text.encode("utf-16-be")) // 2


def parts(text: str) -> int:
    single, multipart = _PART[encoding(text)]
    size = length(text)
    return 1 if size <= single else -(-size // multipart)
