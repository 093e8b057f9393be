"""The SMS that carries a code: one part, and what lets a browser or an app read the code."""

from collections.abc import Callable

from messaging.channels.aws_end_user_messaging import is_notify_configuration
from messaging.codes.one_time_code import OneTimeCode
from messaging.codes.texts import texts
from messaging.domain.content import Content
from messaging.domain.errors import Refused
from messaging.domain.sms_encoding import parts
from messaging.domain.verifications import Autofill

# developers.google.com/identity/sms-retriever/verify: a longer message is not read.
MAX_ANDROID_BYTES = 140
# For every language: also a brand of 30 characters fits beside the autofill of a short domain.
SHORTEST = "{brand}: {code}"


def content(code: OneTimeCode, sender: str, setting: Callable[[str], str]) -> Content:
    """The longest of the texts that fits into one part; the shortest if none does. The brand, the
    payee and the amount are never cut: where they are long, the SMS has several parts.
    """
    if is_notify_configuration(sender):
        return _notify(code, setting)
    found = texts(code.verification.language)
    autofill = code.verification.autofill
    ending = _ending(autofill, code.characters) if autofill else ""
    choices = found.sms_payment if code.approves_payment else (*found.sms, SHORTEST)
    filled = [code.fill(one) + ending for one in choices]
    fits = _fits_android if autofill and autofill.android else _fits
    return Content(text=next(filter(fits, filled), filled[-1]))


def _fits(text: str) -> bool:
    return parts(text) == 1


def _fits_android(text: str) -> bool:
    """The encoding of the 140 bytes is not documented: they are counted in the longest, UTF-8."""
    return parts(text) == 1 and len(text.encode()) <= MAX_ANDROID_BYTES


def _ending(autofill: Autofill, code: str) -> str:
    """The last line: of the web as in wicg.github.io/sms-one-time-codes, or Android's hash."""
    if autofill.android:
        return f"\n{autofill.android}"
    embedded = f" @{autofill.embedded}" if autofill.embedded else ""
    return f"\n@{autofill.domain} #{code}{embedded}"


def _notify(code: OneTimeCode, setting: Callable[[str], str]) -> Content:
    """AWS's own template, which has the code as its variable and no text of a payment:
    docs.aws.amazon.com/sms-voice/latest/userguide/notify-templates.html.
    """
    if code.approves_payment:
        raise Refused("a Notify template cannot show the payee and the amount")
    name = setting("NOTIFY_CODE_TEMPLATE")
    return Content(template={"name": name, "data": {"code": code.characters}})
