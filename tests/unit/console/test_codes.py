"""The page of codes: states, filters and conversion, and neither an address nor a code."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from mypy_boto3_dynamodb import DynamoDBClient
from starlette.datastructures import QueryParams

from console.app import create_app
from console.codes import CodeSummary, country
from console.conversion import Conversion, conversions
from console.facts import MessageFacts
from console.figures import Share
from console.installation import ConsoleClients, Installation, Local
from console.pages.codes import CodeFilters
from console.summaries import MessageSummary
from console.words import age
from messaging.domain.messages import Attempt, AttemptId, Message, MessageHistory
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.domain.verifications import Alphabet, Verification, VerificationStatus
from messaging.store import Store
from tests.support.plans import plan_of

NOW = datetime.now(UTC).replace(microsecond=0)
PHONE, EMAIL, CODE = "+14255550156", "ana@example.com", "402917"
PLAN = plan_of(
    PlannedAttempt(1, 1, "whatsapp", 45, Success.CONFIRMED),
    PlannedAttempt(2, 2, "sms", 600, Success.CONFIRMED),
)
POLICY = Verification("sign-in", 6, Alphabet.DIGITS, 5, "Example", "en")
REQUEST = {
    "to": {"whatsapp": PHONE, "sms": PHONE},
    "steps": [{"channel": "whatsapp"}, {"channel": "sms"}],
    "category": "authentication",
    "code": CODE,
}
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:DeliverMessage"
HERE = Local("http://127.0.0.1:1/messages", "key", "http://127.0.0.1:2", "http://127.0.0.1:4570")


def message(name: str = "m1", minutes_ago: float = 1, **changes: Any) -> Message:
    at = NOW - timedelta(minutes=minutes_ago)
    expires_at = at + timedelta(minutes=10)
    made = Message(name, at, PLAN, expires_at=expires_at, verification=POLICY)
    return replace(made, **changes)


def attempt(number: int, channel: str, provider_id: str | None = "p") -> Attempt:
    status = AttemptStatus.SENT if provider_id else AttemptStatus.FAILED
    return Attempt(AttemptId("m1", number), channel, status, "token", NOW, provider_id)


def code(
    *channels: str, country: str | None = "US", minutes_ago: float = 1, **changes: Any
) -> CodeSummary:
    return CodeSummary(message("m1", minutes_ago, **changes), POLICY, channels, country)


APPROVED: dict[str, Any] = {"status": MessageStatus.CONFIRMED}
OLD: dict[str, Any] = {"minutes_ago": 20}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+14255550156", "US"),
        ("+16135550156", "CA"),
        ("+4915112345678", "DE"),
        ("+882161234567", "+882"),
        ("nobody", None),
    ],
)
def test_a_number_has_its_country(number: str, expected: str | None) -> None:
    assert country(number) == expected


def test_a_verification_by_email_has_no_country() -> None:
    history = MessageHistory(message(), ())
    found = CodeSummary.of(history, {"to": {"email": EMAIL}, "steps": [{"channel": "email"}]})
    assert found is not None
    assert found.country is None


def test_a_message_without_a_code_is_none() -> None:
    assert CodeSummary.of(MessageHistory(message(verification=None), ()), REQUEST) is None


def test_only_what_a_provider_accepted_is_a_send() -> None:
    attempts = attempt(1, "whatsapp", provider_id=None), attempt(2, "sms")
    found = CodeSummary.of(MessageHistory(message(checks=2), attempts), REQUEST)
    assert found is not None
    assert (found.sends_by_channel, found.country) == ({"sms": 1}, "US")
    assert found.checks_left == 3


def test_a_code_expires_without_a_write() -> None:
    pending = code("sms")
    assert pending.status(NOW) is VerificationStatus.PENDING
    assert pending.status(NOW + timedelta(minutes=10)) is VerificationStatus.EXPIRED


def test_an_approval_counts_for_the_channel_of_the_last_send_before_it() -> None:
    codes = [
        code("whatsapp", **APPROVED),
        code("whatsapp", "sms", **APPROVED),
        code("whatsapp", **OLD),
        code("whatsapp", "sms"),
    ]
    found = conversions(codes, NOW)

    assert found.total == Conversion("all", Share(2, 3), pending=1)
    assert found.by_channel == (
        Conversion("whatsapp", Share(1, 3), pending=1),
        Conversion("sms", Share(1, 1), pending=1),
    )


def test_the_countries_with_the_most_verifications_come_first() -> None:
    codes = [code("sms", country="FR"), *[code("sms", **OLD)] * 2, code("email", country=None)]
    found = conversions(codes, NOW)

    assert [(one.name, one.started) for one in found.by_country] == [("US", 2), ("FR", 1)]


def test_what_was_never_sent_counts_for_no_channel() -> None:
    assert conversions([code(**OLD)], NOW).by_channel == ()


@pytest.mark.parametrize(
    ("share", "low", "high"),
    # Of Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29, by the score method.
    [
        (Share(81, 263), 25.53, 36.62),
        (Share(15, 148), 6.24, 16.05),
        (Share(0, 20), 0.0, 16.11),
        (Share(1, 29), 0.61, 17.18),
    ],
)
def test_the_interval_is_that_of_the_literature(share: Share, low: float, high: float) -> None:
    assert Conversion("x", share, 0).between == pytest.approx((low, high), abs=0.01)


def test_of_nothing_nothing_is_known() -> None:
    assert Conversion("x", Share(0, 0), 3).between == (0.0, 100.0)


def test_filters_of_an_address_are_kept_and_invalid_ones_ignored() -> None:
    asked = CodeFilters.of(QueryParams("state=approved&range=week"), NOW)
    assert asked.address() == "state=approved&range=week"
    invalid = CodeFilters.of(QueryParams("state=delivered&range=year&below=x"), NOW)
    assert (invalid.state, invalid.span, invalid.below) == ("", "day", None)


def test_the_first_delivery_of_a_code_is_its_time_whatever_confirmed_it() -> None:
    delivered = replace(
        attempt(1, "whatsapp"),
        status=AttemptStatus.DELIVERED,
        times={"delivered": message().accepted_at + timedelta(seconds=3)},
    )
    ended = message(concluded_at=NOW, **APPROVED)
    row = MessageSummary.of(MessageHistory(ended, (delivered,)), REQUEST)
    assert (row.delivered_in, row.delivered_by, row.reached) == (3.0, "whatsapp", True)


def test_a_cancelled_code_that_had_arrived_was_reached() -> None:
    cancelled = message(status=MessageStatus.CANCELLED, cancelled_at=NOW)
    arrived = replace(attempt(1, "sms"), status=AttemptStatus.DELIVERED, times={"delivered": NOW})
    assert MessageSummary.of(MessageHistory(cancelled, (arrived,)), REQUEST).reached
    assert not MessageSummary.of(MessageHistory(cancelled, ()), REQUEST).reached


# ---- the page


Browser = Callable[[str], str]


@pytest.fixture
def browser(dynamodb: DynamoDBClient, table: str) -> Browser:
    """The HTML of a page of the console."""
    installation = Installation("local", "us-east-1", table, MACHINE, {}, HERE)
    clients = ConsoleClients()
    vars(clients)["table"] = dynamodb

    async def get(path: str) -> str:
        transport = httpx.ASGITransport(create_app(installation, clients))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get(path)).text

    return lambda path: asyncio.run(get(path))


def add(store: Store, name: str, minutes_ago: float = 1, **changes: Any) -> None:
    store.messages.add(message(name, minutes_ago, **changes), REQUEST)


def test_the_page_has_each_code_without_an_address_or_a_code(
    store: Store, browser: Browser
) -> None:
    add(store, "sent")
    store.attempts.claim(AttemptId("sent", 1), "whatsapp", "token", NOW)
    store.attempts.record_sent(AttemptId("sent", 1), "wamid", NOW, PLAN.attempts[0])
    store.messages.add(message("no-code", verification=None), REQUEST)
    page = browser("/codes")

    assert 'href="/messages/sent"' in page
    assert "no-code" not in page
    assert "0 used, 5 left" in page
    assert "WhatsApp 1" in page
    assert "sign-in" in page
    assert ">US<" in page
    for secret in (PHONE, PHONE[1:], CODE, EMAIL):
        assert secret not in page


def test_a_small_sample_has_its_numbers_and_no_percentage(store: Store, browser: Browser) -> None:
    for number in range(3):
        add(store, f"m{number}", **OLD)
    page = browser("/codes")

    assert "0 of 3" in page
    assert "too few for a percentage" in page
    assert "0 to 56 %" in page
    assert "0.0 %" not in page


def test_enough_of_them_have_a_percentage(store: Store, browser: Browser) -> None:
    for number in range(30):
        add(store, f"m{number}", **OLD)
        if number % 3:
            store.messages.update_status(f"m{number}", MessageStatus.CONFIRMED, NOW)
    page = browser("/codes")

    assert "20 of 30" in page
    assert "66.7 %" in page


def test_a_state_narrows_the_list(store: Store, browser: Browser) -> None:
    add(store, "young")
    add(store, "old", **OLD)
    page = browser("/codes?state=expired")

    assert "/messages/old" in page
    assert "/messages/young" not in page


def test_a_range_narrows_list_and_conversion(store: Store, browser: Browser) -> None:
    add(store, "yesterday", minutes_ago=26 * 60)
    assert "No verification was started in the last 24 hours." in browser("/codes")
    page = browser("/codes?range=week")

    assert "/messages/yesterday" in page
    assert "0 of 1" in page


def test_many_codes_have_pages(store: Store, browser: Browser) -> None:
    for number in range(51):
        add(store, f"m{number:02}", minutes_ago=number / 10)
    first = browser("/codes")
    assert "/messages/m49" in first
    assert "/messages/m50" not in first
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "/messages/m50" in browser(older)


def test_hostile_words_stay_words(store: Store, browser: Browser) -> None:
    add(store, "evil", verification=replace(POLICY, purpose="<script>alert(1)</script>"))
    page = browser("/codes")

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_request_with_a_code_is_not_for_the_editor(store: Store, browser: Browser) -> None:
    add(store, "own", verification=replace(POLICY, own_code=True))
    page = browser("/compose?from=own")

    assert "has a code, which is not sent with this form" in page
    assert CODE not in page


def test_the_callers_own_code_is_left_out_of_the_request() -> None:
    own = message(verification=replace(POLICY, own_code=True))
    known = MessageFacts("m1", MessageHistory(own, ()), REQUEST, [], None)

    assert known.request == REQUEST | {"code": "(not shown)"}


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7_199, "1 h"), (100_000, "27 h"), (172_800, "2 d")],
)
def test_an_age_is_in_its_largest_unit(seconds: int, shown: str) -> None:
    assert f">{shown}<" in age(NOW, NOW + timedelta(seconds=seconds))
