"""How a message is confirmed, cancelled, advanced or closed as delivered, each by one conditional
write, on the table and on its stand-in.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import NOT_CONFIRMED, Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import MessageStatus, Success
from messaging.domain.verifications import Alphabet, Verification
from messaging.store import Store
from tests.support.dynamodb import MemoryDynamoDB
from tests.support.plans import plan_of

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
PLAN = plan_of(
    *(PlannedAttempt(number, number, "sms", 45, Success.CONFIRMED) for number in (1, 2, 3))
)
MESSAGE = Message("m1", NOW, PLAN)
CLOSED = {MessageStatus.UNDELIVERED, MessageStatus.EXPIRED, MessageStatus.CANCELLED}
OPEN = {MessageStatus.ACCEPTED, MessageStatus.IN_PROGRESS}


@pytest.fixture(params=["moto", "memory"])
def store(request: pytest.FixtureRequest, dynamodb: DynamoDBClient, table: str) -> Store:
    client: Any = dynamodb if request.param == "moto" else MemoryDynamoDB()
    return Store(client, table, timedelta(days=30))


def stored(store: Store, status: MessageStatus) -> None:
    store.messages.add(replace(MESSAGE, status=status))


def message(store: Store) -> Message:
    return store.messages.history("m1").message


@pytest.mark.parametrize("status", MessageStatus)
def test_every_message_may_be_confirmed_but_a_rejected_one(
    store: Store, status: MessageStatus
) -> None:
    stored(store, status)
    after, new = store.messages.confirm("m1", LATER, None)

    rejected = status is MessageStatus.REJECTED
    assert after.status is (status if rejected else MessageStatus.CONFIRMED)
    assert after == message(store)
    assert new == (status not in {MessageStatus.REJECTED, MessageStatus.CONFIRMED})
    if new:
        assert (after.concluded_at, after.reason) == (LATER, None)


def test_a_message_that_its_caller_cancelled_is_not_confirmed(store: Store) -> None:
    stored(store, MessageStatus.ACCEPTED)
    store.messages.cancel("m1", NOW, "why", by_caller=True)
    assert store.messages.confirm("m1", LATER, "check")[0].status is MessageStatus.CANCELLED
    store.messages.update_status("m1", MessageStatus.DELIVERED, LATER)

    assert store.messages.confirm("m1", LATER, "check")[0].status is MessageStatus.DELIVERED
    assert message(store).cancelled_at == NOW


def test_a_message_whose_checks_were_used_up_may_still_be_confirmed(store: Store) -> None:
    stored(store, MessageStatus.ACCEPTED)
    used_up = store.messages.cancel("m1", NOW, "every check was used", by_caller=False)
    assert (used_up.status, used_up.cancelled_at) == (MessageStatus.CANCELLED, None)

    assert store.messages.confirm("m1", LATER, "check")[0].confirmed


def test_of_two_checks_the_first_one_confirms_the_message(store: Store) -> None:
    stored(store, MessageStatus.ACCEPTED)
    answers = [store.messages.confirm("m1", NOW, name)[0] for name in ("first", "second", "first")]

    assert [one.confirmed_by for one in answers] == ["first"] * 3
    assert all(one.confirmed for one in answers)


@pytest.mark.parametrize("status", MessageStatus)
def test_a_message_may_be_cancelled_until_it_ends(store: Store, status: MessageStatus) -> None:
    stored(store, status)
    after = store.messages.cancel("m1", LATER, "why", by_caller=True)

    assert after == message(store)
    if status in OPEN:
        assert (after.status, after.reason) == (MessageStatus.CANCELLED, "why")
        assert (after.cancelled_at, after.concluded_at) == (LATER, LATER)
    else:
        assert (after.status, after.cancelled_at) == (status, None)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(MessageStatus.UNDELIVERED, "why"), (MessageStatus.DELIVERED, NOT_CONFIRMED)],
)
def test_a_code_may_be_cancelled_after_its_message_ended(
    store: Store, status: MessageStatus, reason: str
) -> None:
    code = Verification("sign-in", 6, Alphabet.DIGITS, 5, "Acme", "en")
    ended = replace(MESSAGE, status=status, reason=reason, verification=code)
    store.messages.add(replace(ended, expires_at=NOW + timedelta(seconds=60)))
    after = store.messages.cancel("m1", LATER, "cancelled", by_caller=True)

    assert after == message(store)
    assert (after.cancelled_at, after.status, after.reason) == (LATER, status, reason)
    assert store.messages.confirm("m1", LATER, "check")[0].status is status
    assert not store.verifications.count_check("m1", LATER, bound=False)[1]


@pytest.mark.parametrize("status", MessageStatus)
def test_a_message_may_be_advanced_until_it_ends(store: Store, status: MessageStatus) -> None:
    stored(store, status)
    after = store.messages.advance("m1", 2, LATER)

    assert after == message(store)
    assert after.status is status
    advanced = (2, {2: LATER}) if status in OPEN else (0, {})
    assert (after.advanced_to, after.advances) == advanced


def test_an_advance_only_goes_forward(store: Store) -> None:
    stored(store, MessageStatus.ACCEPTED)
    for step in (2, 3, 2, 3):
        after = store.messages.advance("m1", step, NOW + timedelta(seconds=step))

    assert after.advanced_to == 3
    assert after.advances == {step: NOW + timedelta(seconds=step) for step in (2, 3)}


@pytest.mark.parametrize("status", MessageStatus)
def test_a_delivery_raises_a_message_that_was_closed_before(
    store: Store, status: MessageStatus
) -> None:
    stored(store, status)
    after = store.messages.close_as_delivered("m1", LATER, "sms")

    assert after == message(store)
    if status in CLOSED:
        assert (after.status, after.reason) == (MessageStatus.DELIVERED, NOT_CONFIRMED)
        assert after.closed
    elif status is not MessageStatus.REJECTED:
        assert (after.status, after.reason) == (status, None)


def test_nothing_is_written_for_a_message_that_does_not_exist(store: Store) -> None:
    messages = store.messages
    with pytest.raises(UnknownMessage):
        messages.confirm("m1", NOW, None)
    with pytest.raises(UnknownMessage):
        messages.cancel("m1", NOW, "why", by_caller=True)
    with pytest.raises(UnknownMessage):
        messages.advance("m1", 2, NOW)
    with pytest.raises(UnknownMessage):
        messages.close_as_delivered("m1", NOW, "sms")

    with pytest.raises(UnknownMessage):
        messages.history("m1")
