"""The body of AWS's sample, said in our words, and its problems in its own."""

from typing import Any

import pytest

from messaging.api import requests
from messaging.domain.errors import InvalidRequest
from tests.support.request_cases import (
    GONE,
    NO_SENDERS,
    SAMPLE,
    SAMPLE_EMAIL,
    SAMPLE_FULL,
    SAMPLE_RIGHT,
    SAMPLE_WRONG,
    SENDERS,
    Wrong,
    but,
)

HALF_SAID = {"email": {"subject": "Your secret"}}
BROADCAST = {**SAMPLE, "use_case": "broadcast"}


def document(body: object) -> Any:
    return requests.check(body, SENDERS).document


def problems(body: object, senders: dict[str, str] = SENDERS) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        requests.check(body, senders)
    return [(one.pointer, one.detail) for one in refused.value.problems]


def pointers(body: object, senders: dict[str, str] = SENDERS) -> list[str]:
    return [pointer for pointer, _ in problems(body, senders)]


# ---- taken


@pytest.mark.parametrize("body", SAMPLE_RIGHT.values(), ids=SAMPLE_RIGHT)
def test_what_the_samples_clients_send_is_taken(body: object) -> None:
    assert requests.check(body, SENDERS).steps


def test_a_fallback_is_two_steps() -> None:
    assert document(SAMPLE) == {
        "steps": [
            {
                "channel": "whatsapp",
                "wait_seconds": 60,
                "to": {"whatsapp": "+12065550142"},
                "content": {"whatsapp": {"text": "Your secret is 987654."}},
            },
            {
                "channel": "sms",
                "to": {"sms": "+12065550143"},
                "from": {"sms": "+12065550100"},
                "content": {"sms": {"text": "Your secret is 987654."}},
            },
        ],
        "category": "utility",
    }


def test_a_broadcast_is_one_step() -> None:
    request = requests.check({**BROADCAST, "fc": SAMPLE_EMAIL}, SENDERS)

    assert [step.broadcast for step in request.steps] == [True]
    assert request.document["steps"] == [
        {
            "broadcast": ["whatsapp", "email"],
            "to": {"whatsapp": "+12065550142", "email": "bo@example.org"},
            "from": {"email": "hello@example.org"},
            "content": {
                "whatsapp": {"text": "Your secret is 987654."},
                "email": SAMPLE_EMAIL["email"],
            },
        }
    ]


def test_empty_fields_count_as_left_out() -> None:
    assert document(SAMPLE_FULL)["steps"][0]["content"] == {"email": SAMPLE_EMAIL["email"]}
    emptied = but(SAMPLE_FULL, {"/pc/email/html": "", "/pc/sender": ""})
    step = document(emptied)["steps"][0]
    assert "from" not in step
    assert step["content"]["email"] == {"subject": "Your secret", "text": "It is 987654."}


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [("60", 60), (60, 60), ("060", 60), ("86400", 86_400), ("", None), (None, None), (GONE, None)],
)
def test_the_first_channel_waits_the_fallback_seconds(seconds: object, wait: int | None) -> None:
    request = requests.check(but(SAMPLE, {"/fallback_seconds": seconds}), SENDERS)

    assert [step.wait_seconds for step in request.steps] == [wait, None]


@pytest.mark.parametrize("seconds", ["60", 0, "soon"])
def test_a_broadcast_does_not_use_the_fallback_seconds(seconds: object) -> None:
    [step] = requests.check({**BROADCAST, "fallback_seconds": seconds}, SENDERS).steps

    assert step.wait_seconds is None


@pytest.mark.parametrize("plus", ["+", "%2B", "%2b"])
def test_a_plus_may_be_written_for_a_url(plus: str) -> None:
    numbers = {"/fc/sender": f"{plus}12065550100", "/fc/recipient": f"{plus}12065550143"}
    step = document(but(SAMPLE, numbers))["steps"][1]

    assert (step["from"], step["to"]) == ({"sms": "+12065550100"}, {"sms": "+12065550143"})


def test_a_text_is_left_as_it_is() -> None:
    step = document(but(SAMPLE, {"/fc/sms/message": "1 %2B 1"}))["steps"][1]

    assert step["content"] == {"sms": {"text": "1 %2B 1"}}


@pytest.mark.parametrize("sender", ["+12065550101", "%2B12065550101", "12065550101", ""])
def test_a_whatsapp_number_means_the_stacks_own_sender(sender: str) -> None:
    assert "from" not in document(but(SAMPLE, {"/pc/sender": sender}))["steps"][0]


def test_a_whatsapp_phone_number_id_is_the_sender() -> None:
    step = document(but(SAMPLE, {"/pc/sender": "phone-number-id-0a1b"}))["steps"][0]

    assert step["from"] == {"whatsapp": "phone-number-id-0a1b"}


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("PROMOTIONAL", "marketing"),
        ("TRANSACTIONAL", "utility"),
        ("", "utility"),
        (None, "utility"),
    ],
)
def test_a_promotional_sms_makes_the_message_marketing(kind: str | None, category: str) -> None:
    assert document(but(SAMPLE, {"/fc/sms/message_type": kind}))["category"] == category


def test_the_type_of_an_sms_that_is_not_sent_says_nothing() -> None:
    body = but(SAMPLE_FULL, {"/pc/sms/message_type": "PROMOTIONAL"})

    assert document(body)["category"] == "utility"


def test_a_template_goes_before_the_other_words() -> None:
    step = document(but(SAMPLE_FULL, {"/pc/email/template": "secret"}))["steps"][0]

    assert step["content"] == {"email": {"template": {"name": "secret"}}}


def test_a_configuration_set_of_the_callers_is_not_used() -> None:
    sets = {"/pc/email/configuration_set": "theirs", "/fc/sms/configuration_set": "theirs"}

    assert document(but(SAMPLE_FULL, sets)) == document(SAMPLE_FULL)


# ---- refused


@pytest.mark.parametrize("wrong", SAMPLE_WRONG, ids=lambda wrong: wrong.what)
def test_what_is_wrong_is_named_in_the_samples_words(wrong: Wrong) -> None:
    assert problems(wrong.body) == list(wrong.problems)


@pytest.mark.parametrize("use_case", ["fallback", "broadcast"])
@pytest.mark.parametrize("first", ["pc", "fc"])
def test_all_wrong_fields_of_both_channels_are_named_at_once(use_case: str, first: str) -> None:
    second = {"pc": "fc", "fc": "pc"}[first]
    body = {
        "use_case": use_case,
        first: but(SAMPLE_FULL, {"/pc/recipient": "bo", "/pc/email/subject": "a\nb"})["pc"],
        second: but(SAMPLE, {"/fc/recipient": "0425", "/fc/sms/message": " "})["fc"],
    }

    assert set(pointers(body)) == {
        f"/{first}/recipient",
        f"/{first}/email/subject",
        f"/{second}/recipient",
        f"/{second}/sms/message",
    }


@pytest.mark.parametrize("use_case", ["fallback", "broadcast"])
def test_a_sender_that_is_empty_here_and_in_the_stack_is_named(use_case: str) -> None:
    body = but({**SAMPLE, "use_case": use_case}, {"/fc/sender": ""})

    assert pointers(body, NO_SENDERS) == ["/pc/sender", "/fc/sender"]


@pytest.mark.parametrize(
    ("lack", "pointer"),
    [({"sender": ""}, "/fc/sender"), ({"email": {}}, "/fc/email"), (HALF_SAID, "/fc/email")],
)
def test_of_two_channels_of_a_kind_the_one_that_lacks_something_is_named(
    lack: dict[str, object], pointer: str
) -> None:
    body = {**SAMPLE, "pc": SAMPLE_EMAIL, "fc": {**SAMPLE_EMAIL, **lack}}

    assert pointers(body, NO_SENDERS) == [pointer]
