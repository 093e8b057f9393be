"""The texts that carry a code, a file for each language in the folder `texts`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("texts")
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class EmailTexts:
    """The lines of an email; `payment` replaces `lead` if the code approves a payment."""

    subject: str
    lead: str
    payment: str
    expiry: str
    warning: str
    unexpected: str


@dataclass(frozen=True, slots=True)
class VoiceTexts:
    """What a voice of SendVoiceMessage says; `payment` replaces `text`."""

    voice_id: str
    text: str
    payment: str


@dataclass(frozen=True, slots=True)
class CodeTexts:
    """The texts of one language; `texts/en.toml` describes each field."""

    language: str
    name: str
    sms: tuple[str, ...]
    sms_payment: tuple[str, ...]
    email: EmailTexts
    voice: VoiceTexts | None = None


def languages() -> frozenset[str]:
    """The languages of the texts, such as `en` and `pt_BR`."""
    return frozenset(path.stem for path in FOLDER.glob("*.toml"))


@cache
def texts(language: str) -> CodeTexts:
    """The texts of one of the `languages`."""
    found: Mapping[str, Any] = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    return CodeTexts(
        language=language,
        name=found["name"],
        sms=tuple(found["sms"]),
        sms_payment=tuple(found["sms_payment"]),
        email=EmailTexts(**found["email"]),
        voice=VoiceTexts(**found["voice"]) if "voice" in found else None,
    )
