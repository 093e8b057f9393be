"""How a checked request becomes a message, and what remains where it cannot be queued."""

import json
from datetime import timedelta

import pytest
from aws_lambda_powertools import Logger

from messaging.domain.errors import NotQueued, Problem
from messaging.domain.messages import Message, MessageHistory
from messaging.domain.plan import Plan
from messaging.domain.route import route
from messaging.domain.statuses import AttemptStatus, MessageStatus
from messaging.intake import LOCK, NOT_QUEUED, Intake
from messaging.store import Store
from messaging.store.idempotency import Reservation, Reserved
from tests.support.plans import CHANNELS
from tests.support.ports import RecordedQueue
from tests.unit.rules.conftest import FIRST, MESSAGE, NOW, PLAN, REQUEST, in_status, now

UNCONFIRMED = NotQueued("ReadTimeoutError")


@pytest.fixture
def intake(store: Store, log: Logger) -> Intake:
    return Intake(store, CHANNELS, now, log)


def test_an_accepted_message_is_stored_with_its_request_and_queued(
    store: Store, intake: Intake
) -> None:
    queue = RecordedQueue()

    assert intake.accept(MESSAGE, REQUEST, queue) == MESSAGE
    assert store.messages.history_and_request("m1") == (MessageHistory(MESSAGE, ()), REQUEST)
    [(body, attributes)] = queue.requests
    assert json.loads(body) == route("m1", PLAN, CHANNELS)
    assert attributes == {"message_id": "m1"}


def test_a_message_that_is_planned_again_remains_as_it_was_stored(intake: Intake) -> None:
    intake.plan(MESSAGE, REQUEST)
    later = Message("m1", NOW + timedelta(hours=1), Plan())

    assert intake.plan(later, {}) == (MESSAGE, route("m1", PLAN, CHANNELS))


def test_an_invalid_request_is_stored_with_its_problems(store: Store, intake: Intake) -> None:
    intake.reject("m1", NOW, [Problem("/to", "is missing")])

    rejected = store.messages.history("m1").message
    assert (rejected.status, rejected.plan) == (MessageStatus.REJECTED, Plan())
    assert rejected.accepted_at == NOW
    assert rejected.problems == ({"pointer": "/to", "detail": "is missing"},)


def test_a_message_that_cannot_be_queued_is_closed_with_the_reason(
    store: Store, intake: Intake
) -> None:
    with pytest.raises(NotQueued, match=NOT_QUEUED):
        intake.accept(MESSAGE, REQUEST, RecordedQueue(error=UNCONFIRMED))

    closed = store.messages.history("m1").message
    assert (closed.status, closed.reason) == (MessageStatus.UNDELIVERED, NOT_QUEUED)
    assert closed.concluded_at == NOW
    [first] = store.messages.history("m1").attempts
    assert (first.status, first.reason) == (AttemptStatus.SKIPPED, NOT_QUEUED)


def test_a_message_whose_first_attempt_already_runs_was_queued(
    store: Store, intake: Intake
) -> None:
    def started() -> None:
        in_status(store, FIRST, AttemptStatus.SENDING)

    accepted = intake.accept(MESSAGE, REQUEST, RecordedQueue(UNCONFIRMED, started))

    assert accepted == MESSAGE
    history = store.messages.history("m1")
    assert history.message.status is MessageStatus.ACCEPTED
    assert [one.status for one in history.attempts] == [AttemptStatus.SENDING]


def test_a_key_whose_message_is_queued_repeats_that_message(store: Store, intake: Intake) -> None:
    reservation = intake.reserve("key", "body", MESSAGE)
    assert reservation == Reservation("m1", Reserved.ACQUIRED)

    assert intake.accept_reserved("key", MESSAGE, reservation, REQUEST, RecordedQueue()) == MESSAGE
    again = store.idempotency.reserve("key", "body", "m2", NOW, LOCK)
    assert again == Reservation("m1", Reserved.DONE)


def test_a_key_is_locked_for_longer_than_its_holder_may_run(intake: Intake) -> None:
    intake.reserve("key", "body", MESSAGE)
    next_one = Message("m2", NOW + timedelta(seconds=59), PLAN)
    assert intake.reserve("key", "body", next_one) == Reservation("m1", Reserved.IN_PROGRESS)

    next_one = Message("m2", NOW + timedelta(seconds=60), PLAN)
    assert intake.reserve("key", "body", next_one) == Reservation("m1", Reserved.ACQUIRED)
    assert intake.reserve("key", "other", next_one) == Reservation("m1", Reserved.OTHER_BODY)


def test_who_continues_for_another_accepts_the_message_of_the_key(
    store: Store, intake: Intake
) -> None:
    queue = RecordedQueue()
    held = Reservation("m1", Reserved.ACQUIRED)
    intake.reserve("key", "body", MESSAGE)

    accepted = intake.accept_reserved("key", Message("m2", NOW, PLAN), held, REQUEST, queue)

    assert accepted.message_id == "m1"
    assert queue.requests[0][1] == {"message_id": "m1"}
    assert store.messages.history_and_request("m1") == (MessageHistory(MESSAGE, ()), REQUEST)


def test_who_continues_for_one_that_blocked_its_message_closes_it(
    store: Store, intake: Intake
) -> None:
    intake.reserve("key", "body", MESSAGE)
    intake.plan(MESSAGE, REQUEST)
    store.attempts.block(FIRST, "whatsapp", NOW, NOT_QUEUED)
    queue, held = RecordedQueue(), Reservation("m1", Reserved.ACQUIRED)
    with pytest.raises(NotQueued, match=NOT_QUEUED):
        intake.accept_reserved("key", Message("m2", NOW, PLAN), held, REQUEST, queue)

    assert queue.requests == []
    assert store.messages.history("m1").message.status is MessageStatus.UNDELIVERED
    freed = store.idempotency.reserve("key", "body", "m3", NOW, LOCK)
    assert freed == Reservation("m3", Reserved.ACQUIRED)


def test_a_message_that_cannot_be_queued_leaves_its_key_free(store: Store, intake: Intake) -> None:
    reservation = intake.reserve("key", "body", MESSAGE)
    with pytest.raises(NotQueued, match=NOT_QUEUED):
        intake.accept_reserved(
            "key", MESSAGE, reservation, REQUEST, RecordedQueue(error=UNCONFIRMED)
        )

    free = store.idempotency.reserve("key", "other", "m2", NOW, LOCK)
    assert free == Reservation("m2", Reserved.ACQUIRED)
