"""The recent messages in memory: complete, up to date, and read with few requests."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from console import recent, recent_index
from console.recent import LOCAL, RecentMessages
from console.states import states_entered
from console.summaries import MessageSummary
from messaging.api import http
from messaging.domain.messages import AttemptId, Message
from messaging.domain.plan import Plan, PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.store import Store
from messaging.store.messages import RECENT_SHARDS, Messages
from tests.support.plans import plan_of
from tests.support.recorded import facts

START = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
PLAN = plan_of(
    PlannedAttempt(1, 1, "whatsapp", 45, Success.DELIVERED),
    PlannedAttempt(2, 2, "sms", 45, Success.DELIVERED),
)
REQUEST = {
    "to": {"whatsapp": "+14255550100", "sms": "+14255550100", "email": "ana@example.com"},
    "content": {"text": "Hello."},
    "steps": [{"channel": "whatsapp"}, {"channel": "sms", "to": {"sms": "+12065550100"}}],
    "metadata": {"order": "42"},
}


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now.timestamp()

    def after(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Counting:
    """The table, and how often it was asked for what."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.calls: Counter[str] = Counter()
        self.fails = ""
        client.meta.events.register("before-call.dynamodb", self._called)

    def _called(self, model: Any, **_: Any) -> None:
        self.calls[model.name] += 1
        if model.name == self.fails:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, model.name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(store: Store, clock: Clock) -> RecentMessages:
    return RecentMessages(store, LOCAL, clock)


def add(store: Store, name: str, at: datetime, **changes: Any) -> None:
    store.messages.add(Message(name, at, PLAN), REQUEST | changes)


def names(memory: RecentMessages) -> list[str]:
    return [row.message_id for row in memory.now().rows]


def test_the_newest_come_first_from_every_day_and_shard(
    store: Store, memory: RecentMessages
) -> None:
    at = [START - timedelta(hours=5 * number) for number in range(20)]
    for number, one in enumerate(at):
        add(store, f"m{number}", one)

    assert names(memory) == [f"m{number}" for number in range(20)]
    assert memory.now().whole


def test_there_may_be_none_yet(store: Store, memory: RecentMessages, clock: Clock) -> None:
    assert memory.now().rows == ()
    assert memory.now().complete

    add(store, "first", START)
    clock.after(5)
    assert names(memory) == ["first"]


def test_a_new_message_and_its_changes_are_seen(
    store: Store, memory: RecentMessages, clock: Clock
) -> None:
    add(store, "m1", START)
    assert memory.now().rows[0].status is MessageStatus.ACCEPTED

    store.attempts.claim(AttemptId("m1", 1), "whatsapp", "token", clock.now)
    clock.after(2)
    assert memory.now().rows[0].status is MessageStatus.IN_PROGRESS

    store.attempts.update_status(AttemptId("m1", 1), AttemptStatus.DELIVERED, clock.now)
    store.messages.update_status("m1", MessageStatus.DELIVERED, clock.now)
    clock.after(2)
    (row,) = memory.now().rows
    assert (row.status, row.delivered_by, row.delivered_in) == ("delivered", "whatsapp", 2.0)


def test_one_that_the_index_tells_of_late_is_not_missed(
    store: Store, memory: RecentMessages, clock: Clock
) -> None:
    memory.now()
    clock.after(20)
    memory.now()
    add(store, "late", START + timedelta(seconds=1))
    clock.after(2)
    assert names(memory) == ["late"]


def test_a_late_receipt_is_seen_after_the_end(
    store: Store, memory: RecentMessages, clock: Clock
) -> None:
    add(store, "m1", START)
    store.attempts.claim(AttemptId("m1", 1), "whatsapp", "token", clock.now)
    store.attempts.update_status(AttemptId("m1", 1), AttemptStatus.TIMED_OUT, clock.now)
    store.messages.update_status("m1", MessageStatus.UNDELIVERED, clock.now)
    assert memory.now().rows[0].status is MessageStatus.UNDELIVERED

    clock.after(60)
    store.attempts.update_status(AttemptId("m1", 1), AttemptStatus.READ, clock.now)
    store.messages.update_status("m1", MessageStatus.DELIVERED, clock.now)
    clock.after(60)
    assert memory.now().rows[0].status is MessageStatus.DELIVERED


def test_a_message_that_was_erased_vanishes(
    store: Store, memory: RecentMessages, clock: Clock
) -> None:
    add(store, "m1", START)
    assert names(memory) == ["m1"]

    store.erasure.erase("m1")
    clock.after(60)
    assert names(memory) == []
    assert memory.find("m1") is None


def test_many_who_ask_at_once_make_one_look(
    store: Store, memory: RecentMessages, clock: Clock, dynamodb: DynamoDBClient
) -> None:
    add(store, "m1", START)
    memory.now()
    clock.after(5)
    counting = Counting(dynamodb)
    for _ in range(20):
        memory.now()
        memory.at_hand()
    assert counting.calls == {"Query": RECENT_SHARDS, "BatchGetItem": 1}


def test_what_has_ended_costs_less_and_less(
    store: Store,
    memory: RecentMessages,
    clock: Clock,
    dynamodb: DynamoDBClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(50):
        add(store, f"m{number}", START)
        store.messages.update_status(f"m{number}", MessageStatus.UNDELIVERED, START)
    # The lists do not change any more, and to read them 3,200 times from moto takes ten seconds.
    lists = [list(store.messages.recent(START.date(), one, START)) for one in range(RECENT_SHARDS)]
    monkeypatch.setattr(Messages, "recent", lambda _, __, shard, ___: iter(lists[shard]))
    assert sum(map(len, lists)) == len(memory.now().rows) == 50
    counting = Counting(dynamodb)
    for _ in range(400):
        memory.now()
        clock.after(2)
    # After 800 seconds every one has been looked at again for each doubling of its age.
    assert counting.calls["BatchGetItem"] < 15


def test_messages_that_wait_are_looked_at_all_the_time(
    store: Store, memory: RecentMessages, clock: Clock, dynamodb: DynamoDBClient
) -> None:
    add(store, "m1", START)
    store.attempts.claim(AttemptId("m1", 1), "whatsapp", "token", clock.now)
    memory.now()
    counting = Counting(dynamodb)
    for _ in range(20):
        clock.after(1)
        memory.now()
    assert counting.calls["BatchGetItem"] >= 10


def test_thousands_are_read_bit_by_bit_and_the_newest_first(
    store: Store, memory: RecentMessages, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(recent_index, "FIRST_PAGE", 5)
    monkeypatch.setattr(recent_index, "LATER_PAGE", 10)
    for number in range(30):
        add(store, f"m{number:02}", START - timedelta(hours=number))

    assert names(memory) == [f"m{number:02}" for number in range(5)]
    assert not memory.now().complete
    clock.after(1)
    assert len(names(memory)) > 5
    assert [row.message_id for row in memory.all_within(60).rows] == [
        f"m{number:02}" for number in range(30)
    ]


def test_memory_is_bounded_and_says_how_far_it_goes(
    store: Store, memory: RecentMessages, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    for module in (recent, recent_index):
        monkeypatch.setattr(module, "MAX_MESSAGES", 10)
    for number in range(15):
        add(store, f"m{number:02}", START - timedelta(minutes=number))
    assert names(memory) == [f"m{number:02}" for number in range(10)]
    assert not memory.now().whole
    assert memory.now().since == START - timedelta(minutes=9)

    add(store, "new", START)
    clock.after(5)
    assert names(memory) == ["new", *(f"m{number:02}" for number in range(9))]


def test_an_old_one_is_found_by_its_id(store: Store, memory: RecentMessages) -> None:
    add(store, "old", START - timedelta(days=60))
    assert names(memory) == []
    found = memory.find("old")
    assert found is not None
    assert found.accepted_at == START - timedelta(days=60)
    assert memory.find("nobody") is None


def test_old_ones_that_are_stored_later_are_found_too(
    store: Store, memory: RecentMessages, clock: Clock
) -> None:
    memory.now()
    for number in range(10):
        add(store, f"m{number}", START - timedelta(days=2, minutes=number))
    for _ in range(20):
        clock.after(2)
        memory.now()
    assert names(memory) == [f"m{number}" for number in range(10)]


def test_after_a_long_absence_it_is_as_after_none(
    store: Store, memory: RecentMessages, clock: Clock
) -> None:
    add(store, "before", START)
    memory.now()
    for hour in range(1, 60):
        add(store, f"m{hour:02}", START + timedelta(hours=hour))
    clock.after(60 * 3600)
    assert names(memory) == [*(f"m{hour:02}" for hour in reversed(range(1, 60))), "before"]


def test_an_outage_is_told_and_leaves_nothing_out(
    store: Store, memory: RecentMessages, clock: Clock, dynamodb: DynamoDBClient
) -> None:
    add(store, "m1", START)
    counting = Counting(dynamodb)
    counting.fails = "Query"
    with pytest.raises(ClientError):
        memory.now()
    counting.fails = ""
    clock.after(2)
    assert names(memory) == ["m1"]


@pytest.mark.parametrize("operation", ["Query", "BatchGetItem"])
def test_an_outage_of_a_minute_hides_nothing_afterwards(
    store: Store, memory: RecentMessages, clock: Clock, dynamodb: DynamoDBClient, operation: str
) -> None:
    memory.now()
    counting = Counting(dynamodb)
    counting.fails = operation
    add(store, "m1", START)
    for _ in range(30):
        clock.after(2)
        with suppress(ClientError):
            memory.now()
    counting.fails = ""
    clock.after(2)
    assert names(memory) == ["m1"]


def test_an_answer_does_not_wait_for_a_long_look(
    store: Store, clock: Clock, dynamodb: DynamoDBClient
) -> None:
    class Slow(Messages):
        def histories(self, planned: Any) -> Any:
            clock.after(0.5)
            return super().histories(planned)

    add(store, "m1", START)
    store.messages = Slow(store.messages._table)  # noqa: SLF001 - the same table
    memory = RecentMessages(store, LOCAL, clock)
    memory.now()
    clock.after(6)
    memory.now()
    counting = Counting(dynamodb)
    clock.after(6)
    assert memory.at_hand().rows
    assert counting.calls == {}

    clock.after(6)  # now what is at hand is too old to be shown
    memory.at_hand()
    assert counting.calls["Query"] == RECENT_SHARDS


def test_a_row_holds_what_is_searched_and_shown_and_nothing_that_was_said(store: Store) -> None:
    add(store, "m1", START, metadata={"order": "42", "bidi": "a\u202eb"})
    for number, channel in enumerate(("whatsapp", "sms"), 1):
        store.attempts.claim(AttemptId("m1", number), channel, "token", START)
    planned = store.messages.history("m1").message.plan.attempt(2)
    store.attempts.record_sent(AttemptId("m1", 2), "provider", START, planned)
    row = MessageSummary.of(*store.messages.history_and_request("m1"))

    assert row.recipients == ("+14255550100", "ana@example.com", "+12065550100")
    assert row.metadata == (("order", "42"), ("bidi", "a\\u202eb"))
    assert "order=42" in row.searched
    assert [one.fallback for one in row.attempts] == [False, True]
    assert [one.billed for one in row.attempts] == [False, True]
    assert "Hello" not in repr(row)


def test_a_rejected_message_is_a_row_too(store: Store) -> None:
    problems = ({"pointer": "", "detail": "is no object"},)
    rejected = MessageStatus.REJECTED
    store.messages.add(Message("m1", START, Plan(), rejected, problems=problems))
    row = MessageSummary.of(*store.messages.history_and_request("m1"))
    assert (row.status, row.recipients, row.states) == (rejected, (), 4)


@pytest.mark.parametrize(
    ("ends", "status", "states"),
    [
        (["delivered"], "delivered", 2),
        (["failed", "delivered"], "delivered", 4),
        (["failed", "timed_out"], "undelivered", 8),
    ],
)
def test_states_are_counted_as_the_workflow_enters_them(
    store: Store, ends: list[str], status: str, states: int
) -> None:
    add(store, "m1", START)
    for number, end in enumerate(ends, 1):
        store.attempts.claim(AttemptId("m1", number), PLAN.attempt(number).channel, "token", START)
        store.attempts.update_status(AttemptId("m1", number), AttemptStatus(end), START)
    store.messages.update_status("m1", MessageStatus(status), START)
    assert states_entered(store.messages.history("m1")) == states


def test_a_broadcast_enters_its_branches(store: Store) -> None:
    plan = plan_of(
        PlannedAttempt(1, 1, "sms", 45, Success.DELIVERED),
        PlannedAttempt(2, 1, "email", 45, Success.DELIVERED),
    )
    store.messages.add(
        Message("m1", START, plan), REQUEST | {"steps": [{"broadcast": ["sms", "email"]}]}
    )
    for number, status in ((1, AttemptStatus.FAILED), (2, AttemptStatus.DELIVERED)):
        store.attempts.claim(AttemptId("m1", number), plan.attempt(number).channel, "token", START)
        store.attempts.update_status(AttemptId("m1", number), status, START)
    store.messages.update_status("m1", MessageStatus.DELIVERED, START)
    # Choose channel, Broadcast, four that ask, two that send, two not requested, one that did not
    # reach, Anyone reached?, Reached.
    assert states_entered(store.messages.history("m1")) == 13


def test_a_row_says_of_an_attempt_what_the_api_says(store: Store) -> None:
    """The function of the first one died, and the workflow has gone on."""
    add(store, "m1", START)
    for number, channel in enumerate(("whatsapp", "sms"), 1):
        store.attempts.claim(AttemptId("m1", number), channel, "token", START)
    history, request = store.messages.history_and_request("m1")

    told = [one["status"] for one in http.message_document(history, request, [])["attempts"]]
    assert told == ["timed_out", "sending"]
    assert [one.status for one in MessageSummary.of(history, request).attempts] == told


@pytest.mark.parametrize(
    "name",
    ["advanced", "approved", "cancelled", "confirmed_broadcast", "resend", "unconfirmed"],
)
def test_states_are_counted_as_a_recorded_execution_entered_them(name: str) -> None:
    known = facts(name)
    assert known.history
    assert known.execution
    assert states_entered(known.history) == len(known.execution.visits)


def test_what_waits_for_a_resend_is_no_attempt_yet() -> None:
    known = facts("resend")
    assert known.history
    row = MessageSummary.of(known.history, known.stored_request)
    assert [one.number for one in row.attempts] == [1, 2]
