"""`close_message` after an execution ended without the workflow's doing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

import close_message
from messaging.clients.store import store as deployed_store
from messaging.domain.messages import Attempt, AttemptId, Message
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.store import Store
from messaging.store.attempts import Attempts
from tests.support.aws import CONTEXT, TABLE, aws
from tests.support.plans import plan_of

START = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
MESSAGE_ID = "01KB3Q4Y9V6Z8M2N7R5T1W0XCD"
ATTEMPT = AttemptId(MESSAGE_ID, 1)
PLAN = plan_of(PlannedAttempt(1, 1, "sms", 120, Success.DELIVERED))


@pytest.fixture
def store() -> Iterator[Store]:
    with aws():
        deployed_store.cache_clear()
        yield Store(boto3.client("dynamodb"), TABLE, timedelta(days=1))
    deployed_store.cache_clear()


def sent(store: Store) -> None:
    store.messages.add(Message(MESSAGE_ID, START, PLAN))
    store.attempts.claim(ATTEMPT, "sms", "the-task-token", START)
    store.attempts.record_sent(ATTEMPT, "provider-1", START, PLAN.attempt(1))


def ended(execution_status: str) -> dict[str, Any]:
    event = {
        "message_id": MESSAGE_ID,
        "execution_status": execution_status,
        "started_at": int(START.timestamp() * 1000),
    }
    return close_message.handler(event, CONTEXT)


@pytest.mark.parametrize(
    ("execution_status", "reason"),
    [
        ("ABORTED", "the execution was stopped"),
        ("FAILED", "the execution failed"),
        ("TIMED_OUT", "the execution timed out"),
    ],
)
def test_a_message_on_its_way_ends_with_its_execution(
    store: Store, execution_status: str, reason: str
) -> None:
    sent(store)
    assert ended(execution_status)["status"] == MessageStatus.UNDELIVERED
    story = store.messages.history(MESSAGE_ID)
    assert (story.message.status, story.message.reason) == (MessageStatus.UNDELIVERED, reason)
    assert (story.attempts[0].status, story.attempts[0].reason) == (AttemptStatus.TIMED_OUT, reason)


def test_what_the_workflow_has_closed_stays_as_it_is(store: Store) -> None:
    sent(store)
    close_message.handler({"message_id": MESSAGE_ID}, CONTEXT)
    before = store.messages.history(MESSAGE_ID)
    ended("FAILED")
    assert store.messages.history(MESSAGE_ID) == before


def test_the_message_is_closed_before_its_attempts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[MessageStatus] = []
    time_out = Attempts.time_out

    def watched(one: Attempts, *facts: Any) -> Attempt:
        seen.append(store.messages.history(MESSAGE_ID).message.status)
        return time_out(one, *facts)

    monkeypatch.setattr(Attempts, "time_out", watched)
    sent(store)
    close_message.handler({"message_id": MESSAGE_ID}, CONTEXT)

    assert seen == [MessageStatus.UNDELIVERED]
    assert store.messages.history(MESSAGE_ID).attempts[0].status is AttemptStatus.TIMED_OUT


def test_an_attempt_that_only_had_to_be_sent_is_not_given_up(store: Store) -> None:
    plan = plan_of(PlannedAttempt(1, 1, "sms", 120, Success.SENT))
    store.messages.add(Message(MESSAGE_ID, START, plan))
    store.attempts.claim(ATTEMPT, "sms", "the-task-token", START)
    store.attempts.record_sent(ATTEMPT, "provider-1", START, plan.attempt(1))

    assert close_message.handler({"message_id": MESSAGE_ID}, CONTEXT)["status"] == "sent"
    assert store.messages.history(MESSAGE_ID).attempts[0].status is AttemptStatus.SENT


def test_who_comes_after_a_dead_function_closes_the_attempts(store: Store) -> None:
    sent(store)
    store.messages.update_status(MESSAGE_ID, MessageStatus.UNDELIVERED, START)
    ended("ABORTED")

    assert store.messages.history(MESSAGE_ID).attempts[0].status is AttemptStatus.TIMED_OUT


def test_a_success_that_was_not_concluded_counts(store: Store) -> None:
    sent(store)
    store.attempts.update_status(ATTEMPT, AttemptStatus.DELIVERED, START)
    assert ended("ABORTED")["status"] == MessageStatus.DELIVERED
    assert store.messages.history(MESSAGE_ID).message.status is MessageStatus.DELIVERED


def test_a_request_that_was_never_planned_is_undelivered(store: Store) -> None:
    ended("FAILED")
    message = store.messages.history(MESSAGE_ID).message
    assert (message.status, message.reason) == (MessageStatus.UNDELIVERED, "the execution failed")
    assert message.accepted_at == START


def test_a_success_after_the_stop_takes_the_reason_away(store: Store) -> None:
    sent(store)
    ended("ABORTED")
    store.messages.update_status(MESSAGE_ID, MessageStatus.DELIVERED, START)
    assert store.messages.history(MESSAGE_ID).message.reason is None
