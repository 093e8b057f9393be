"""Requests, right and wrong: the checker and openapi.yaml have to judge each of them the same."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

SENDERS = {
    "whatsapp": "phone-number-id-00000000000000000000000000000001",
    "sms": "+12065550100",
    "email": "Throughline <hello@example.com>",
}
NO_SENDERS = {"whatsapp": "", "sms": "", "email": ""}

# Why JSON Schema takes a request that the checker refuses.
LACKS = "what a channel needs may stand in the request, in its step, or in the stack"
LONGEST = "how long a text may be depends on the channels that say it"
INTEGER = "to JSON Schema 45.0 is a whole number"
ADDRESS = "the grammar of addresses is no regular expression"
FINITE = "a number that is too large is still a number"
DIFFERENT = "two fields that must differ"
IN_TEXT = "the range of a number that is written as text"
LENGTH = "how many digits a number has depends on its country"
BY_CHANNEL = "what a field may be depends on the channel beside it"
REPLACED = "what a step's content replaces is in the request"


@dataclass(frozen=True)
class Wrong:
    """A request that is refused, with pointer and sentence of each problem."""

    what: str
    body: Any
    problems: tuple[tuple[str, str], ...]
    unsaid: str = ""


GONE = object()


def but(body: Any, changes: Mapping[str, object]) -> Any:
    """The same body with other values at these pointers, or without them."""
    changed = deepcopy(body)
    for pointer, value in changes.items():
        *way, last = (int(part) if part.isdecimal() else part for part in pointer[1:].split("/"))
        holder = changed
        for part in way:
            holder = holder[part] if isinstance(part, int) else holder.setdefault(part, {})
        if value is GONE:
            del holder[last]
        else:
            holder[last] = value
    return changed


VALID: dict[str, Any] = {
    "to": {"whatsapp": "+12065550142", "sms": "+12065550143", "email": "bo@example.org"},
    "content": {"text": "Your secret is 987654.", "subject": "Your secret"},
    "steps": [{"channel": "whatsapp"}, {"channel": "sms"}, {"broadcast": ["sms", "email"]}],
}
FULL: dict[str, Any] = {
    "to": VALID["to"],
    "from": {
        "whatsapp": "arn:aws:social-messaging:us-east-1:123456789012:phone-number-id/0a1b",
        "sms": "pool-0123456789",
        "email": '"Doe, Jane" <jane@example.org>',
        "voice": "+12065550101",
    },
    "content": {
        "text": "Your secret is 987654.",
        "subject": "Your secret",
        "html": "<p>Your secret is 987654.</p>",
        "whatsapp": {
            "template": {
                "name": "login_code",
                "language": "en_US",
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "x"}]}],
            }
        },
        "sms": {"text": "987654"},
        "voice": {"text": "Your secret is 9, 8, 7, 6, 5, 4.", "voice_id": "JOANNA"},
        "email": {"template": {"name": "secret", "data": {"name": None, "digits": [9, 8.5]}}},
    },
    "steps": [
        {"channel": "whatsapp", "wait_seconds": 5, "success": "read"},
        {"broadcast": ["email", "sms", "whatsapp"], "wait_seconds": 86_400, "success": "sent"},
        {
            "channel": "email",
            "to": {"email": "desk@example.org"},
            "from": {"email": "reminders@example.org"},
            "content": {"subject": "Nobody", "text": "Nobody was reached."},
        },
    ],
    "category": "authentication",
    "expires_in_seconds": 864_000,
    "metadata": {"k" * 64: "v" * 256},
}

_ONE = {**VALID, "steps": [{"channel": "sms"}]}
_WHATSAPP = {**VALID, "steps": [{"channel": "whatsapp"}]}
_EMAIL = {**VALID, "steps": [{"channel": "email"}]}
_SAYS = "/content/whatsapp"
_TEMPLATE = {"template": {"name": "login_code", "language": "en"}}

RIGHT: dict[str, Any] = {
    "one of each kind of step": VALID,
    "every field": FULL,
    "a broadcast over one channel": but(_ONE, {"/steps/0": {"broadcast": ["whatsapp"]}}),
    "success read of a broadcast to WhatsApp alone": but(
        _ONE, {"/steps/0": {"broadcast": ["whatsapp"], "success": "read"}}
    ),
    "ten steps": {**VALID, "steps": [{"channel": "sms"}] * 10},
    "the shortest expiry": but(_ONE, {"/expires_in_seconds": 5}),
    "the longest SMS": but(_ONE, {"/content/text": "x" * 1_530}),
    "the longest SMS with characters that count as two": but(_ONE, {"/content/text": "€" * 765}),
    "the longest SMS in other letters": but(_ONE, {"/content/text": "ж" * 630}),
    "the longest SMS of emoji": but(_ONE, {"/content/text": "😀" * 315}),
    "the longest SMS of its own": but(_ONE, {"/content/sms": {"text": "x" * 1_530}}),
    "the longest WhatsApp text": but(_WHATSAPP, {"/content/text": "x" * 4_096}),
    "the longest WhatsApp text of its own": but(_WHATSAPP, {_SAYS: {"text": "x" * 4_096}}),
    "a text too long for SMS, which says another": but(
        _ONE, {"/content/text": "x" * 5_000, "/content/sms": {"text": "short"}}
    ),
    "a text of any length by email": but(_EMAIL, {"/content/text": "x" * 100_000}),
    "email as html alone": but(_EMAIL, {"/content": {"subject": "s", "html": "<p>h</p>"}}),
    "email of subject and general text": but(_EMAIL, {"/content/email": {"subject": "other"}}),
    "email as a template without data": but(
        _EMAIL, {"/content": {"email": {"template": {"name": "a-b_C9"}}}}
    ),
    "WhatsApp as a picture": but(
        _WHATSAPP, {_SAYS: {"image": {"link": "https://example.com/a.png", "caption": "c" * 1_024}}}
    ),
    "WhatsApp as a document": but(
        _WHATSAPP,
        {
            _SAYS: {
                "document": {"link": "http://example.com/a", "caption": "c", "filename": "a.pdf"}
            }
        },
    ),
    "a template without components": but(
        _WHATSAPP, {_SAYS: {"template": {"name": "hello", "language": "fil"}}}
    ),
    "a step's own WhatsApp text instead of a template": but(
        _WHATSAPP, {_SAYS: _TEMPLATE, "/steps/0/content": {"whatsapp": {"text": "Hello"}}}
    ),
    "a step's text beside its own WhatsApp template": but(
        _WHATSAPP,
        {_SAYS: _TEMPLATE, "/steps/0/content": {"text": "Hello", "whatsapp": _TEMPLATE}},
    ),
    "a step's text for SMS beside a WhatsApp template": but(
        _ONE, {_SAYS: _TEMPLATE, "/steps/0/content": {"text": "Hello"}}
    ),
    "a recipient in the step alone": but(_ONE, {"/to": {}, "/steps/0/to": {"sms": "+12065550144"}}),
    "words in the step alone": but(_ONE, {"/content": {}, "/steps/0/content": {"text": "Hello"}}),
    "words for the channel in the step alone": but(
        _ONE, {"/content": GONE, "/steps/0/content": {"sms": {"text": "Hello"}}}
    ),
    "a recipient for a channel that is not planned": _ONE,
    "the shortest phone number": but(_ONE, {"/to/sms": "+2902158"}),
    "the longest phone number": but(_ONE, {"/to/sms": "+491551234567890"}),
    "an address of the SES simulator": but(
        _EMAIL, {"/to/email": "bounce+a@simulator.amazonses.com"}
    ),
    "the longest subject": but(_EMAIL, {"/content/subject": "s" * 998}),
    "a subject in any language": but(_EMAIL, {"/content/subject": "Grüße, 世界 🌍"}),
    "metadata with twenty entries": but(_ONE, {"/metadata": {str(n): "" for n in range(20)}}),
}

_MAY_BE_CHANNEL = "must be 'whatsapp', 'sms', 'email' or 'voice'"
_ONE_OF_TWO = "must contain either channel or broadcast"
_SUCCESS = "must be 'sent', 'delivered', 'read' or 'confirmed'"
_PHONE = "must be a phone number in E.164 format, for example +14255550156"
_EMAIL_ADDRESS = "must be an email address, for example ana@example.com"
_ASCII_LOCAL_PART = "must have only ASCII characters before the @"
_INVISIBLE = "must have at least one visible character"
_ONE_LINE = "must not contain line breaks or other control characters"
_INTEGER = "must be an integer"
_NO_FIELD = "is not a valid field"
_FORMS = "must contain exactly one of text, template, image and document"
_TEMPLATE_ALONE = "must contain either template, or subject, text and html"
_LINK = "must be a URL that starts with https:// or http://"
_EMPTY = "must not be empty"
_NULL = "must not be null"
_TOO_LARGE = "contains a number that is too large"
_SMS_SENDER = (
    "must be a phone number, a pool, a sender id, a Notify configuration, "
    "or the ARN of one of these"
)
_WHATSAPP_SENDER = "must be a phone number id: phone-number-id- followed by 32 hexadecimal digits"


def _unquoted(character: str) -> str:
    return (
        f"has a name with {character}, which must be in quotation marks, "
        'for example "Doe, Jane" <jane@example.com>'
    )


def _gsm(length: int) -> str:
    return (
        f"has {length} characters, counting each of ^ {{ }} \\ [ ] ~ | € and form feed as two; "
        "the maximum for an SMS in GSM 03.38 is 1530"
    )


def _unicode(length: int, first: str) -> str:
    return (
        f"has {length} UTF-16 code units; the maximum for an SMS in Unicode is 630, and {first} is "
        "not in GSM 03.38, where the maximum is 1530 characters"
    )


_SHORTER_SMS = ". Use content.sms.text for a shorter text"
_ZERO_WIDTH = "\u200b\u200d\ufeff\u2060\u00ad"


def _wrong(  # noqa: PLR0913 - one row of the table
    what: str,
    pointer: str,
    value: object,
    detail: str,
    unsaid: str = "",
    *,
    at: str | None = None,
    body: Any = _ONE,
) -> Wrong:
    """A right request with one wrong value; the problem is there or at another pointer."""
    named = pointer if at is None else at
    return Wrong(what, but(body, {pointer: value}), ((named, detail),), unsaid)


WRONG: list[Wrong] = [
    # ---- the plan
    _wrong("no steps", "/steps", GONE, "is required"),
    _wrong("empty steps", "/steps", [], _EMPTY),
    _wrong(
        "a step too many",
        "/steps",
        [{"channel": "sms"}] * 11,
        "has 11 entries; the maximum is 10",
    ),
    _wrong("steps that are no list", "/steps", {"channel": "sms"}, "must be an array"),
    _wrong("a step that is a word", "/steps/0", "sms", "must be an object"),
    _wrong("a step that is a list", "/steps/0", ["sms", "email"], "must be an object"),
    _wrong("neither channel nor broadcast", "/steps/0", {"wait_seconds": 45}, _ONE_OF_TWO),
    _wrong("both channel and broadcast", "/steps/0/broadcast", ["sms"], _ONE_OF_TWO, at="/steps/0"),
    _wrong("an unknown channel", "/steps/0/channel", "pigeon", _MAY_BE_CHANNEL),
    _wrong("a channel in capitals", "/steps/0/channel", "SMS", _MAY_BE_CHANNEL),
    _wrong("a channel that is a list", "/steps/0/channel", ["sms"], _MAY_BE_CHANNEL),
    _wrong(
        "an unknown channel in a broadcast",
        "/steps/0",
        {"broadcast": ["sms", "pigeon"]},
        _MAY_BE_CHANNEL,
        at="/steps/0/broadcast/1",
    ),
    _wrong(
        "a channel twice in a broadcast",
        "/steps/0",
        {"broadcast": ["sms", "email", "sms"]},
        "must not contain the same channel twice",
        at="/steps/0/broadcast",
    ),
    _wrong("a broadcast to nobody", "/steps/0", {"broadcast": []}, _EMPTY, at="/steps/0/broadcast"),
    _wrong(
        "a broadcast that is a word",
        "/steps/0",
        {"broadcast": "sms"},
        "must be an array",
        at="/steps/0/broadcast",
    ),
    # ---- waits, success, expiry
    _wrong("a wait too short", "/steps/0/wait_seconds", 4, "is 4; it must be from 5 to 86400"),
    _wrong(
        "a wait too long", "/steps/0/wait_seconds", 86_401, "is 86401; it must be from 5 to 86400"
    ),
    _wrong("a wait below zero", "/steps/0/wait_seconds", -1, "is -1; it must be from 5 to 86400"),
    _wrong("a wait as text", "/steps/0/wait_seconds", "45", _INTEGER),
    _wrong("a broken wait", "/steps/0/wait_seconds", 45.5, _INTEGER),
    _wrong("a wait with a point", "/steps/0/wait_seconds", 45.0, _INTEGER, INTEGER),
    _wrong("a wait that is true", "/steps/0/wait_seconds", True, _INTEGER),
    _wrong("an unknown success", "/steps/0/success", "answered", _SUCCESS),
    _wrong(
        "read on SMS",
        "/steps/0/success",
        "read",
        "must be 'sent', 'delivered' or 'confirmed'; only whatsapp supports 'read'",
    ),
    _wrong(
        "read of a broadcast with SMS",
        "/steps/0",
        {"broadcast": ["whatsapp", "sms"], "success": "read"},
        "must be 'sent', 'delivered' or 'confirmed'; only whatsapp supports 'read'",
        at="/steps/0/success",
    ),
    _wrong("an expiry too short", "/expires_in_seconds", 4, "is 4; it must be from 5 to 864000"),
    _wrong(
        "an expiry too long",
        "/expires_in_seconds",
        864_001,
        "is 864001; it must be from 5 to 864000",
    ),
    _wrong("an expiry as text", "/expires_in_seconds", "600", _INTEGER),
    # ---- recipients
    _wrong("no recipient", "/to/sms", GONE, "is required, because a step uses sms", LACKS),
    _wrong(
        "no recipients", "/to", GONE, "is required, because a step uses sms", LACKS, at="/to/sms"
    ),
    _wrong("a number without country", "/to/sms", "2065550143", _PHONE),
    _wrong("a number with spaces", "/to/sms", "+1 206 555 0143", _PHONE),
    _wrong("a number with 0 after +", "/to/sms", "+012065550143", _PHONE),
    _wrong("a number too long", "/to/whatsapp", "+1234567890123456", _PHONE),
    _wrong("a number too short", "/to/whatsapp", "+123456", _PHONE),
    _wrong(
        "a number without its last digits",
        "/to/sms",
        "+120655501",
        "has too few digits for a number of +1 (US)",
        LENGTH,
    ),
    _wrong(
        "a number without its area code",
        "/to/sms",
        "+15550143",
        "has too few digits for a number of +1 (US)",
        LENGTH,
    ),
    _wrong(
        "a number with a digit too many",
        "/to/whatsapp",
        "+120655501422",
        "has too many digits for a number of +1 (US)",
        LENGTH,
    ),
    _wrong(
        "a number of a length between the lengths of its country",
        "/to/sms",
        "+65555501432",
        "has an invalid length for a number of +65 (SG)",
        LENGTH,
    ),
    _wrong(
        "a number of no country",
        "/to/sms",
        "+21055550143",
        "must begin with a country calling code, for example +1 or +44",
        LENGTH,
    ),
    _wrong("a number that is a number", "/to/sms", 12065550143, "must be a string"),
    _wrong("no address", "/to/email", "bo", _EMAIL_ADDRESS),
    _wrong("an address without a domain's end", "/to/email", "bo@localhost", _EMAIL_ADDRESS),
    _wrong("an address with a name", "/to/email", "Bo <bo@example.org>", _EMAIL_ADDRESS),
    _wrong("two addresses", "/to/email", "bo@example.org,al@example.org", _EMAIL_ADDRESS),
    _wrong(
        "a header in an address",
        "/to/email",
        "bo@example.org\r\nBcc: al@example.org",
        _EMAIL_ADDRESS,
    ),
    _wrong("a dot too many", "/to/email", "bo..bo@example.org", _EMAIL_ADDRESS, ADDRESS),
    _wrong("an address too long", "/to/email", f"bo@{'a.' * 125}org", _EMAIL_ADDRESS),
    _wrong("a long local part", "/to/email", f"{'b' * 65}@example.org", _EMAIL_ADDRESS, ADDRESS),
    _wrong(
        "an address in letters that mail cannot carry",
        "/to/email",
        "bö@example.org",
        _ASCII_LOCAL_PART,
        ADDRESS,
    ),
    _wrong("an unknown channel's recipient", "/to/push", "device", _NO_FIELD),
    _wrong("recipients that are text", "/to", "+12065550143", "must be an object"),
    # ---- senders
    _wrong("an SMS sender with a space", "/from/sms", "my shop", _SMS_SENDER),
    _wrong("a phone number as WhatsApp sender", "/from/whatsapp", "+12065550101", _WHATSAPP_SENDER),
    _wrong(
        "an endless WhatsApp sender",
        "/from/whatsapp",
        "phone-number-id-" + "0" * 100,
        "has 116 characters; the maximum is 115",
    ),
    _wrong("a sender that is no address", "/from/email", "hello", _EMAIL_ADDRESS),
    _wrong(
        "a header in a sender",
        "/from/email",
        "Hi\r\nBcc: al@example.org <bo@example.org>",
        _ONE_LINE,
    ),
    _wrong("two senders", "/from/email", "bo@example.org, al@example.org", _EMAIL_ADDRESS, ADDRESS),
    _wrong(
        "a comma in a sender's name",
        "/from/email",
        "Doe, Jane <jane@example.org>",
        _unquoted("a comma"),
        ADDRESS,
    ),
    _wrong(
        "a colon in a sender's name",
        "/from/email",
        "Shop: Jane <jane@example.org>",
        _unquoted("a colon"),
        ADDRESS,
    ),
    _wrong(
        "an address as a sender's name",
        "/from/email",
        "jane@example.org <jane@example.org>",
        _unquoted("an @"),
        ADDRESS,
    ),
    _wrong(
        "a sender in letters that mail cannot carry",
        "/from/email",
        "Jö <jö@example.org>",
        _ASCII_LOCAL_PART,
        ADDRESS,
    ),
    _wrong("half a bracket", "/from/email", "Jane <jane@example.org", _EMAIL_ADDRESS, ADDRESS),
    _wrong(
        "a step's sender", "/steps/0/from", {"sms": "my shop"}, _SMS_SENDER, at="/steps/0/from/sms"
    ),
    # ---- what is said
    _wrong(
        "nothing to say", "/content", {}, "is required: sms needs a text", LACKS, at="/content/sms"
    ),
    _wrong(
        "nothing for WhatsApp",
        "/content",
        {},
        "is required: whatsapp needs a text, a template, an image or a document",
        LACKS,
        at=_SAYS,
        body=_WHATSAPP,
    ),
    _wrong(
        "an email without subject",
        "/content/subject",
        GONE,
        "is required: email needs a subject with text or html, or a template",
        LACKS,
        at="/content/email",
        body=_EMAIL,
    ),
    _wrong(
        "an email of a subject alone",
        "/content/text",
        GONE,
        "is required: email needs a subject with text or html, or a template",
        LACKS,
        at="/content/email",
        body=_EMAIL,
    ),
    Wrong(
        "a step's text instead of a WhatsApp template",
        but(VALID, {_SAYS: _TEMPLATE, "/steps/0/content": {"text": "Hello"}}),
        (
            (
                "/steps/0/content/text",
                (
                    "would replace the template in content.whatsapp. To send this text, use "
                    "content.whatsapp.text in the step; to send the template, repeat it in "
                    "content.whatsapp.template in the step"
                ),
            ),
        ),
        REPLACED,
    ),
    Wrong(
        "a step's subject instead of a WhatsApp template",
        but(_WHATSAPP, {_SAYS: _TEMPLATE, "/steps/0/content": {"subject": "Hello"}}),
        (
            (
                "/steps/0/content/whatsapp",
                (
                    "is required: whatsapp needs a text, a template, an image or a document. "
                    "The step's content replaces the template of the message's content"
                ),
            ),
        ),
        REPLACED,
    ),
    Wrong(
        "a step's text instead of an email template",
        but(
            _EMAIL,
            {
                "/content/email": {"template": {"name": "secret"}},
                "/steps/0/content": {"text": "Hello"},
            },
        ),
        (
            (
                "/steps/0/content/email",
                (
                    "is required: email needs a subject with text or html, or a template. "
                    "The step's content replaces the template of the message's content"
                ),
            ),
        ),
        REPLACED,
    ),
    _wrong("a blank text", "/content/text", " \n", "must not be blank"),
    _wrong("an empty text", "/content/text", "", "must not be blank"),
    _wrong("a text of zero-width characters", "/content/text", _ZERO_WIDTH, _INVISIBLE),
    _wrong("a text of a Hangul filler", "/content/text", "\u3164", _INVISIBLE),
    _wrong("a text of null characters", "/content/text", "\x00", _INVISIBLE),
    _wrong(
        "an SMS of zero-width characters",
        "/content/sms",
        {"text": _ZERO_WIDTH},
        _INVISIBLE,
        at="/content/sms/text",
    ),
    _wrong("a text that is a number", "/content/text", 987654, "must be a string"),
    _wrong(
        "a long SMS",
        "/content/text",
        "x" * 1_531,
        _gsm(1_531) + _SHORTER_SMS,
        LONGEST,
    ),
    _wrong(
        "a long SMS with characters that count as two",
        "/content/text",
        "€" * 765 + "x",
        _gsm(1_531) + _SHORTER_SMS,
        LONGEST,
    ),
    _wrong(
        "a long SMS in other letters",
        "/content/text",
        "x" * 600 + "ж" * 31,
        _unicode(631, "character 601 (U+0436)") + _SHORTER_SMS,
        LONGEST,
    ),
    _wrong(
        "a long SMS of emoji",
        "/content/text",
        "😀" * 335,
        _unicode(670, "character 1 (U+1F600)") + _SHORTER_SMS,
        LONGEST,
    ),
    _wrong(
        "a long WhatsApp text",
        "/content/text",
        "x" * 4_097,
        "has 4097 characters; the maximum for whatsapp is 4096. "
        "Use content.whatsapp.text for a shorter text",
        LONGEST,
        body=_WHATSAPP,
    ),
    _wrong(
        "a long SMS in a step",
        "/steps/0/content",
        {"text": "x" * 1_531},
        _gsm(1_531) + _SHORTER_SMS,
        LONGEST,
        at="/steps/0/content/text",
    ),
    _wrong(
        "a long SMS of its own",
        "/content/sms",
        {"text": "x" * 1_531},
        _gsm(1_531),
        at="/content/sms/text",
    ),
    _wrong(
        "a long SMS of its own in other letters",
        "/content/sms",
        {"text": "ж" * 631},
        _unicode(631, "character 1 (U+0436)"),
        LONGEST,
        at="/content/sms/text",
    ),
    _wrong(
        "a long WhatsApp text of its own",
        _SAYS,
        {"text": "x" * 4_097},
        "has 4097 characters; the maximum is 4096",
        at=f"{_SAYS}/text",
    ),
    _wrong("a header in a subject", "/content/subject", "Hi\r\nBcc: al@example.org", _ONE_LINE),
    _wrong(
        "a header in an email's own subject",
        "/content/email",
        {"subject": "Hi\nTo: x"},
        _ONE_LINE,
        at="/content/email/subject",
    ),
    _wrong("a delete character in a subject", "/content/subject", "Hi\x7f", _ONE_LINE),
    _wrong("a null character in a subject", "/content/subject", "Hi\x00", _ONE_LINE),
    _wrong(
        "an endless subject",
        "/content/subject",
        "s" * 999,
        "has 999 characters; the maximum is 998",
    ),
    _wrong("an empty subject", "/content/subject", "", _EMPTY),
    _wrong("WhatsApp in no form", _SAYS, {}, _FORMS),
    _wrong(
        "WhatsApp in two forms",
        _SAYS,
        {"text": "a", "image": {"link": "https://example.com"}},
        _FORMS,
    ),
    _wrong(
        "a template without a name",
        _SAYS,
        {"template": {"language": "en"}},
        "is required",
        at=f"{_SAYS}/template/name",
    ),
    _wrong(
        "a template with a blank name",
        _SAYS,
        {"template": {"name": " ", "language": "en"}},
        "can contain up to 512 lowercase letters, digits and _",
        at=f"{_SAYS}/template/name",
    ),
    _wrong(
        "a template with a name in capitals",
        _SAYS,
        {"template": {"name": "Login", "language": "en"}},
        "can contain up to 512 lowercase letters, digits and _",
        at=f"{_SAYS}/template/name",
    ),
    _wrong(
        "an empty component",
        _SAYS,
        {"template": {"name": "a", "language": "en", "components": [{}]}},
        "must have a type, for example body",
        at=f"{_SAYS}/template/components/0",
    ),
    _wrong(
        "a component with a blank type",
        _SAYS,
        {"template": {"name": "a", "language": "en", "components": [{"type": " "}]}},
        "must have a type, for example body",
        at=f"{_SAYS}/template/components/0",
    ),
    *(
        _wrong(
            f"a component with {what}",
            _SAYS,
            {
                "template": {
                    "name": "a",
                    "language": "en",
                    "components": [{"type": "body", "parameters": parameters}],
                }
            },
            "must have parameters that are objects with a type and a value that is not blank",
            at=f"{_SAYS}/template/components/0",
        )
        for what, parameters in {
            "parameters that are no list": {"type": "text", "text": "x"},
            "a parameter that is text": ["x"],
            "an empty parameter": [{}],
            "a parameter without its text": [{"type": "text"}],
            "a parameter with a blank text": [{"type": "text", "text": " "}],
        }.items()
    ),
    _wrong(
        "a language in words",
        _SAYS,
        {"template": {"name": "a", "language": "english"}},
        "must be a language code, for example en or en_US",
        at=f"{_SAYS}/template/language",
    ),
    _wrong(
        "too many components",
        _SAYS,
        {"template": {"name": "a", "language": "en", "components": [{}] * 21}},
        "has 21 entries; the maximum is 20",
        at=f"{_SAYS}/template/components",
    ),
    _wrong(
        "a component that is text",
        _SAYS,
        {"template": {"name": "a", "language": "en", "components": ["body"]}},
        "must be an object",
        at=f"{_SAYS}/template/components/0",
    ),
    _wrong(
        "a link of another kind",
        _SAYS,
        {"image": {"link": "ftp://example.com/a.png"}},
        _LINK,
        at=f"{_SAYS}/image/link",
    ),
    _wrong(
        "a link with a space",
        _SAYS,
        {"image": {"link": "https://example.com/a b"}},
        _LINK,
        at=f"{_SAYS}/image/link",
    ),
    _wrong(
        "an endless link",
        _SAYS,
        {"image": {"link": "https://" + "a" * 2_041}},
        "has 2049 characters; the maximum is 2048",
        at=f"{_SAYS}/image/link",
    ),
    _wrong(
        "an empty caption",
        _SAYS,
        {"image": {"link": "https://example.com", "caption": ""}},
        _EMPTY,
        at=f"{_SAYS}/image/caption",
    ),
    _wrong(
        "a blank caption",
        _SAYS,
        {"image": {"link": "https://example.com", "caption": " "}},
        "must not be blank",
        at=f"{_SAYS}/image/caption",
    ),
    _wrong(
        "a caption of zero-width characters",
        _SAYS,
        {"document": {"link": "https://example.com", "caption": _ZERO_WIDTH}},
        _INVISIBLE,
        at=f"{_SAYS}/document/caption",
    ),
    _wrong(
        "a blank file name",
        _SAYS,
        {"document": {"link": "https://example.com", "filename": " "}},
        "must not be blank",
        at=f"{_SAYS}/document/filename",
    ),
    _wrong(
        "a long caption",
        _SAYS,
        {"image": {"link": "https://example.com", "caption": "c" * 1_025}},
        "has 1025 characters; the maximum is 1024",
        at=f"{_SAYS}/image/caption",
    ),
    _wrong(
        "a picture with a file name",
        _SAYS,
        {"image": {"link": "https://example.com", "filename": "a"}},
        _NO_FIELD,
        at=f"{_SAYS}/image/filename",
    ),
    _wrong(
        "a line break in a file name",
        _SAYS,
        {"document": {"link": "https://example.com", "filename": "a\nb"}},
        _ONE_LINE,
        at=f"{_SAYS}/document/filename",
    ),
    _wrong(
        "email as template and text",
        "/content/email",
        {"template": {"name": "a"}, "text": "b"},
        _TEMPLATE_ALONE,
    ),
    _wrong(
        "a template's name with a space",
        "/content/email",
        {"template": {"name": "a b"}},
        "can contain up to 64 letters, digits, _ and -",
        at="/content/email/template/name",
    ),
    _wrong(
        "a value that is no number",
        "/content/email",
        {"template": {"name": "a", "data": {"n": float("inf")}}},
        _TOO_LARGE,
        FINITE,
        at="/content/email/template/data",
    ),
    # ---- everything else
    _wrong("an unknown field", "/priority", 1, _NO_FIELD),
    Wrong("an unknown field with / and ~", {**_ONE, "a/b~c": 1}, (("/a~1b~0c", _NO_FIELD),)),
    _wrong(
        "the inner name of a field",
        "/from_",
        {"sms": "+12065550101"},
        f"{_NO_FIELD}; did you mean `from`?",
    ),
    _wrong(
        "a shortened field in a step",
        "/steps/0/wait",
        45,
        f"{_NO_FIELD}; did you mean `wait_seconds`?",
    ),
    _wrong(
        "a misspelled field in a template",
        _SAYS,
        {"template": {"name": "a", "language": "en", "component": []}},
        f"{_NO_FIELD}; did you mean `components`?",
        at=f"{_SAYS}/template/component",
    ),
    _wrong(
        "a misspelled field in a step's content",
        "/steps/0/content",
        {"sms": {"txt": "x", "text": "x"}},
        f"{_NO_FIELD}; did you mean `text`?",
        at="/steps/0/content/sms/txt",
    ),
    _wrong("an unknown field in a step", "/steps/0/priority", 1, _NO_FIELD),
    _wrong(
        "an unknown category",
        "/category",
        "spam",
        "must be 'authentication', 'utility' or 'marketing'",
    ),
    _wrong(
        "metadata that is no text",
        "/metadata",
        {"order": 42},
        "must be a string",
        at="/metadata/order",
    ),
    _wrong("metadata that is a list", "/metadata", ["order"], "must be an object"),
    _wrong("a nameless entry in metadata", "/metadata", {"": "x"}, _EMPTY, at="/metadata/"),
    _wrong(
        "a long name in metadata",
        "/metadata",
        {"k" * 65: "x"},
        "has 65 characters; the maximum is 64",
        at=f"/metadata/{'k' * 65}",
    ),
    _wrong(
        "a long entry in metadata",
        "/metadata",
        {"k": "x" * 257},
        "has 257 characters; the maximum is 256",
        at="/metadata/k",
    ),
    _wrong(
        "too much metadata",
        "/metadata",
        {str(n): "" for n in range(21)},
        "has 21 entries; the maximum is 20",
    ),
    _wrong("a null recipient", "/to/sms", None, _NULL),
    _wrong("null words", "/content/sms", None, _NULL),
    _wrong(
        "a step's null words", "/steps/0/content", {"sms": None}, _NULL, at="/steps/0/content/sms"
    ),
    _wrong("a null wait", "/steps/0/wait_seconds", None, _NULL),
    _wrong("a null category", "/category", None, _NULL),
    Wrong("a list", [VALID], (("", "must be an object"),)),
    Wrong("a text", "sms", (("", "must be an object"),)),
    Wrong("a number", 1, (("", "must be an object"),)),
    Wrong("nothing", None, (("", "must be an object"),)),
]

# ---- the body of AWS's sample

_SAMPLE_SMS = {
    "channel": "sms",
    "sender": "+12065550100",
    "recipient": "+12065550143",
    "sms": {"message": "Your secret is 987654.", "message_type": "TRANSACTIONAL"},
}
_SAMPLE_WHATSAPP = {
    "channel": "whatsapp",
    "sender": "+12065550101",
    "recipient": "+12065550142",
    "whatsapp": {"message": "Your secret is 987654."},
}
SAMPLE_EMAIL = {
    "channel": "email",
    "sender": "hello@example.org",
    "recipient": "bo@example.org",
    "email": {"subject": "Your secret", "text": "It is 987654.", "html": "<p>987654</p>"},
}
SAMPLE: dict[str, Any] = {
    "use_case": "fallback",
    "fallback_seconds": "60",
    "pc": _SAMPLE_WHATSAPP,
    "fc": _SAMPLE_SMS,
}
# As its README lays it out: every object is there, what is not used is empty.
_EMPTY_OBJECTS = {
    "email": {"subject": "", "text": "", "html": "", "template": "", "configuration_set": ""},
    "sms": {"message": "", "message_type": "", "configuration_set": ""},
    "whatsapp": {"message": ""},
}
SAMPLE_FULL: dict[str, Any] = {
    "use_case": "fallback",
    "fallback_seconds": 60,
    "pc": {**_EMPTY_OBJECTS, **SAMPLE_EMAIL},
    "fc": {**_EMPTY_OBJECTS, **_SAMPLE_SMS},
}
_BROADCAST = {**SAMPLE, "use_case": "broadcast"}

SAMPLE_RIGHT: dict[str, Any] = {
    "fallback": SAMPLE,
    "broadcast": _BROADCAST,
    "every object, the unused ones empty": SAMPLE_FULL,
    "nulls": but(SAMPLE, {"/fallback_seconds": None, "/fc/sms/message_type": None}),
    "no fallback_seconds": but(SAMPLE, {"/fallback_seconds": GONE}),
    "a broadcast with fallback_seconds that it does not use": {**_BROADCAST, "fallback_seconds": 0},
    "the same channel twice": {**SAMPLE, "pc": _SAMPLE_SMS},
    "a template in SES": but(SAMPLE, {"/fc": {**SAMPLE_EMAIL, "email": {"template": "secret"}}}),
}

SAMPLE_WRONG: list[Wrong] = [
    _wrong(
        "an unknown use case", "/use_case", "both", "must be 'fallback' or 'broadcast'", body=SAMPLE
    ),
    _wrong("no primary channel", "/pc", GONE, "is required", body=SAMPLE),
    _wrong("no fallback channel", "/fc", GONE, "is required", body=SAMPLE),
    _wrong("no channel", "/fc/channel", GONE, "is required", body=SAMPLE),
    _wrong(
        "an unknown channel",
        "/fc/channel",
        "pigeon",
        "must be 'whatsapp', 'sms' or 'email'",
        body=SAMPLE,
    ),
    _wrong("no sender", "/fc/sender", GONE, "is required", body=SAMPLE),
    _wrong("no recipient", "/pc/recipient", GONE, "is required", body=SAMPLE),
    _wrong("an empty recipient", "/pc/recipient", "", _PHONE, body=SAMPLE),
    _wrong(
        "a number without country", "/fc/recipient", "2065550143", _PHONE, BY_CHANNEL, body=SAMPLE
    ),
    _wrong(
        "an SMS sender with a space", "/fc/sender", "my shop", _SMS_SENDER, BY_CHANNEL, body=SAMPLE
    ),
    _wrong(
        "a WhatsApp sender that is none",
        "/pc/sender",
        "shop!",
        _WHATSAPP_SENDER,
        BY_CHANNEL,
        body=SAMPLE,
    ),
    _wrong(
        "no message",
        "/fc/sms/message",
        GONE,
        "is required: sms needs a message",
        BY_CHANNEL,
        at="/fc/sms",
        body=SAMPLE,
    ),
    _wrong(
        "an empty message",
        "/pc/whatsapp/message",
        "",
        "is required: whatsapp needs a message",
        BY_CHANNEL,
        at="/pc/whatsapp",
        body=SAMPLE,
    ),
    _wrong("a blank message", "/fc/sms/message", " ", "must not be blank", BY_CHANNEL, body=SAMPLE),
    _wrong(
        "a long SMS",
        "/fc/sms/message",
        "x" * 1_531,
        _gsm(1_531),
        BY_CHANNEL,
        body=SAMPLE,
    ),
    _wrong(
        "a long WhatsApp message",
        "/pc/whatsapp/message",
        "x" * 4_097,
        "has 4097 characters; the maximum is 4096",
        BY_CHANNEL,
        body=SAMPLE,
    ),
    _wrong(
        "an unknown message type",
        "/fc/sms/message_type",
        "URGENT",
        "must be 'PROMOTIONAL', 'TRANSACTIONAL' or ''",
        body=SAMPLE,
    ),
    _wrong(
        "a header in a subject",
        "/pc/email/subject",
        "Hi\nBcc: al@example.org",
        _ONE_LINE,
        BY_CHANNEL,
        body=SAMPLE_FULL,
    ),
    _wrong(
        "no subject",
        "/pc/email/subject",
        "",
        "is required: email needs a subject with text or html, or a template",
        BY_CHANNEL,
        at="/pc/email",
        body=SAMPLE_FULL,
    ),
    _wrong(
        "a blank text", "/pc/email/text", " ", "must not be blank", BY_CHANNEL, body=SAMPLE_FULL
    ),
    _wrong(
        "a template's name with a space",
        "/pc/email/template",
        "a b",
        "can contain up to 64 letters, digits, _ and -",
        BY_CHANNEL,
        body=SAMPLE_FULL,
    ),
    _wrong("no address", "/pc/recipient", "bo", _EMAIL_ADDRESS, BY_CHANNEL, body=SAMPLE_FULL),
    _wrong("a wait in words", "/fallback_seconds", "soon", _INTEGER, IN_TEXT, body=SAMPLE),
    _wrong(
        "a wait too short",
        "/fallback_seconds",
        4,
        "is 4; it must be from 5 to 86400",
        IN_TEXT,
        body=SAMPLE,
    ),
    _wrong(
        "a wait too long, as text",
        "/fallback_seconds",
        "86401",
        "is 86401; it must be from 5 to 86400",
        IN_TEXT,
        body=SAMPLE,
    ),
    _wrong("an endless wait", "/fallback_seconds", "9" * 5_000, _INTEGER, IN_TEXT, body=SAMPLE),
    _wrong("a wait with a point", "/fallback_seconds", 60.5, _INTEGER, body=SAMPLE),
    _wrong("a wait that is a list", "/fallback_seconds", [60], _INTEGER, body=SAMPLE),
    _wrong("a wait that is true", "/fallback_seconds", True, _INTEGER, body=SAMPLE),
    _wrong(
        "a broadcast to one channel",
        "/pc",
        _SAMPLE_SMS,
        "must differ from the channel of pc",
        DIFFERENT,
        at="/fc/channel",
        body=_BROADCAST,
    ),
    _wrong("an unknown field", "/priority", 1, _NO_FIELD, body=SAMPLE),
    _wrong("an unknown field of a channel", "/fc/sms/text", "x", _NO_FIELD, body=SAMPLE),
    _wrong("a field of ours", "/steps", [], _NO_FIELD, body=SAMPLE),
    Wrong(
        "a misspelled use case",
        but({**SAMPLE, "usecase": "fallback"}, {"/use_case": GONE}),
        (
            ("/use_case", "is required"),
            ("/usecase", f"{_NO_FIELD}; did you mean `use_case`?"),
        ),
    ),
    _wrong(
        "a misspelled field of a channel",
        "/fc/recipients",
        "x",
        f"{_NO_FIELD}; did you mean `recipient`?",
        body=SAMPLE,
    ),
]
