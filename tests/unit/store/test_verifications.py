"""The store's promises for codes: counted before compared, approved once, one pending."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import MessageStatus, Success
from messaging.domain.verifications import Alphabet, Autofill, Verification
from messaging.store import Store
from tests.support.dynamodb import MemoryDynamoDB
from tests.support.plans import plan_of

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
POLICY = Verification(
    purpose="sign-in",
    length=6,
    alphabet=Alphabet.DIGITS,
    max_checks=3,
    brand="Acme",
    language="en",
    autofill=Autofill(domain="example.com"),
    counted_as=("limit#a",),
)
PLAN = plan_of(PlannedAttempt(1, 1, "sms", 600, Success.CONFIRMED))
END = NOW + timedelta(seconds=600)
MESSAGE = Message("m1", NOW, PLAN, expires_at=END, verification=POLICY)
COOL_DOWN = timedelta(seconds=30)


@pytest.fixture(params=["moto", "memory"])
def store(request: pytest.FixtureRequest, dynamodb: DynamoDBClient, table: str) -> Store:
    """The store on both tables that the tests use."""
    client: Any = dynamodb if request.param == "moto" else MemoryDynamoDB()
    return Store(client, table, timedelta(days=30))


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def check(store: Store, at: datetime = NOW, *, bound: bool = False) -> bool:
    return store.verifications.count_check("m1", at, bound=bound)[1]


def test_a_verification_comes_back_as_it_was_stored(store: Store) -> None:
    store.messages.add(MESSAGE)

    assert store.messages.history("m1").message == MESSAGE


def test_no_more_checks_are_counted_than_the_policy_allows(store: Store) -> None:
    store.messages.add(MESSAGE)

    assert [check(store, after(second)) for second in range(5)] == [True] * 3 + [False] * 2
    message = store.messages.history("m1").message
    assert (message.checks, message.check_times) == (3, (NOW, after(1), after(2)))


def test_two_checks_of_one_moment_are_two(store: Store) -> None:
    store.messages.add(MESSAGE)
    check(store)
    check(store)

    assert store.messages.history("m1").message.check_times == (NOW, NOW)


def test_a_check_after_the_expiry_is_not_counted(store: Store) -> None:
    store.messages.add(MESSAGE)

    assert check(store, END - timedelta(milliseconds=1))
    assert not check(store, END)


@pytest.mark.parametrize("status", MessageStatus)
def test_only_an_approved_or_cancelled_one_counts_no_check(
    store: Store, status: MessageStatus
) -> None:
    """A code may arrive after its message was closed as undelivered."""
    store.messages.add(MESSAGE)
    store.messages.update_status("m1", status, NOW)

    assert check(store) == (status is not MessageStatus.CONFIRMED)


def test_what_is_no_verification_of_ours_counts_no_check(store: Store) -> None:
    with pytest.raises(UnknownMessage):
        check(store)
    store.messages.add(replace(MESSAGE, verification=None))
    store.messages.add(
        replace(MESSAGE, message_id="m2", verification=replace(POLICY, own_code=True))
    )

    assert not check(store)
    assert not store.verifications.count_check("m2", NOW, bound=False)[1]
    assert store.messages.history("m1").message.check_times == ()


def test_a_check_without_the_payment_is_not_counted_and_neither_is_one_too_many(
    store: Store,
) -> None:
    paid = replace(POLICY, payee="Shop", amount="5 EUR")
    store.messages.add(replace(MESSAGE, verification=paid))
    store.messages.add(replace(MESSAGE, message_id="m2"))

    assert [check(store), check(store, bound=True)] == [False, True]
    assert not store.verifications.count_check("m2", NOW, bound=True)[1]


def test_one_verification_is_pending(store: Store) -> None:
    assert store.verifications.pending("key") is None
    assert store.verifications.take("key", "m1", END, None)
    assert store.verifications.take("key", "m1", END, None)
    assert not store.verifications.take("key", "m2", END, None)
    assert not store.verifications.take("key", "m2", END, "m0")

    held = store.verifications.pending("key")
    assert held
    assert (held.message_id, held.until) == ("m1", END)


def test_another_takes_the_place_of_the_one_it_knows(store: Store) -> None:
    store.verifications.take("key", "m1", END, None)

    assert store.verifications.take("key", "m2", END, "m1")
    assert not store.verifications.take("key", "m3", END, "m1")


def test_a_send_is_requested_once_in_the_cool_down(store: Store) -> None:
    store.messages.add(MESSAGE)
    request = store.verifications.request_send

    times = [29, 30, 31, 59, 60, 61]
    granted = [request("m1", after(each), COOL_DOWN) for each in times]
    assert granted == [False, True, False, False, True, False]
    assert store.messages.history("m1").message.last_send_requested_at == after(60)
