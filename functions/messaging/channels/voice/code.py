"""The call that carries a code, which is read one character at a time, twice."""

from collections.abc import Callable

from messaging.codes.one_time_code import OneTimeCode
from messaging.codes.texts import DEFAULT_LANGUAGE, texts
from messaging.domain.content import Content


def content(code: OneTimeCode, _sender: str, _setting: Callable[[str], str]) -> Content:
    """In English if no voice speaks the language. A voice pauses at a comma."""
    voice = texts(code.verification.language).voice or texts(DEFAULT_LANGUAGE).voice
    if voice is None:
        raise LookupError(f"the texts of {DEFAULT_LANGUAGE} have no voice")
    text = voice.payment if code.approves_payment else voice.text
    spoken = code.fill(text, code=", ".join(code.characters))
    return Content(text=spoken, voice_id=voice.voice_id)
