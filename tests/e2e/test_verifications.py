"""One-time codes on the running stack: read on the recipient's phone, and checked over HTTP."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.codes import area_codes
from tests.e2e.conftest import Answer, Throughline, eventually, execution_status

# Endings of fictitious numbers, by what happens there: simulator/*/scenarios.toml.
REACHED, NOT_ON_WHATSAPP, PERSON = "0104", "0156", "0199"
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
SPOKEN = re.compile(r"(?:\d\W+){5}\d")

# Each number of its own area code, because codes are limited by recipient and by prefix.
numbers = (f"+1{area}555" for area in area_codes() if area not in {206, 425})
mailboxes = (f"ana{number}@example.com" for number in itertools.count())


def number(ending: str = REACHED) -> str:
    return f"{next(numbers)}{ending}"


def phone(ending: str = REACHED) -> dict[str, str]:
    """One recipient, by WhatsApp and by SMS."""
    return dict.fromkeys(("whatsapp", "sms"), number(ending))


def start(to: dict[str, str], *channels: str, **fields: Any) -> dict[str, Any]:
    return {"to": to, "steps": [{"channel": channel} for channel in channels], **fields}


def sends(throughline: Throughline, verification_id: str, count: int = 1) -> list[dict[str, Any]]:
    """The provider's calls, once there are so many and each is answered."""

    def look() -> list[dict[str, Any]] | None:
        calls = [call for call in throughline.calls(verification_id) if call["answer"]]
        return calls if len(calls) >= count else None

    return eventually(look)


def codes(throughline: Throughline, verification_id: str, count: int = 1) -> list[str]:
    """The code on the phone of each send."""
    return [code_in(throughline.phone(call)) for call in sends(throughline, verification_id, count)]


def code_in(content: dict[str, Any]) -> str:
    template = content.get("template") or {}
    text = content.get("text") or " ".join(template.get("parameters", ()))
    found = CODE.search(text) or SPOKEN.search(text)
    assert found, text
    return re.sub(r"\D", "", found.group())


def another(code: str, by: int = 1) -> str:
    """Some code of the same length that is not this one."""
    return f"{(int(code) + by) % 10 ** len(code):0{len(code)}}"


def status(throughline: Throughline, verification_id: str) -> str:
    return str(throughline.verification(verification_id).body["status"])


def problem(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.body.get("state")


def approve(throughline: Throughline, verification_id: str) -> None:
    (code, *_) = codes(throughline, verification_id)
    answer = throughline.check(verification_id, code)
    assert (answer.status, answer.body["status"]) == (200, "approved")


# ---- from start to approved


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "voice", "email"])
def test_a_code_is_approved_that_came_by(throughline: Throughline, channel: str) -> None:
    to = next(mailboxes) if channel == "email" else number()
    started = throughline.verify(start({channel: to}, channel))
    assert (started.status, started.body["status"]) == (202, "pending")
    verification_id = started.body["id"]

    approve(throughline, verification_id)

    message = throughline.finished(verification_id)
    assert message["status"] == "confirmed"
    assert throughline.sent(verification_id) == [channel]
    assert execution_status(throughline, throughline.execution(verification_id)) == "SUCCEEDED"
    told = throughline.verification(verification_id).body
    assert (told["status"], len(told["sends"]), len(told["checks"])) == ("approved", 1, 1)


def test_a_code_falls_back_to_sms_and_is_the_same(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(NOT_ON_WHATSAPP), "whatsapp", "sms"))

    by_whatsapp, by_sms = codes(throughline, verification_id, 2)
    assert by_whatsapp == by_sms
    assert throughline.check(verification_id, by_sms).body["status"] == "approved"

    throughline.finished(verification_id)
    assert throughline.sent(verification_id) == ["whatsapp", "sms"]
    assert throughline.states(verification_id) == [
        "Choose channel",
        "Send WhatsApp",
        "Fall back",
        "Send SMS",
    ]


def test_a_delivered_code_that_nobody_enters_waits_for_its_recipient(
    throughline: Throughline,
) -> None:
    verification_id = throughline.started(start(phone(), "whatsapp", "sms"))
    (code,) = codes(throughline, verification_id)
    eventually(
        lambda: throughline.get(verification_id).body["attempts"][0]["status"] == "delivered"
    )
    assert status(throughline, verification_id) == "pending"
    assert execution_status(throughline, throughline.execution(verification_id)) == "RUNNING"

    spaced = f"{code[:3]} {code[3:]}"
    assert throughline.check(verification_id, spaced).body["status"] == "approved"
    assert throughline.finished(verification_id)["status"] == "confirmed"
    assert throughline.sent(verification_id) == ["whatsapp"]


def test_the_default_plan_has_a_step_for_each_channel_of_the_recipient(
    throughline: Throughline,
) -> None:
    to = {**phone(NOT_ON_WHATSAPP), "email": next(mailboxes)}
    started = throughline.verify({"to": to})
    planned = {attempt["channel"] for attempt in started.body["plan"]}
    assert started.status == 202
    assert {"sms", "email"} <= planned <= {"whatsapp", "sms", "email"}
    throughline.cancel_verification(started.body["id"])


# ---- what is not approved


def test_wrong_codes_are_counted_up_to_the_limit(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(PERSON), "whatsapp", "sms"))
    (code,) = codes(throughline, verification_id)

    answers = [throughline.check(verification_id, another(code, by)).body for by in range(1, 6)]

    assert [answer["checks_left"] for answer in answers] == [4, 3, 2, 1, 0]
    assert [answer["status"] for answer in answers] == ["pending"] * 4 + ["max_checks_reached"]
    assert problem(throughline.check(verification_id, code)) == (409, "max_checks_reached")
    assert throughline.finished(verification_id)["status"] == "cancelled"
    assert throughline.sent(verification_id) == ["whatsapp"]
    assert status(throughline, verification_id) == "max_checks_reached"


def test_a_code_expires(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(), "sms", expires_in_seconds=60))
    (code,) = codes(throughline, verification_id)
    expires_at = datetime.fromisoformat(
        throughline.verification(verification_id).body["expires_at"]
    )

    eventually(lambda: status(throughline, verification_id) == "expired")

    assert datetime.now(UTC) >= expires_at
    assert problem(throughline.check(verification_id, code)) == (409, "expired")
    assert problem(throughline.resend(verification_id)) == (409, "expired")
    message = throughline.finished(verification_id)
    assert (message["status"], message["reason"]) == ("delivered", "not confirmed")
    assert throughline.sent(verification_id) == ["sms"]


def test_a_cancelled_verification_approves_nothing(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(PERSON), "whatsapp", "sms"))
    (code,) = codes(throughline, verification_id)

    answers = [throughline.cancel_verification(verification_id) for _ in range(2)]

    assert [(one.status, one.body["status"]) for one in answers] == [(200, "cancelled")] * 2
    assert problem(throughline.check(verification_id, code)) == (409, "cancelled")
    assert problem(throughline.resend(verification_id)) == (409, "cancelled")
    assert throughline.finished(verification_id)["status"] == "cancelled"
    assert throughline.sent(verification_id) == ["whatsapp"]


def test_an_approved_verification_cannot_be_cancelled_or_sent_again(
    throughline: Throughline,
) -> None:
    verification_id = throughline.started(start(phone(), "sms"))
    approve(throughline, verification_id)
    assert problem(throughline.cancel_verification(verification_id)) == (409, "approved")
    assert problem(throughline.resend(verification_id)) == (409, "approved")


def test_an_unknown_verification_is_not_found(throughline: Throughline) -> None:
    answers = (
        throughline.verification(UNKNOWN),
        throughline.check(UNKNOWN, "123456"),
        throughline.resend(UNKNOWN),
        throughline.cancel_verification(UNKNOWN),
    )
    assert {answer.status for answer in answers} == {404}


def test_an_approval_is_repeated_to_its_idempotency_key_alone(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(), "sms"))
    (code,) = codes(throughline, verification_id)

    first, again = (throughline.check(verification_id, code, key="sign-in-1") for _ in range(2))
    other = throughline.check(verification_id, code, key="sign-in-2")

    assert [(one.status, one.body["status"]) for one in (first, again)] == [(200, "approved")] * 2
    assert problem(other) == (409, "approved")
    assert problem(throughline.check(verification_id, code)) == (409, "approved")


# ---- one at a time


def test_a_second_start_is_the_same_verification(throughline: Throughline) -> None:
    body = start(phone(), "whatsapp", "sms")
    first, second = throughline.verify(body), throughline.verify(body)
    other = throughline.verify(body | {"purpose": "payment"})

    assert (first.status, second.status, other.status) == (202, 200, 202)
    assert first.body["id"] == second.body["id"] != other.body["id"]
    approve(throughline, first.body["id"])
    third = throughline.verify(body)
    assert third.status == 202
    assert third.body["id"] != first.body["id"]
    for one in (other, third):
        throughline.cancel_verification(one.body["id"])


def test_of_twenty_starts_at_once_one_sends(throughline: Throughline) -> None:
    body = start({"sms": number()}, "sms")
    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(lambda _: throughline.verify(body), range(20)))

    assert Counter(answer.status for answer in answers) == {202: 1, 200: 19}
    (verification_id,) = {answer.body["id"] for answer in answers}
    approve(throughline, verification_id)
    throughline.finished(verification_id)
    assert throughline.sent(verification_id) == ["sms"]


# ---- what the caller gives


def test_a_callers_own_code_is_confirmed_by_the_caller(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(), "sms", code="482915"))
    assert codes(throughline, verification_id) == ["482915"]

    assert throughline.check(verification_id, "482915").status == 409
    confirmed = throughline.control(verification_id, "confirm")

    assert (confirmed.status, confirmed.body["status"]) == (200, "confirmed")
    assert status(throughline, verification_id) == "approved"
    assert throughline.finished(verification_id)["status"] == "confirmed"


def test_a_code_of_the_stack_is_not_confirmed_by_the_caller(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(), "sms"))
    assert throughline.control(verification_id, "confirm").status in {400, 409}
    assert status(throughline, verification_id) == "pending"
    approve(throughline, verification_id)


def test_a_code_approves_one_payment_and_no_other(throughline: Throughline) -> None:
    payment = {"payee": "Example Shop", "amount": "42.50 USD"}
    verification_id = throughline.started(start(phone(), "sms", **payment))
    (call,) = sends(throughline, verification_id)
    shown = throughline.phone(call)["text"]
    assert all(value in shown for value in payment.values())
    code = code_in(throughline.phone(call))

    assert throughline.check(verification_id, code).status == 400
    other = throughline.check(verification_id, code, **{**payment, "amount": "4250.00 USD"})
    assert (other.status, other.body["status"]) == (200, "pending")
    right = throughline.check(verification_id, code, **payment)
    assert (right.status, right.body["status"]) == (200, "approved")


@pytest.mark.parametrize(
    ("alphabet", "length", "pattern"),
    [("digits", 4, r"\d{4}"), ("letters", 8, "[A-Z]{8}"), ("alphanumeric", 10, "[A-Z0-9]{10}")],
)
def test_a_code_has_the_length_and_the_alphabet_that_were_asked_for(
    throughline: Throughline, alphabet: str, length: int, pattern: str
) -> None:
    fields = {"alphabet": alphabet, "length": length}
    verification_id = throughline.started(start({"whatsapp": number()}, "whatsapp", **fields))
    (call,) = sends(throughline, verification_id)
    code = throughline.phone(call)["template"]["parameters"][0]
    assert re.fullmatch(pattern, code)
    assert throughline.check(verification_id, code.lower()).body["status"] == "approved"


# ---- limits


def test_a_resend_has_to_wait(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(PERSON), "whatsapp", "sms"))
    sends(throughline, verification_id)

    answer = throughline.resend(verification_id)

    assert (answer.status, answer.body["limit"]) == (429, "resend_cooldown")
    assert 1 <= int(answer.headers["Retry-After"]) <= 30
    assert throughline.sent(verification_id) == ["whatsapp"]
    throughline.cancel_verification(verification_id)


def test_a_recipient_gets_five_codes_an_hour(throughline: Throughline) -> None:
    body = start({"sms": number(PERSON)}, "sms")
    for _ in range(5):
        throughline.cancel_verification(throughline.started(body))

    refused = throughline.verify(body)

    assert (refused.status, refused.body["limit"]) == (429, "recipient")
    assert 3_000 < int(refused.headers["Retry-After"]) <= 3_600


# ---- sends that are asked for


@pytest.fixture
def quick_resends(throughline: Throughline) -> Iterator[None]:
    """The cool-down between two sends of a code takes a second."""
    with throughline.setting("CODES_RESEND_SECONDS", "1"):
        yield


@pytest.mark.usefixtures("quick_resends")
def test_a_resend_advances_a_delivered_code_to_sms(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(), "whatsapp", "sms"))
    sends(throughline, verification_id)

    again(throughline, verification_id)

    by_whatsapp, by_sms = codes(throughline, verification_id, 2)
    assert by_whatsapp == by_sms
    assert throughline.sent(verification_id) == ["whatsapp", "sms"]
    assert throughline.check(verification_id, by_whatsapp).body["status"] == "approved"
    throughline.finished(verification_id)


@pytest.mark.usefixtures("quick_resends")
def test_the_last_step_is_repeated_until_five_were_sent(throughline: Throughline) -> None:
    verification_id = throughline.started(start({"sms": number()}, "sms"))
    for count in range(1, 5):
        sends(throughline, verification_id, count)
        again(throughline, verification_id)
    every = codes(throughline, verification_id, 5)

    refused = eventually(lambda: until_not_cooling(throughline, verification_id))

    assert (refused.status, refused.body["limit"]) == (429, "max_sends")
    assert (len(every), len(set(every))) == (5, 1)
    assert throughline.check(verification_id, every[0]).body["status"] == "approved"
    assert throughline.finished(verification_id)["status"] == "confirmed"
    assert throughline.sent(verification_id) == ["sms"] * 5


@pytest.mark.usefixtures("quick_resends")
def test_of_twenty_resends_at_once_one_sends(throughline: Throughline) -> None:
    verification_id = throughline.started(start({"sms": number()}, "sms"))
    sends(throughline, verification_id)
    eventually(lambda: cooled(throughline, verification_id))
    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(lambda _: throughline.resend(verification_id), range(20)))

    accepted = [answer for answer in answers if answer.status == 200]
    limits = {answer.body["limit"] for answer in answers if answer.status == 429}
    assert 1 <= len(accepted) <= 4
    assert limits <= {"resend_cooldown", "max_sends", "recipient"}
    approve(throughline, verification_id)
    throughline.finished(verification_id)
    assert len(throughline.sent(verification_id)) == 1 + len(accepted)


def again(throughline: Throughline, verification_id: str) -> None:
    """A resend, as soon as it is allowed."""
    answer = eventually(lambda: until_not_cooling(throughline, verification_id))
    assert answer.status == 200, answer.body


def until_not_cooling(throughline: Throughline, verification_id: str) -> Answer | None:
    answer = throughline.resend(verification_id)
    return None if answer.body.get("limit") == "resend_cooldown" else answer


def cooled(throughline: Throughline, verification_id: str) -> bool:
    at = throughline.verification(verification_id).body["next_resend_at"]
    return datetime.now(UTC) >= datetime.fromisoformat(at)


# ---- races


def test_of_twenty_right_checks_at_once_one_is_approved(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(), "sms", max_checks=5))
    (code,) = codes(throughline, verification_id)
    with ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(lambda _: throughline.check(verification_id, code), range(20)))

    told = [answer.body["status"] for answer in answers if answer.status == 200]
    assert (told, Counter(map(problem, answers))[409, "approved"]) == (["approved"], 19)
    assert throughline.finished(verification_id)["status"] == "confirmed"
    assert len(throughline.verification(verification_id).body["checks"]) <= 5


def test_of_fifty_wrong_checks_at_once_five_are_counted(throughline: Throughline) -> None:
    verification_id = throughline.started(start(phone(PERSON), "sms"))
    (code,) = codes(throughline, verification_id)
    wrong = [another(code, by) for by in range(1, 51)]
    with ThreadPoolExecutor(50) as clients:
        answers = list(clients.map(lambda one: throughline.check(verification_id, one), wrong))

    assert Counter(answer.status for answer in answers) == {200: 5, 409: 45}
    assert sorted(one.body["checks_left"] for one in answers if one.status == 200) == [*range(5)]
    assert problem(throughline.check(verification_id, code)) == (409, "max_checks_reached")
    assert len(throughline.verification(verification_id).body["checks"]) == 5
    assert throughline.finished(verification_id)["status"] == "cancelled"


def test_a_right_check_among_wrong_ones_is_approved_if_it_was_counted(
    throughline: Throughline,
) -> None:
    for _ in range(5):
        verification_id = throughline.started(start({"sms": number(PERSON)}, "sms"))
        (code,) = codes(throughline, verification_id)
        entered = [code, *(another(code, by) for by in range(1, 8))]
        with ThreadPoolExecutor(len(entered)) as clients:
            right, *_ = clients.map(lambda one: throughline.check(verification_id, one), entered)  # noqa: B023 - over at once

        approved = (right.status, right.body["status"]) == (200, "approved")
        end = status(throughline, verification_id)
        assert end == ("approved" if approved else "max_checks_reached")
        message = throughline.finished(verification_id)
        assert message["status"] == ("confirmed" if approved else "cancelled")


def test_an_approval_and_a_cancellation_exclude_each_other(throughline: Throughline) -> None:
    for _ in range(5):
        verification_id = throughline.started(start({"sms": number()}, "sms"))
        (code,) = codes(throughline, verification_id)
        with ThreadPoolExecutor(2) as clients:
            check = clients.submit(throughline.check, verification_id, code)
            cancel = clients.submit(throughline.cancel_verification, verification_id)
        statuses = check.result().status, cancel.result().status
        assert sorted(statuses) == [200, 409]
        end = "approved" if statuses[0] == 200 else "cancelled"
        assert status(throughline, verification_id) == end
        throughline.finished(verification_id)
        assert throughline.sent(verification_id) == ["sms"]
