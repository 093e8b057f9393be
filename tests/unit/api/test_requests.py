"""What may be asked, and how the refusal names what is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from messaging.api import requests
from messaging.domain.errors import InvalidRequest
from messaging.domain.plan import RequestedStep
from messaging.domain.statuses import Success
from tests.support.request_cases import (
    FULL,
    NO_SENDERS,
    RIGHT,
    SAMPLE_WRONG,
    SENDERS,
    VALID,
    WRONG,
    Wrong,
    but,
)

HARMLESS = {"channel", "broadcast", "success", "fallback_seconds"}
WAITS = {"whatsapp": 45, "sms": 120, "email": 300}
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


def problems(body: object, senders: dict[str, str] = SENDERS) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        requests.check(body, senders)
    return [(one.pointer, one.detail) for one in refused.value.problems]


def said(body: object) -> Iterator[str]:
    """Every address and every text in a request."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from () if name in HARMLESS else said(value)
    elif isinstance(body, list):
        for value in body:
            yield from said(value)
    elif isinstance(body, str) and len(body) > 3:
        yield body


# ---- taken


@pytest.mark.parametrize("body", RIGHT.values(), ids=RIGHT)
def test_a_right_request_is_taken(body: object) -> None:
    assert requests.check(body, SENDERS).steps


def test_the_planner_is_told_the_steps() -> None:
    request = requests.check(FULL, SENDERS)

    assert request.steps == (
        RequestedStep(("whatsapp",), wait_seconds=5, success=Success.READ),
        RequestedStep(("email", "sms", "whatsapp"), True, 86_400, Success.SENT),
        RequestedStep(("email",)),
    )
    assert [step.broadcast for step in request.steps] == [False, True, False]
    assert request.expires_in_seconds == 864_000


def test_the_document_is_what_was_asked_and_the_category() -> None:
    assert requests.check(FULL, SENDERS).document == FULL
    assert requests.check(VALID, SENDERS).document == {**VALID, "category": "utility"}


def test_a_domain_in_other_letters_is_written_as_mail_carries_it() -> None:
    request = requests.check(but(VALID, {"/to/email": "bo@bücher.example"}), SENDERS)

    assert request.document["to"]["email"] == "bo@xn--bcher-kva.example"


def test_a_message_has_its_plan_and_its_end() -> None:
    body = but(VALID, {"/expires_in_seconds": 46})
    message = requests.check(body, SENDERS).message("m1", NOW, WAITS)

    assert (message.message_id, message.accepted_at) == ("m1", NOW)
    assert message.expires_at == NOW + timedelta(seconds=46)
    waits = [(one.channel, one.wait_seconds) for one in message.plan.attempts]
    assert waits == [("whatsapp", 45), ("sms", 46), ("sms", 46), ("email", 46)]


def test_a_message_without_an_expiry_does_not_end() -> None:
    message = requests.check(VALID, SENDERS).message("m1", NOW, WAITS)

    assert message.expires_at is None
    assert [one.wait_seconds for one in message.plan.attempts] == [45, 120, 120, 300]


# ---- refused


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.what)
def test_what_is_wrong_is_named(wrong: Wrong) -> None:
    assert problems(wrong.body) == list(wrong.problems)


def test_what_grows_too_large_to_be_kept_is_refused() -> None:
    data = {"numbers": [1e15] * 50_000}
    body = but(VALID, {"/content/email": {"template": {"name": "order", "data": data}}})

    [(pointer, detail)] = problems(body)
    assert pointer == ""
    assert detail.endswith("bytes after serialization; the maximum is 384000")


def test_all_wrong_fields_are_named_at_once() -> None:
    body = {
        "to": {"sms": "0425", "email": "bo"},
        "from": {"whatsapp": "+12065550101"},
        "content": {"text": " ", "subject": "a\r\nb"},
        "steps": [{"channel": "sms", "wait_seconds": 1}, {}, {"channel": "pigeon"}],
        "category": "spam",
        "expires_in_seconds": 1,
        "priority": 1,
    }

    assert {pointer for pointer, _ in problems(body)} == {
        "/to/sms",
        "/to/email",
        "/from/whatsapp",
        "/content/text",
        "/content/subject",
        "/steps/0/wait_seconds",
        "/steps/1",
        "/steps/2/channel",
        "/category",
        "/expires_in_seconds",
        "/priority",
    }


def test_all_that_a_plan_lacks_is_named_at_once_and_once_only() -> None:
    body = {"steps": [{"channel": "sms"}, {"broadcast": ["sms", "email"]}]}

    assert [pointer for pointer, _ in problems(body, NO_SENDERS)] == [
        "/to/sms",
        "/from/sms",
        "/content/sms",
        "/to/email",
        "/from/email",
        "/content/email",
    ]


def test_a_text_too_long_for_two_channels_is_named_for_both() -> None:
    body = but(VALID, {"/content/text": "x" * 4_097})
    details = [detail for pointer, detail in problems(body) if pointer == "/content/text"]

    assert ["sms" in one for one in details] == [False, True]
    assert ["4096" in one for one in details] == [True, False]


@pytest.mark.parametrize("wrong", WRONG + SAMPLE_WRONG, ids=lambda wrong: wrong.what)
def test_no_sentence_quotes_an_address_or_a_text(wrong: Wrong) -> None:
    quoted = [
        text for text in said(wrong.body) for _, detail in problems(wrong.body) if text in detail
    ]

    assert quoted == []


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "email"])
def test_a_stack_without_a_sender_asks_for_one(channel: str) -> None:
    body = but(VALID, {"/steps": [{"channel": channel}]})
    lack = (f"/from/{channel}", "is required, because the stack has no sender for this channel")

    assert problems(body, {**SENDERS, channel: ""}) == [lack]


@pytest.mark.parametrize("holder", ["/from", "/steps/0/from"])
def test_a_sender_in_the_request_or_in_its_step_is_enough(holder: str) -> None:
    body = but(VALID, {"/steps": [{"channel": "sms"}], holder: {"sms": "MyShop"}})

    assert requests.check(body, NO_SENDERS).steps


def test_what_a_step_of_its_own_words_lacks_is_named_there() -> None:
    own = {"channel": "email", "to": {}, "content": {"html": "<p>Hello</p>"}}

    assert [pointer for pointer, _ in problems({"steps": [own]})] == [
        "/steps/0/to/email",
        "/steps/0/content/email",
    ]


def test_what_stands_in_one_step_does_not_serve_another() -> None:
    own = {
        "to": {"sms": "+12065550144"},
        "from": {"sms": "MyShop"},
        "content": {"text": "Hello"},
    }
    body = {"steps": [{"channel": "sms", **own}, {"channel": "sms"}]}

    assert [pointer for pointer, _ in problems(body, NO_SENDERS)] == [
        "/to/sms",
        "/from/sms",
        "/content/sms",
    ]


# Python's and JSON Schema's $ let a line break pass, so these are not in the common table.
@pytest.mark.parametrize(
    "pointer", ["/to/sms", "/to/email", "/from/sms", "/from/whatsapp", "/from/email"]
)
def test_a_line_break_at_the_end_is_refused(pointer: str) -> None:
    _, holder, channel = pointer.split("/")
    address = VALID["to"][channel] if holder == "to" else SENDERS[channel]
    body = but(VALID, {pointer: f"{address}\n"})

    assert [named for named, _ in problems(body)] == [pointer]


# ---- JSON


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"to=sms",
        b"{'steps': []}",
        b'{"steps": [],}',
        b'{"steps": []} {}',
        b'{"n": NaN}',
        b'{"n": -Infinity}',
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        b'{"text": "\\ud800"}',
        b'{"text": "two\nlines"}',
        b"[" * 100_000,
        b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
        b"9" * 5_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_not_json_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        requests.read(body)

    [problem] = refused.value.problems
    assert problem.pointer == ""
    assert problem.detail.startswith("is not valid JSON: ")


def test_json_is_read_as_it_stands() -> None:
    body: Any = '{"a": ["é", 1.5, null, true]}'

    assert requests.read(body.encode()) == {"a": ["é", 1.5, None, True]}


def test_a_sentence_about_broken_json_does_not_quote_it() -> None:
    with pytest.raises(InvalidRequest) as refused:
        requests.read(b'{"to": {"sms": "+12065550143"}, "content": {"text": "987654" "x"')

    assert "12065550143" not in str(refused.value)
    assert "987654" not in str(refused.value)
