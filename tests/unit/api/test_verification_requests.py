"""The request of a verification: what is planned, and every problem of it in one answer."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.api import verification_requests
from messaging.api.code_languages import language_of
from messaging.api.verification_requests import CodeDefaults
from messaging.codes.starting import RequestedVerification
from messaging.codes.texts import languages
from messaging.domain.errors import InvalidRequest, Problem
from messaging.domain.verifications import Alphabet, Autofill
from tests.support.aws import ENVIRONMENT
from tests.support.plans import CHANNELS

SENDERS = {name: ENVIRONMENT[f"{name.upper()}_SENDER"] for name in CHANNELS}
DEFAULTS = CodeDefaults(SENDERS, CHANNELS, "Throughline")
TO = {"sms": "+14255550156", "email": "ana@example.com"}
BODY: dict[str, Any] = {"to": TO}


def checked(body: object, defaults: CodeDefaults = DEFAULTS) -> RequestedVerification:
    return verification_requests.check(body, defaults)


def problems(body: object, defaults: CodeDefaults = DEFAULTS) -> list[Problem]:
    with pytest.raises(InvalidRequest) as raised:
        checked(body, defaults)
    return raised.value.problems


def pointers(body: object, defaults: CodeDefaults = DEFAULTS) -> list[str]:
    return [one.pointer for one in problems(body, defaults)]


def channels_of(request: RequestedVerification) -> list[str]:
    return ["+".join(one.channels) for one in request.steps if not one.on_request]


# ---- what is planned


def test_without_more_than_a_recipient_all_is_the_default() -> None:
    request = checked(BODY)
    policy = request.verification

    assert (policy.purpose, policy.length, policy.alphabet) == ("sign-in", 6, Alphabet.DIGITS)
    assert (policy.max_checks, policy.brand, policy.language) == (5, "Throughline", "en")
    assert (request.expires_in_seconds, request.client_ip) == (600, None)
    assert (policy.autofill, policy.payee, policy.own_code) == (None, None, False)


def test_the_default_is_a_step_for_each_channel_of_the_recipient_in_their_order() -> None:
    to = {"email": "ana@example.com", "voice": "+14255550156", "whatsapp": "+14255550156"}

    assert channels_of(checked({"to": to})) == ["whatsapp", "email", "voice"]


PAYMENT = {"payee": "Example Books", "amount": "12.50 EUR"}
PHONES = {"whatsapp": "+14255550156", "sms": "+14255550156"}
NOTIFY = {"sms": "nc-0123456789abcdef0"}


def test_a_template_that_shows_no_payment_is_no_default_step_of_one() -> None:
    assert channels_of(checked({"to": PHONES, **PAYMENT})) == ["sms"]


def test_a_step_whose_template_shows_no_payment_is_invalid() -> None:
    steps = [{"channel": "whatsapp"}, {"broadcast": ["email", "sms"]}]
    to = PHONES | {"email": "ana@example.com"}
    found = problems({"to": to, "steps": steps, "from": NOTIFY, **PAYMENT})

    assert [one.pointer for one in found] == ["/steps/0/channel", "/steps/1/broadcast"]
    assert all(one.detail.endswith("cannot show the payee and the amount") for one in found)
    assert channels_of(checked({"to": to, "steps": steps, "from": NOTIFY})) == [
        "whatsapp",
        "email+sms",
    ]


def test_a_payment_needs_a_channel_that_shows_it() -> None:
    [problem] = problems({"to": {"whatsapp": "+14255550156"}, **PAYMENT})

    assert problem.pointer == "/to"
    assert "the code of a payment and has a sender: sms or email or voice" in problem.detail


def test_a_channel_that_cannot_send_codes_is_no_default_step() -> None:
    to = {"sms": "+14255550156", "whatsapp": "+14255550156", "email": "ana@example.com"}
    defaults = replace(DEFAULTS, channels=("sms", "email"), senders=SENDERS | {"email": ""})

    assert channels_of(checked({"to": to}, defaults)) == ["sms"]
    with_sender = {"to": to, "from": {"email": "shop@example.com"}}
    assert channels_of(checked(with_sender, defaults)) == ["sms", "email"]


def test_every_field_is_taken() -> None:
    request = checked(
        {
            "to": TO,
            "from": {"sms": "+12065550199"},
            "steps": [{"channel": "sms", "wait_seconds": 20}, {"broadcast": ["sms", "email"]}],
            "purpose": "pay_1",
            "length": 8,
            "alphabet": "letters",
            "expires_in_seconds": 60,
            "max_checks": 1,
            "brand": "Café",
            "language": "pt_BR",
            "autofill": {"domain": "example.com", "embedded": "pay.example.com"},
            "payee": "Example Books",
            "amount": "12.50 EUR",
            "client_ip": "2001:DB8::1",
            "metadata": {"user": "42"},
        }
    )
    policy = request.verification

    assert (policy.purpose, policy.length, policy.alphabet) == ("pay_1", 8, Alphabet.LETTERS)
    assert (policy.max_checks, policy.brand, policy.language) == (1, "Café", "pt_BR")
    assert policy.autofill == Autofill(domain="example.com", embedded="pay.example.com")
    assert (policy.payee, policy.amount) == ("Example Books", "12.50 EUR")
    assert (request.client_ip, request.expires_in_seconds) == ("2001:db8::1", 60)
    assert [one.wait_seconds for one in request.steps] == [20, 60, 60]
    assert request.document == {
        "to": TO,
        "from": {"sms": "+12065550199"},
        "steps": [{"channel": "sms"}, *[{"broadcast": ["sms", "email"]}] * 2],
        "category": "authentication",
        "metadata": {"user": "42"},
    }


def test_a_code_of_the_caller_says_its_length_itself() -> None:
    request = checked(BODY | {"code": "AB12C", "alphabet": "alphanumeric"})

    assert (request.verification.length, request.verification.own_code) == (5, True)
    assert request.document["code"] == "AB12C"


def test_the_address_of_the_client_is_not_stored() -> None:
    assert "192.0.2.1" not in str(checked(BODY | {"client_ip": "192.0.2.1"}).document)


# ---- the language


@pytest.mark.parametrize(
    ("number", "language"),
    [
        ("+14255550156", "en"),
        ("+4930123456", "de"),
        ("+5511961234567", "pt_BR"),
        ("+351212345678", "pt_PT"),
        ("+886223456789", "zh_TW"),
        ("+41446681800", "en"),  # four languages
        ("+88213123456", "en"),  # of no country
    ],
)
def test_the_language_is_that_of_the_recipients_country(number: str, language: str) -> None:
    assert language_of(["ana@example.com", number]) == language


def test_every_language_of_a_country_has_texts() -> None:
    from messaging.api import code_languages  # noqa: PLC0415 - its table alone

    assert set(code_languages._LANGUAGES.values()) <= languages()  # noqa: SLF001 - as said


# ---- what is refused


@pytest.mark.parametrize(
    ("field", "value", "pointer", "detail"),
    [
        ("purpose", "Sign in", "/purpose", "must be 1 to 32 characters of a-z, 0-9, _ and -"),
        ("purpose", "p" * 33, "/purpose", "must be 1 to 32 characters of a-z, 0-9, _ and -"),
        ("length", 3, "/length", "is 3; it must be from 4 to 10"),
        ("length", 11, "/length", "is 11; it must be from 4 to 10"),
        ("length", "6", "/length", "must be an integer"),
        ("alphabet", "emoji", "/alphabet", "must be 'digits', 'letters' or 'alphanumeric'"),
        ("expires_in_seconds", 59, "/expires_in_seconds", "is 59; it must be from 60 to 3600"),
        ("max_checks", 6, "/max_checks", "is 6; it must be from 1 to 5"),
        ("brand", "", "/brand", "must not be empty"),
        ("brand", "b" * 31, "/brand", "has 31 characters; the maximum is 30"),
        ("brand", "a\nb", "/brand", "must not contain line breaks or other control characters"),
        ("client_ip", "1.2.3", "/client_ip", "must be an IPv4 or IPv6 address"),
        ("autofill", {}, "/autofill", "must contain either domain or android"),
        (
            "autofill",
            {"android": "a" * 11, "embedded": "example.com"},
            "/autofill",
            "must contain domain if it contains embedded",
        ),
        (
            "autofill",
            {"domain": "https://example.com"},
            "/autofill/domain",
            "must be a domain in lowercase, for example example.com",
        ),
        (
            "autofill",
            {"android": "short"},
            "/autofill/android",
            "must be the 11 characters of an app's hash",
        ),
        ("code", "12A4", "/code", "must contain digits only"),
        ("code", "123", "/code", "must have 4 to 10 characters"),
        ("payee", "Shop", "/amount", "is required, because payee is given"),
        ("amount", "5 EUR", "/payee", "is required, because amount is given"),
        ("steps", [], "/steps", "must not be empty"),
        (
            "steps",
            [{"channel": "sms", "wait_seconds": 20}],
            "/steps/0/wait_seconds",
            "must be omitted: the last step waits until the code expires",
        ),
        (
            "steps",
            [{"channel": "sms"}] * 3 + [{"broadcast": ["sms", "email", "voice"]}],
            "/steps",
            "must not have more than 5 channels in all",
        ),
        ("lenght", 6, "/lenght", "is not a valid field; did you mean `length`?"),
        ("content", {"text": "hi"}, "/content", "is not a valid field"),
        ("category", "utility", "/category", "is not a valid field"),
        ("brand", None, "/brand", "must not be null"),
    ],
)
def test_an_invalid_field_is_named_with_what_it_may_be(
    field: str, value: object, pointer: str, detail: str
) -> None:
    to = TO | {"voice": "+14255550156"}
    found = problems({"to": to, field: value})

    assert Problem(pointer, detail) in found, found
    assert len(found) == 1


def test_a_misspelled_field_of_a_step_is_named() -> None:
    found = problems(BODY | {"steps": [{"channel": "sms", "success": "sent"}]})

    assert found == [Problem("/steps/0/success", "is not a valid field")]


def test_a_recipient_is_required() -> None:
    assert problems({}) == [Problem("/to", "is required")]


def test_a_recipient_without_a_channel_that_can_send_codes_is_no_recipient() -> None:
    whatsapp = {"to": {"whatsapp": "+14255550156"}}
    able = replace(DEFAULTS, channels=("sms", "email"))

    nobody: dict[str, Any] = {"to": {}}
    for body in (nobody, whatsapp):
        [problem] = problems(body, able)
        assert problem.pointer == "/to"
        assert problem.detail.endswith("sms or email")


def test_a_step_on_a_channel_without_a_template_is_refused() -> None:
    body = BODY | {"to": TO | {"whatsapp": "+14255550156"}}
    steps = [{"channel": "whatsapp"}, {"broadcast": ["sms", "whatsapp"]}]
    able = replace(DEFAULTS, channels=("sms", "email"))

    assert pointers(body | {"steps": steps}, able) == ["/steps/0/channel", "/steps/1/broadcast"]


def test_a_step_needs_a_recipient_and_a_sender() -> None:
    steps = [{"channel": "sms"}, {"channel": "voice"}]
    silent = replace(DEFAULTS, senders=SENDERS | {"sms": ""})

    assert pointers(BODY | {"steps": steps}, silent) == ["/from/sms", "/to/voice"]


def test_a_code_of_the_caller_has_no_checks_here() -> None:
    assert pointers(BODY | {"code": "123456", "max_checks": 3}) == ["/max_checks"]
    assert pointers(BODY | {"code": "123456", "length": 4}) == ["/code"]


@pytest.mark.parametrize("body", [None, [], "code", 1])
def test_what_is_no_object_is_refused(body: object) -> None:
    assert pointers(body) == [""]


def test_a_surrogate_is_refused() -> None:
    assert pointers(BODY | {"brand": "\ud800"}) == ["/brand"]


INVALID: dict[str, Any] = {
    "to": {"sms": "0425"},
    "from": {"sms": "my shop"},
    "purpose": "Sign in",
    "length": 3,
    "alphabet": "emoji",
    "expires_in_seconds": 1,
    "max_checks": 0,
    "brand": " ",
    "language": "xx",
    "autofill": {},
    "payee": "\n",
    "client_ip": "here",
    "metadata": {"order": 42},
    "steps": [{"channel": "pigeon"}],
    "priority": 1,
}


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(INVALID)), min_size=1))
def test_every_problem_is_in_the_one_answer(fields: set[str]) -> None:
    found = pointers(BODY | {name: INVALID[name] for name in fields})
    named = {pointer.split("/")[1] for pointer in found}

    assert fields <= named
    # A payment lacks its other half as well.
    assert named <= fields | {"amount"}
    assert len(found) == len(set(found))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(INVALID | {"code": 1, "amount": 1})), json_values))
def test_whatever_comes_is_answered(body: dict[str, Any]) -> None:
    with suppress(InvalidRequest):
        checked(body)
