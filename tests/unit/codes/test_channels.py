"""How each channel carries a code."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib import import_module
from typing import Any, NoReturn

import pytest

from messaging.codes.one_time_code import OneTimeCode, one_time_code
from messaging.codes.texts import languages, texts
from messaging.domain.content import Content
from messaging.domain.errors import Refused
from messaging.domain.messages import Message
from messaging.domain.sms_encoding import GSM, encoding, parts
from messaging.domain.verifications import Alphabet, Autofill, Verification
from tests.support.plans import plan_of

LANGUAGES = sorted(languages())
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
POLICY = Verification("sign-in", 6, Alphabet.DIGITS, 5, "Example", "en")
PAID = replace(POLICY, payee="Example <Books> & Co", amount="10.00 EUR")
WEB = Autofill(domain="example.com")
ANDROID = Autofill(android="FA+9qCX9VSu")
SETTINGS = {
    "CODE_TEMPLATE": "verification_code",
    "CODE_LANGUAGES": "en_US,pt_BR,es",
    "NOTIFY_CODE_TEMPLATE": "notify-code-verification-english-001",
}
NOTIFY = "nc-1234567890abcdef0"


def content(
    channel: str,
    verification: Verification = POLICY,
    code: str = "123456",
    sender: str = "+12065550100",
    settings: Mapping[str, str] = SETTINGS,
) -> Content:
    rendering: Any = import_module(f"messaging.channels.{channel}.code")
    made: Content = rendering.content(
        OneTimeCode(code, verification, 10), sender, settings.__getitem__
    )
    return made


def sms(verification: Verification, code: str = "123456") -> str:
    text = content("sms", verification, code).text
    assert text
    return text


def message(**changes: Any) -> Message:
    plan = plan_of()
    expires = NOW + timedelta(minutes=10)
    return replace(Message("m1", NOW, plan, expires_at=expires, verification=POLICY), **changes)


class SameMac:
    def generate(self, message: bytes) -> bytes:
        assert len(message) == 32
        return (654321).to_bytes(32, "big")


def no_macs() -> NoReturn:
    raise AssertionError("a MAC was asked for")


def test_a_code_is_derived_or_the_callers_own() -> None:
    derived = one_time_code(message(), {}, SameMac, NOW)
    own = one_time_code(message(), {"code": "7777"}, no_macs, NOW)

    assert derived == OneTimeCode("123456", POLICY, 10)
    assert own == OneTimeCode("7777", POLICY, 10)


@pytest.mark.parametrize(("seconds", "minutes"), [(1, 10), (299, 5), (570, 1), (599, 1)])
def test_the_minutes_are_those_that_are_left(seconds: int, minutes: int) -> None:
    later = NOW + timedelta(seconds=seconds)

    assert one_time_code(message(), {}, SameMac, later).minutes == minutes


def test_the_sms_says_code_brand_and_minutes() -> None:
    assert sms(POLICY) == (
        "123456 is your Example code. It expires in 10 min. Never share it with anyone."
    )


def test_a_browser_reads_the_code_from_the_last_line() -> None:
    """wicg.github.io/sms-one-time-codes."""
    embedded = replace(WEB, embedded="ecommerce.example")

    assert sms(replace(POLICY, autofill=WEB)).splitlines()[1:] == ["@example.com #123456"]
    assert sms(replace(POLICY, autofill=embedded)).splitlines()[1:] == [
        "@example.com #123456 @ecommerce.example"
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("autofill", [None, WEB, ANDROID], ids=["none", "web", "android"])
def test_an_sms_is_one_part_with_the_longest_code_and_brand(
    language: str, autofill: Autofill | None
) -> None:
    letter = next(one for one in texts(language).sms[-1] if one.isalpha() and one != "c")
    for brand in ("B" * 30, letter * 30, "Example", "\u00e7" * 30):
        policy = replace(POLICY, brand=brand, language=language, autofill=autofill)
        text = sms(policy, "0123456789")

        assert parts(text) == 1
        assert brand in text
        assert "0123456789" in text.split("\n")[0]
        if autofill is ANDROID:
            assert text.endswith("\nFA+9qCX9VSu")
            assert len(text.encode()) <= 140
        if autofill is WEB:
            assert text.endswith("\n@example.com #0123456789")


def test_what_identifies_a_payment_is_never_cut() -> None:
    payee = "Example Books of the Whole World Ltd"
    text = sms(replace(POLICY, payee=payee, amount="1,234,567.89 EUR", language="ru"))

    assert payee in text
    assert "1,234,567.89 EUR" in text
    assert parts(text) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_payment_is_named_on_each_channel_that_can(language: str) -> None:
    policy = replace(PAID, language=language)
    email = content("email", policy)

    for text in (sms(policy), email.text, content("voice", policy).text):
        assert text
        assert "Example <Books> & Co" in text
        assert "10.00 EUR" in text
    assert "Example &lt;Books&gt; &amp; Co" in (email.html or "")


@pytest.mark.parametrize(("channel", "sender"), [("whatsapp", "sender"), ("sms", NOTIFY)])
def test_a_template_cannot_name_a_payment(channel: str, sender: str) -> None:
    with pytest.raises(Refused, match="cannot show the payee and the amount"):
        content(channel, PAID, sender=sender)


def test_a_notify_configuration_fills_its_own_template() -> None:
    assert content("sms", sender=NOTIFY) == Content(
        template={"name": "notify-code-verification-english-001", "data": {"code": "123456"}}
    )


def test_whatsapp_has_the_code_in_the_body_and_in_the_button() -> None:
    code = [{"type": "text", "text": "123456"}]

    assert content("whatsapp").template == {
        "name": "verification_code",
        "language": "en_US",
        "components": [
            {"type": "body", "parameters": code},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
        ],
    }


@pytest.mark.parametrize(
    ("language", "nearest"),
    [("es", "es"), ("en", "en_US"), ("pt_PT", "pt_BR"), ("de", "en_US")],
)
def test_the_nearest_approved_language_is_used(language: str, nearest: str) -> None:
    template = content("whatsapp", replace(POLICY, language=language)).template

    assert template
    assert template["language"] == nearest


def test_without_a_template_whatsapp_carries_no_code() -> None:
    with pytest.raises(Refused, match="no WhatsApp template"):
        content("whatsapp", settings={**SETTINGS, "CODE_TEMPLATE": ""})


def test_a_call_says_each_character_twice() -> None:
    call = content("voice", code="12AB")

    assert call.voice_id == "JOANNA"
    assert (call.text or "").count("1, 2, A, B.") == 2


def test_a_language_without_a_voice_is_called_in_english() -> None:
    call = content("voice", replace(POLICY, language="uk"))

    assert call == content("voice")


class Reading(HTMLParser):
    """Collects what is shown and what is named."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: dict[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "html":
            self.attributes = dict(attrs)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_email_says_the_same_as_text_and_as_html_without_a_link(language: str) -> None:
    email = content("email", replace(POLICY, language=language, brand="A & B"))
    read = Reading()
    read.feed(email.html or "")

    assert read.tags == ["html", "head", "meta", "title", "body", *"ppppp"]
    assert read.texts == [email.subject, *(email.text or "").strip().split("\n\n")]
    assert read.texts[2] == "123456"
    assert "A & B" in (email.subject or "")
    assert "123456" not in (email.subject or "")
    assert read.attributes == {
        "lang": language.replace("_", "-"),
        "dir": "rtl" if language in {"ar", "he"} else "ltr",
    }
    assert not re.search(r"https?:|href|src=", email.html or "")


def test_the_english_sms_stays_in_gsm() -> None:
    """What is not in it would more than halve a part."""
    assert encoding(sms(replace(POLICY, autofill=WEB))) is GSM
