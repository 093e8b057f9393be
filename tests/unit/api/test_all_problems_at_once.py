"""Every problem of a request is in one answer, each once: invalid fields, and what is missing."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.api import requests
from messaging.domain.errors import InvalidRequest, Problem
from tests.support.request_cases import (
    GONE,
    NO_SENDERS,
    RIGHT,
    SAMPLE,
    SAMPLE_EMAIL,
    SAMPLE_FULL,
    SENDERS,
    VALID,
    but,
)

ONE = {**VALID, "steps": [{"channel": "sms"}]}
BROADCAST = {**SAMPLE, "use_case": "broadcast"}
# Changes that make one problem each, wherever the others are.
INVALID: dict[str, object] = {
    "/to/whatsapp": "0425",
    "/from": {"sms": "my shop"},
    "/content/html": " ",
    "/steps/1/wait_seconds": 1,
    "/steps/2/success": "read",
    "/category": "spam",
    "/expires_in_seconds": "600",
    "/metadata": {"order": 42},
    "/priority": 1,
}
MISSING: dict[str, object] = {
    "/to/sms": GONE,
    "/to/email": GONE,
    "/content/subject": GONE,
}
SAMPLE_CHANGES: dict[str, object] = {
    "/priority": 1,
    "/fallback_seconds": 1,
    "/pc/recipient": "0425",
    "/pc/sender": "shop!",
    "/pc/whatsapp/message": "",
    "/pc/email": {"subject": 5},
    "/fc/sender": GONE,
    "/fc/recipient": GONE,
    "/fc/sms/message": GONE,
    "/fc/sms/message_type": "URGENT",
}


def problems(body: object, senders: dict[str, str] = SENDERS) -> list[Problem]:
    try:
        requests.check(body, senders)
    except InvalidRequest as error:
        return error.problems
    return []


def pointers(body: object, senders: dict[str, str] = SENDERS) -> list[str]:
    return [one.pointer for one in problems(body, senders)]


# ---- what is invalid hides nothing that is missing


def test_an_invalid_field_and_a_missing_recipient_are_in_one_answer() -> None:
    body = but(VALID, {"/to/sms": GONE, "/to/email": "bo", "/content/subject": GONE})

    assert problems(body, NO_SENDERS | {"whatsapp": SENDERS["whatsapp"]}) == [
        Problem("/to/email", "must be an email address, for example ana@example.com"),
        Problem("/to/sms", "is required, because a step uses sms"),
        Problem("/from/sms", "is required, because the stack has no sender for this channel"),
        Problem("/from/email", "is required, because the stack has no sender for this channel"),
        Problem(
            "/content/email", "is required: email needs a subject with text or html, or a template"
        ),
    ]


def test_a_text_that_is_too_long_is_in_the_same_answer() -> None:
    body = but(ONE, {"/content/text": "x" * 1_531, "/category": "spam"})

    assert pointers(body) == ["/category", "/content/text"]


def test_a_malformed_step_hides_nothing_of_the_others() -> None:
    body = {"steps": ["sms", {"channel": "sms", "wait_seconds": "long"}, {"channel": "email"}]}

    assert pointers(body) == [
        "/steps/0",
        "/steps/1/wait_seconds",
        "/to/sms",
        "/content/sms",
        "/to/email",
        "/content/email",
    ]


def test_the_known_channels_of_a_broadcast_are_looked_at() -> None:
    body = but(VALID, {"/steps": [{"broadcast": ["sms", "pigeon"]}], "/to": {}})

    assert pointers(body) == ["/steps/0/broadcast/1", "/to/sms"]


def test_what_grows_too_large_hides_nothing_that_is_missing() -> None:
    data = {"numbers": [1e15] * 50_000}
    body = but(ONE, {"/content/email": {"template": {"name": "a", "data": data}}, "/to": {}})

    assert pointers(body) == ["", "/to/sms"]


@settings(deadline=None)
@given(
    st.sets(st.sampled_from(sorted(INVALID))),
    st.sets(st.sampled_from(sorted(MISSING))),
)
def test_the_problems_are_those_of_each_change_alone(invalid: set[str], missing: set[str]) -> None:
    changes = {pointer: (INVALID | MISSING)[pointer] for pointer in sorted(invalid | missing)}
    alone = [
        one for pointer in changes for one in problems(but(VALID, {pointer: changes[pointer]}))
    ]
    found = problems(but(VALID, changes))

    assert sorted(found, key=str) == sorted(alone, key=str)
    assert found == problems(but(VALID, dict(reversed(changes.items()))))
    assert all("is required" in one.detail for one in found[len(invalid) :])


# ---- what is there but invalid is not missing too


@pytest.mark.parametrize(
    ("changes", "invalid"),
    [
        ({"/to": "+12065550143"}, "/to"),
        ({"/to": None}, "/to"),
        ({"/to/sms": None}, "/to/sms"),
        ({"/to/sms": 5}, "/to/sms"),
        ({"/to": {}, "/steps/0/to": {"sms": "0425"}}, "/steps/0/to/sms"),
        ({"/to": {}, "/steps/0/to": []}, "/steps/0/to"),
        ({"/content": "Hello"}, "/content"),
        ({"/content": None}, "/content"),
        ({"/content/text": 5}, "/content/text"),
        ({"/content/text": " "}, "/content/text"),
        ({"/content": {"sms": "Hello"}}, "/content/sms"),
        ({"/content": {"sms": {}}}, "/content/sms"),
        ({"/content": {"sms": {"text": " "}}}, "/content/sms/text"),
        ({"/content": {"sms": {"text": "x" * 1_531}}}, "/content/sms/text"),
        ({"/content": {}, "/steps/0/content": {"text": 5}}, "/steps/0/content/text"),
        ({"/content": {}, "/steps/0/content": 5}, "/steps/0/content"),
        ({"/content": {}, "/steps/0/content": {"sms": None}}, "/steps/0/content/sms"),
        ({"/content": {}, "/to": {}, "/steps/0/channel": "pigeon"}, "/steps/0/channel"),
        ({"/content": {}, "/to": {}, "/steps/0": {}}, "/steps/0"),
        ({"/content": {}, "/to": {}, "/steps/0/broadcast": ["sms"]}, "/steps/0"),
        ({"/content": {}, "/to": {}, "/steps/0": {"broadcast": "sms"}}, "/steps/0/broadcast"),
        ({"/content": {}, "/to": {}, "/steps/0": {"channel": None}}, "/steps/0/channel"),
        ({"/content": {}, "/to": {}, "/steps": "sms"}, "/steps"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_invalid_is_named_once(changes: dict[str, object], invalid: str) -> None:
    assert pointers(but(ONE, changes)) == [invalid]


def test_an_invalid_sender_is_not_missing() -> None:
    assert pointers(but(ONE, {"/from": {"sms": "my shop"}}), NO_SENDERS) == ["/from/sms"]
    assert pointers(but(ONE, {"/from": "MyShop"}), NO_SENDERS) == ["/from"]


@pytest.mark.parametrize(
    "content", [{"template": {"name": "a"}, "text": "b"}, {"template": {"name": "a b"}}]
)
def test_an_invalid_template_is_something_to_say(content: dict[str, object]) -> None:
    body = {**VALID, "content": {"email": content}, "steps": [{"channel": "email"}]}

    assert len(problems(body)) == 1


# ---- the sample's body


def test_a_sample_with_an_unknown_field_hears_of_the_rest_too() -> None:
    body = but(
        SAMPLE,
        {
            "/priority": 1,
            "/fallback_seconds": 1,
            "/pc/recipient": 5,
            "/pc/whatsapp": {},
            "/fc/sms/message": " ",
            "/fc/recipient": "0425",
        },
    )

    assert pointers(body) == [
        "/pc/recipient",
        "/priority",
        "/fallback_seconds",
        "/pc/whatsapp",
        "/fc/recipient",
        "/fc/sms/message",
    ]


def test_of_a_part_of_an_unknown_channel_nothing_else_is_said() -> None:
    body = but(SAMPLE, {"/pc": {"channel": "pigeon"}, "/fc/sms": {}, "/fallback_seconds": "soon"})

    assert pointers(body) == [
        "/pc/channel",
        "/pc/sender",
        "/pc/recipient",
        "/fallback_seconds",
        "/fc/sms",
    ]


def test_a_sample_of_an_unknown_use_case_hears_of_its_channels() -> None:
    body = but(SAMPLE, {"/use_case": "both", "/pc/recipient": "0425", "/fallback_seconds": "soon"})

    assert pointers(body) == ["/use_case", "/pc/recipient"]


def test_two_channels_of_a_kind_are_named_both() -> None:
    lacking = {**SAMPLE_EMAIL, "sender": "", "email": {}}

    assert pointers({**SAMPLE, "pc": lacking, "fc": lacking}, NO_SENDERS) == [
        "/pc/sender",
        "/pc/email",
        "/fc/sender",
        "/fc/email",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"/pc/email/html": 5}, ["/pc/email/html"]),
        ({"/pc/email/html": 5, "/pc/email/subject": ""}, ["/pc/email/html", "/pc/email"]),
        ({"/pc/email": 5}, ["/pc/email"]),
        ({"/pc/email/template": 5}, ["/pc/email/template"]),
        ({"/fc/sms": None}, ["/fc/sms"]),
        ({"/fc/sms/message": 5}, ["/fc/sms/message"]),
        ({"/fc/whatsapp": {"text": 5}}, ["/fc/whatsapp/text"]),
        ({"/pc/sender": None, "/fc": []}, ["/pc/sender", "/fc"]),
    ],
)
def test_an_invalid_field_of_the_sample_is_named_once(
    changes: dict[str, object], expected: list[str]
) -> None:
    assert pointers(but(SAMPLE_FULL, changes)) == expected


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(SAMPLE_CHANGES))))
def test_the_samples_problems_are_those_of_each_change_alone(changed: set[str]) -> None:
    changes = {pointer: SAMPLE_CHANGES[pointer] for pointer in sorted(changed)}
    alone = {
        one for pointer in changes for one in problems(but(SAMPLE, {pointer: changes[pointer]}))
    }
    found = problems(but(SAMPLE, changes))

    assert len(found) == len(set(found))
    assert set(found) == alone


# ---- whatever is in the body

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-9, 99_999)
    | st.sampled_from(["sms", "email", "pigeon", "read", "fallback", "+12065550143", "", "a b"])
)
NAMES = st.sampled_from(
    [
        *("channel", "broadcast", "success", "steps", "to", "from", "content", "text", "subject"),
        *("whatsapp", "sms", "email", "template", "image", "name", "recipient", "sender"),
        *("message", "other"),
    ]
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)


def _places(value: object, place: str = "") -> list[str]:
    inner: list[tuple[Any, object]] = []
    if isinstance(value, dict):
        inner = [pair for pair in value.items() if not pair[0].isdecimal()]
    elif isinstance(value, list):
        inner = list(enumerate(value))
    below = [one for name, held in inner for one in _places(held, f"{place}/{name}")]
    return [place, *below] if place else below


def _replaced(data: st.DataObject, body: Any) -> Any:
    """The body with up to three of its values replaced by anything."""
    changed = deepcopy(body)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(_places(changed)))
        changed = but(changed, {place: data.draw(VALUES)})
    return changed


@settings(deadline=None)
@given(st.data(), st.sampled_from([*RIGHT.values(), SAMPLE, BROADCAST, SAMPLE_FULL]))
def test_any_body_is_accepted_or_refused_with_each_problem_once(
    data: st.DataObject, right: object
) -> None:
    body = _replaced(data, right)
    found = problems(body, NO_SENDERS)

    assert len(found) == len(set(found))
    assert found == problems(deepcopy(body), NO_SENDERS)
