"""The store's promises: statuses only rise, an attempt is claimed once, receipts are kept once."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from messaging.domain.errors import UnknownMessage, Unmatched
from messaging.domain.messages import RESPONSE_UNKNOWN, AttemptId, Message, Receipt
from messaging.domain.plan import Plan, PlannedAttempt
from messaging.domain.statuses import (
    ATTEMPT_RANK,
    MESSAGE_RANK,
    AttemptStatus,
    MessageStatus,
    ReceiptKind,
    Success,
)
from messaging.store import Store
from messaging.store.idempotency import Reservation, Reserved
from messaging.store.messages import RECENT_SHARDS
from tests.support.aws import make_table
from tests.support.dynamodb import MemoryDynamoDB
from tests.support.plans import plan_of

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
ID = AttemptId("m1", 1)
LOCK = timedelta(seconds=60)
PLAN = plan_of(PlannedAttempt(1, 1, "sms", 45, Success.DELIVERED))
TWO = plan_of(*PLAN.attempts, PlannedAttempt(2, 2, "sms", 45, Success.DELIVERED))
MESSAGE = Message("m1", NOW, PLAN, expires_at=LATER)
REQUEST = {"content": {"text": "Café 😀"}}


@pytest.fixture(params=["moto", "memory"])
def store(request: pytest.FixtureRequest, dynamodb: DynamoDBClient, table: str) -> Store:
    """The store on both tables that the tests use: what passes here may stand in for the other."""
    client: Any = dynamodb if request.param == "moto" else MemoryDynamoDB()
    return Store(client, table, timedelta(days=30))


@pytest.fixture
def on_moto(dynamodb: DynamoDBClient, table: str) -> Store:
    """A table that can be scanned and has an index."""
    return Store(dynamodb, table, timedelta(days=30))


def claimed(store: Store) -> Store:
    store.messages.add(MESSAGE)
    store.attempts.claim(ID, "sms", "token", NOW)
    return store


def test_a_message_comes_back_as_it_was_stored(store: Store) -> None:
    assert store.messages.add(MESSAGE, REQUEST)
    assert store.messages.history("m1").message == MESSAGE
    assert store.messages.history("m1").attempts == ()
    assert store.messages.history_and_request("m1") == (store.messages.history("m1"), REQUEST)


def test_a_message_is_stored_once(store: Store) -> None:
    store.messages.add(MESSAGE, REQUEST)

    assert not store.messages.add(Message("m1", LATER, Plan()), {"content": {"text": "other"}})
    history, request = store.messages.history_and_request("m1")
    assert (history.message, request) == (MESSAGE, REQUEST)


def test_an_unknown_message_is_an_error(store: Store) -> None:
    with pytest.raises(UnknownMessage):
        store.messages.history("m1")
    with pytest.raises(UnknownMessage):
        store.messages.update_status("m1", MessageStatus.DELIVERED, NOW)


def test_an_attempt_is_claimed_once_and_keeps_the_newest_token(store: Store) -> None:
    first, ours = store.attempts.claim(ID, "sms", "token", NOW)
    again, still_ours = store.attempts.claim(ID, "sms", "newer token", LATER)

    assert (ours, still_ours) == (True, False)
    assert (first.task_token, again.task_token) == ("token", "newer token")
    assert again.claimed_at == NOW


def test_a_released_attempt_is_claimed_once_more(store: Store) -> None:
    store.attempts.claim(ID, "sms", "token", NOW)
    store.attempts.release(ID, "ThrottlingException")

    attempt, ours = store.attempts.claim(ID, "sms", "token 2", LATER)
    assert ours
    assert (attempt.released, attempt.reason, attempt.claimed_at) == (False, None, LATER)
    assert not store.attempts.claim(ID, "sms", "token 3", LATER)[1]


@pytest.mark.parametrize("noted", [one for one, rank in ATTEMPT_RANK.items() if rank > 0], ids=str)
def test_a_released_attempt_of_which_something_became_is_not_sent_again(
    store: Store, noted: AttemptStatus
) -> None:
    claimed(store).attempts.release(ID, "ThrottlingException")
    store.attempts.update_status(ID, noted, NOW)

    attempt, ours = store.attempts.claim(ID, "sms", "token 2", LATER)
    assert (attempt.status, ours) == (noted, False)


def test_a_release_tells_the_newest_token(store: Store) -> None:
    claimed(store).attempts.claim(ID, "sms", "token 2", NOW)

    assert store.attempts.release(ID, "ThrottlingException").task_token == "token 2"


def test_an_attempt_with_a_receipt_is_not_released(store: Store) -> None:
    claimed(store).attempts.update_status(ID, AttemptStatus.DELIVERED, NOW)
    store.attempts.release(ID, "ThrottlingException")

    assert not store.attempts.claim(ID, "sms", "token 2", LATER)[1]


@pytest.mark.parametrize("after", AttemptStatus)
@pytest.mark.parametrize("before", AttemptStatus)
def test_an_attempts_status_never_goes_down(
    store: Store, before: AttemptStatus, after: AttemptStatus
) -> None:
    claimed(store).attempts.update_status(ID, before, NOW)
    status = store.attempts.update_status(ID, after, LATER).status

    reached = AttemptStatus.SENDING if ATTEMPT_RANK[before] == 0 else before
    assert status == (after if ATTEMPT_RANK[after] > ATTEMPT_RANK[reached] else reached)
    assert store.messages.history("m1").attempts[0].status is status


@pytest.mark.parametrize("after", MessageStatus)
@pytest.mark.parametrize("before", MessageStatus)
def test_a_messages_status_never_goes_down(
    store: Store, before: MessageStatus, after: MessageStatus
) -> None:
    store.messages.add(MESSAGE)
    store.messages.update_status("m1", before, NOW)
    status = store.messages.update_status("m1", after, LATER)

    assert status == (after if MESSAGE_RANK[after] > MESSAGE_RANK[before] else before)
    assert store.messages.history("m1").message.status is status


def test_a_status_of_no_attempt_is_unmatched(store: Store) -> None:
    with pytest.raises(Unmatched):
        store.attempts.update_status(ID, AttemptStatus.DELIVERED, NOW)


def test_a_reason_goes_with_its_status(store: Store) -> None:
    failed = claimed(store).attempts.update_status(
        ID, AttemptStatus.FAILED, NOW, "131026 Message undeliverable"
    )
    delivered = store.attempts.update_status(ID, AttemptStatus.DELIVERED, LATER)

    assert failed.reason == "131026 Message undeliverable"
    assert delivered.reason is None


def test_the_providers_id_is_noted_also_after_an_early_receipt(store: Store) -> None:
    claimed(store).attempts.update_status(ID, AttemptStatus.DELIVERED, NOW)
    attempt = store.attempts.record_sent(ID, "862a8790", LATER, PLAN.attempt(1))

    assert (attempt.status, attempt.provider_id) == (AttemptStatus.DELIVERED, "862a8790")
    assert store.receipts.find("862a8790", "sms") == ID
    assert store.receipts.find("unknown", "sms") is None


def test_giving_up_tells_silence_from_a_busy_provider_and_from_a_function_that_ended(
    store: Store,
) -> None:
    numbers = range(1, 4)
    plan = plan_of(*(PlannedAttempt(n, n, "sms", 45, Success.DELIVERED) for n in numbers))
    store.messages.add(replace(MESSAGE, plan=plan))
    silent, busy, ended = (AttemptId("m1", number) for number in numbers)
    for each in (silent, busy, ended):
        store.attempts.claim(each, "sms", "token", NOW)
    store.attempts.update_status(silent, AttemptStatus.SENT, NOW)
    store.attempts.release(busy, "TooManyRequestsException")
    for attempt in store.messages.history("m1").attempts:
        store.attempts.time_out(attempt, LATER)

    ends = [(one.status, one.reason) for one in store.messages.history("m1").attempts]
    assert ends == [
        (AttemptStatus.TIMED_OUT, None),
        (AttemptStatus.FAILED, "TooManyRequestsException"),
        (AttemptStatus.TIMED_OUT, RESPONSE_UNKNOWN),
    ]


@pytest.mark.parametrize("number", [-1, 0, 2])
def test_an_attempt_outside_the_plan_breaks_no_reader(store: Store, number: int) -> None:
    """An earlier version claimed whatever number an execution's input had."""
    stray = AttemptId("m1", number)
    claimed(store).attempts.claim(stray, "sms", "token", NOW)
    store.attempts.update_status(stray, AttemptStatus.DELIVERED, NOW)

    history = store.messages.history("m1")
    assert [one.number for one in history.attempts] == [1]
    assert history.success() is None
    assert not history.fulfilled(replace(history.attempts[0], attempt_id=stray))
    assert store.messages.history_and_request("m1")[0] == history


def test_a_doubt_is_kept_as_the_reason_of_the_time_out(store: Store) -> None:
    claimed(store).attempts.mark_ambiguous(ID, "ReadTimeoutError")
    store.attempts.time_out(store.messages.history("m1").attempts[0], LATER)

    [attempt] = store.messages.history("m1").attempts
    assert (attempt.status, attempt.reason) == (AttemptStatus.TIMED_OUT, "ReadTimeoutError")


def receipt(word: str, at: datetime = NOW) -> Receipt:
    return Receipt("sms", ReceiptKind.DELIVERED, word, at, provider_id="862a8790", key="k")


def test_the_same_receipt_is_kept_once(store: Store) -> None:
    for one in (receipt("TEXT_DELIVERED"), receipt("TEXT_DELIVERED"), receipt("TEXT_SUCCESSFUL")):
        store.receipts.add(one, ID, LATER)

    assert [one["word"] for one in store.receipts.of("m1")] == ["TEXT_DELIVERED", "TEXT_SUCCESSFUL"]


def test_receipts_are_no_part_of_the_story(store: Store) -> None:
    claimed(store).receipts.add(receipt("TEXT_DELIVERED"), ID, LATER)

    assert len(store.messages.history("m1").attempts) == 1


def test_everything_ends_by_its_retention_and_nothing_else(on_moto: Store, table: str) -> None:
    claimed(on_moto).receipts.add(receipt("TEXT_DELIVERED"), ID, NOW)
    on_moto.attempts.record_sent(ID, "862a8790", NOW, PLAN.attempt(1))
    on_moto.idempotency.reserve("key", "body", "m1", NOW, LOCK)

    ends = {one["sk"]["S"]: int(one["retained_until"]["N"]) for one in raw_items(table)}
    month = NOW + timedelta(days=30)
    assert ends.pop("request") == int((NOW + timedelta(hours=24)).timestamp())
    assert ends.pop("message") == int((month + timedelta(seconds=45)).timestamp())
    assert ends.pop("attempt#01") == int((month + timedelta(days=1)).timestamp())
    assert len(ends) == 2
    assert set(ends.values()) == {int(month.timestamp())}


def raw_items(table: str) -> list[dict[str, dict[str, str]]]:
    items = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return [{name: dict(value) for name, value in item.items()} for item in items]  # type: ignore[arg-type]


def test_recent_messages_are_listed_by_day_in_several_shards(on_moto: Store, table: str) -> None:
    for number in range(20):
        at = NOW + timedelta(seconds=number)
        on_moto.messages.add(Message(f"m{number}", at, PLAN))

    shards = {one["listed_under"]["S"] for one in raw_items(table)}
    assert len(shards) > 1
    assert {shard.split("#")[0] for shard in shards} == {"2026-01-02"}
    listed = [
        one["pk"]["S"]
        for shard in sorted(shards)
        for one in boto3.client("dynamodb").query(
            TableName=table,
            IndexName="Recent",
            KeyConditionExpression="listed_under = :day",
            ExpressionAttributeValues={":day": {"S": shard}},
        )["Items"]
    ]
    assert sorted(listed) == sorted(f"m{number}" for number in range(20))


def test_recent_messages_of_a_shard_come_newest_first(on_moto: Store) -> None:
    for number in range(300):
        on_moto.messages.add(Message(f"m{number}", NOW + timedelta(seconds=number), PLAN))

    since = NOW + timedelta(seconds=20)
    shards = [
        list(on_moto.messages.recent(NOW.date(), shard, since)) for shard in range(RECENT_SHARDS)
    ]
    assert all(shard == sorted(shard, reverse=True) for shard in shards)
    assert sorted(one for shard in shards for one in shard) == [
        (NOW + timedelta(seconds=number), f"m{number}") for number in range(20, 300)
    ]


def test_nothing_is_recent_on_another_day(on_moto: Store) -> None:
    on_moto.messages.add(MESSAGE)

    day = (NOW + timedelta(days=1)).date()
    assert [list(on_moto.messages.recent(day, shard, NOW)) for shard in range(RECENT_SHARDS)] == [
        []
    ] * 8


@pytest.fixture(scope="module")
def many(dynamodb: DynamoDBClient) -> Store:
    """A store of 150 messages with up to two attempts each."""
    make_table("Many")
    store = Store(dynamodb, "Many", timedelta(days=30))
    for number in range(150):
        name = f"m{number}"
        store.messages.add(Message(name, NOW, TWO))
        for attempt in range(1, number % 3 + 1):
            store.attempts.claim(AttemptId(name, attempt), "sms", "token", NOW)
    return store


@pytest.mark.parametrize("known", [0, 1, 2])
def test_many_histories_are_what_each_alone_is(many: Store, known: int) -> None:
    histories = many.messages.histories({f"m{number}": known for number in range(150)})
    assert histories == {
        f"m{number}": many.messages.history_and_request(f"m{number}") for number in range(150)
    }


def test_a_history_that_was_erased_is_left_out(on_moto: Store) -> None:
    claimed(on_moto).erasure.erase("m1")

    assert on_moto.messages.histories({"m1": 1, "unknown": 0}) == {}


def test_what_the_table_was_too_busy_for_is_asked_again(
    on_moto: Store, dynamodb: DynamoDBClient, table: str
) -> None:
    for number in range(5):
        on_moto.messages.add(Message(f"m{number}", NOW, PLAN))

    histories = Store(cast("DynamoDBClient", Busy(dynamodb)), table).messages.histories(
        {f"m{number}": 0 for number in range(5)}
    )
    assert set(histories) == {f"m{number}" for number in range(5)}


@dataclass(frozen=True)
class Busy:
    """A table that answers for one key at a time."""

    client: DynamoDBClient

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS's
        ((table, asked),) = RequestItems.items()
        first, *rest = asked["Keys"]
        now: Any = {table: {**asked, "Keys": [first]}}
        left = {table: {**asked, "Keys": rest}} if rest else {}
        return {**self.client.batch_get_item(RequestItems=now), "UnprocessedKeys": left}


def test_an_idempotency_key_belongs_to_its_first_message(store: Store) -> None:
    assert store.idempotency.reserve("key", "body", "m1", NOW, LOCK) == Reservation(
        "m1", Reserved.ACQUIRED
    )
    assert store.idempotency.reserve("key", "body", "m2", LATER, LOCK).state is Reserved.IN_PROGRESS
    assert store.idempotency.reserve("key", "other", "m2", LATER, LOCK).state is Reserved.OTHER_BODY
    store.idempotency.finish("key")
    assert store.idempotency.reserve("key", "body", "m2", LATER, LOCK) == Reservation(
        "m1", Reserved.DONE
    )
    assert store.idempotency.reserve("key", "other", "m2", LATER, LOCK).state is Reserved.OTHER_BODY


def test_whoever_comes_after_a_dead_caller_goes_on_with_its_message(store: Store) -> None:
    store.idempotency.reserve("key", "body", "m1", NOW, LOCK)

    assert store.idempotency.reserve("key", "body", "m2", NOW + LOCK, LOCK) == Reservation(
        "m1", Reserved.ACQUIRED
    )
    assert (
        store.idempotency.reserve("key", "body", "m3", NOW + LOCK, LOCK).state
        is Reserved.IN_PROGRESS
    )


def test_an_idempotency_key_holds_a_day(store: Store) -> None:
    store.idempotency.reserve("key", "body", "m1", NOW, LOCK)
    store.idempotency.finish("key")
    day = timedelta(hours=24)

    last = store.idempotency.reserve("key", "body", "m2", NOW + day - timedelta(seconds=1), LOCK)
    assert last.state is Reserved.DONE
    assert store.idempotency.reserve("key", "other", "m2", NOW + day, LOCK) == Reservation(
        "m2", Reserved.ACQUIRED
    )


def test_an_idempotency_key_is_freed_by_its_own_message_only(store: Store) -> None:
    store.idempotency.reserve("key", "body", "m1", NOW, LOCK)
    store.idempotency.free("key", "m2", NOW)
    assert store.idempotency.reserve("key", "body", "m3", NOW, LOCK).state is Reserved.IN_PROGRESS

    store.idempotency.finish("key")
    store.idempotency.free("key", "m1", NOW)
    assert store.idempotency.reserve("key", "body", "m3", NOW, LOCK).state is Reserved.DONE


def test_a_blocked_attempt_is_claimed_by_nobody(store: Store) -> None:
    store.messages.add(MESSAGE)

    assert store.attempts.block(ID, "sms", NOW, "not queued")
    assert store.attempts.block(ID, "sms", LATER, "not queued")
    attempt, ours = store.attempts.claim(ID, "sms", "token", LATER)
    assert (attempt.status, attempt.task_token, ours) == (AttemptStatus.SKIPPED, "token", False)


def test_a_claimed_attempt_is_not_blocked(store: Store) -> None:
    claimed(store)

    assert not store.attempts.block(ID, "sms", LATER, "not queued")
    assert store.messages.history("m1").attempts[0].status is AttemptStatus.SENDING


def test_an_idempotency_key_that_was_freed_belongs_to_the_next_message(store: Store) -> None:
    store.idempotency.reserve("key", "body", "m1", NOW, LOCK)
    store.idempotency.free("key", "m1", NOW)

    freed = store.idempotency.reserve("key", "other", "m2", NOW, LOCK)
    assert freed == Reservation("m2", Reserved.ACQUIRED)
    again = store.idempotency.reserve("key", "other", "m3", NOW, LOCK)
    assert again == Reservation("m2", Reserved.IN_PROGRESS)


def test_without_a_retention_nothing_expires_but_idempotency_keys() -> None:
    client = MemoryDynamoDB()
    kept = claimed(Store(client, "Messages"))  # type: ignore[arg-type] # the stand-in
    kept.attempts.record_sent(ID, "provider-1", NOW, PLAN.attempt(1))
    kept.receipts.add(Receipt("sms", ReceiptKind.SENT, "sent", NOW, "provider-1"), ID, NOW)
    kept.idempotency.reserve("key", "body", "m1", NOW, LOCK)

    expiring = [key for key, item in client.items.items() if "retained_until" in item]
    assert expiring == [("idempotency#key", "request")]
    assert len(client.items) == 5
