"""The email that carries a code: a text and the same as HTML, without a link."""

from collections.abc import Callable, Sequence
from html import escape

from messaging.codes.one_time_code import OneTimeCode
from messaging.codes.texts import texts
from messaging.domain.content import Content

RIGHT_TO_LEFT = {"ar", "he"}
# The code is one word in a fixed-width font, so that a double click selects it.
HTML = """<!DOCTYPE html>
<html lang="{language}" dir="{direction}">
<head><meta charset="utf-8"><title>{subject}</title></head>
<body style="font-family: Arial, sans-serif; font-size: 16px; color: #1a1a1a">
<p>{lead}</p>
<p dir="ltr" style="font-family: monospace; font-size: 32px; font-weight: bold">{code}</p>
<p>{expiry}</p>
<p>{warning}</p>
<p style="color: #5c5c5c">{unexpected}</p>
</body>
</html>
"""


def content(code: OneTimeCode, _sender: str, _setting: Callable[[str], str]) -> Content:
    language = code.verification.language
    email = texts(language).email
    lead = email.payment if code.approves_payment else email.lead
    subject, *lines = map(
        code.fill, (email.subject, lead, email.expiry, email.warning, email.unexpected)
    )
    return Content(
        subject=subject,
        text=_text(code.characters, lines),
        html=_html(code.characters, language, subject, lines),
    )


def _text(code: str, lines: Sequence[str]) -> str:
    lead, *others = lines
    return "\n\n".join((lead, code, *others)) + "\n"


def _html(code: str, language: str, subject: str, lines: Sequence[str]) -> str:
    lead, expiry, warning, unexpected = map(escape, lines)
    return HTML.format(
        language=language.replace("_", "-"),
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        subject=escape(subject),
        lead=lead,
        code=escape(code),
        expiry=expiry,
        warning=warning,
        unexpected=unexpected,
    )
