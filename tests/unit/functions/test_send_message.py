"""One attempt on one channel, where another invocation or a receipt comes between."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

import send_message
from messaging.domain.content import Delivery
from messaging.domain.errors import Refused, Unavailable
from messaging.domain.messages import AttemptId, Message, MessageHistory, Outcome
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.store import Store
from tests.support.aws import CONTEXT, ENVIRONMENT
from tests.support.dynamodb import MemoryDynamoDB
from tests.support.plans import plan_of, send_event

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIRST, SECOND = AttemptId("m1", 1), AttemptId("m1", 2)
REQUEST = {
    "to": {"whatsapp": "+14255550156", "sms": "+14255550156"},
    "content": {"text": "hi"},
    "steps": [{}, {}],
    "category": "utility",
}


class Answers:
    """Stands in for the workflow and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def succeed(self, task_token: str, outcome: Outcome) -> None:
        self.told.append(f"{task_token} {outcome.status}")

    def fail(self, task_token: str, error: type[Exception], cause: str) -> None:
        assert cause
        self.told.append(f"{task_token} {error.__name__}")


class Channel:
    """Does something before it answers."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []
        self.before: Callable[[], object] = lambda: None
        self.error: Exception | None = None

    def send(self, delivery: Delivery) -> str:
        self.sent.append(delivery)
        self.before()
        if self.error:
            raise self.error
        return "provider-id"


class Stage:
    def __init__(self, success: Success = Success.DELIVERED) -> None:
        self.store = Store(MemoryDynamoDB(), "Messages", timedelta(days=1))  # type: ignore[arg-type] # the stand-in
        self.answers, self.channel = Answers(), Channel()
        self.add(success)

    def add(self, success: Success) -> None:
        self.plan = plan_of(
            PlannedAttempt(1, 1, "whatsapp", 45, success),
            PlannedAttempt(2, 2, "sms", 45, Success.DELIVERED),
        )
        self.store.messages.add(Message("m1", NOW, self.plan), REQUEST)

    def send(self, attempt_id: AttemptId, token: str) -> None:
        send_message.handler(send_event("m1", self.planned(attempt_id), token), CONTEXT)

    def planned(self, attempt_id: AttemptId) -> PlannedAttempt:
        return self.plan.attempt(attempt_id.number)

    def statuses(self) -> list[AttemptStatus]:
        return [one.status for one in self.store.messages.history("m1").attempts]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Stage:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    stage = Stage(getattr(request, "param", Success.DELIVERED))
    monkeypatch.setattr(send_message, "store", lambda: stage.store)
    monkeypatch.setattr(send_message, "workflow", lambda: stage.answers)
    monkeypatch.setattr(send_message, "channel", lambda _: stage.channel)
    return stage


asks_for_sent = pytest.mark.parametrize("stage", [Success.SENT], indirect=True)


def test_a_function_that_comes_after_the_next_step_began_sends_nothing(stage: Stage) -> None:
    stage.send(SECOND, "token 2")
    stage.send(FIRST, "token 1")

    assert [one.attempt_id for one in stage.channel.sent] == [SECOND]
    first = stage.store.messages.history("m1").attempts[0]
    assert (first.status, first.reason) == (
        AttemptStatus.TIMED_OUT,
        "the wait ended before the attempt could be sent",
    )


def test_a_function_that_comes_after_the_next_step_got_through_sends_nothing(
    stage: Stage,
) -> None:
    stage.send(SECOND, "token 2")
    stage.store.attempts.update_status(SECOND, AttemptStatus.DELIVERED, NOW)
    stage.send(FIRST, "token 1")

    assert [one.attempt_id for one in stage.channel.sent] == [SECOND]
    assert stage.statuses() == [AttemptStatus.SKIPPED, AttemptStatus.DELIVERED]


def test_what_breaks_before_the_send_lets_the_next_invocation_send(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(stage.store.messages, "history", unreachable)
        with pytest.raises(EndpointConnectionError):
            stage.send(FIRST, "token 1")
    stage.send(FIRST, "token 2")

    assert [one.attempt_id for one in stage.channel.sent] == [FIRST]
    assert stage.statuses() == [AttemptStatus.SENT]


def test_who_may_not_send_lets_nothing_go_that_was_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    with monkeypatch.context() as broken:
        broken.setattr(stage.store.messages, "history", unreachable)
        with pytest.raises(EndpointConnectionError):
            stage.send(FIRST, "token 2")
    stage.send(FIRST, "token 3")

    assert not stage.channel.sent


def unreachable(_: str) -> MessageHistory:
    raise EndpointConnectionError(endpoint_url="https://dynamodb.example.com")


@pytest.mark.parametrize("closed", [MessageStatus.UNDELIVERED, MessageStatus.EXPIRED])
def test_a_function_that_comes_after_the_message_was_closed_sends_nothing(
    stage: Stage, closed: MessageStatus
) -> None:
    stage.store.messages.update_status("m1", closed, NOW)
    stage.send(FIRST, "token 1")

    assert not stage.channel.sent
    assert stage.statuses() == [AttemptStatus.TIMED_OUT]


@asks_for_sent
def test_who_finds_an_attempt_sent_notes_that_of_the_message_too(stage: Stage) -> None:
    stage.store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    stage.store.attempts.record_sent(FIRST, "provider-id", NOW, stage.planned(FIRST))
    stage.send(FIRST, "token 2")

    assert stage.answers.told == ["token 2 sent"]
    assert stage.store.messages.history("m1").message.status is MessageStatus.SENT


@asks_for_sent
def test_who_skips_for_an_earlier_success_notes_that_of_the_message_too(stage: Stage) -> None:
    stage.store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    stage.store.attempts.record_sent(FIRST, "provider-id", NOW, stage.planned(FIRST))
    stage.send(SECOND, "token 2")

    assert stage.answers.told == ["token 2 sent"]
    assert stage.store.messages.history("m1").message.status is MessageStatus.SENT
    assert stage.statuses() == [AttemptStatus.SENT, AttemptStatus.SKIPPED]


@pytest.mark.parametrize("error", [Refused("no"), Unavailable("busy")], ids=["refused", "busy"])
def test_the_state_hears_it_that_has_tried_again_meanwhile(stage: Stage, error: Exception) -> None:
    stage.channel.error = error
    stage.channel.before = lambda: stage.send(FIRST, "token 2")
    stage.send(FIRST, "token 1")

    assert stage.answers.told == [f"token 2 {type(error).__name__}"]
    assert len(stage.channel.sent) == 1


def test_earlier_attempts_are_closed_before_the_next_is_sent(stage: Stage) -> None:
    seen: list[list[AttemptStatus]] = []
    stage.send(FIRST, "token 1")
    stage.channel.before = lambda: seen.append(stage.statuses())
    stage.send(SECOND, "token 2")

    assert seen == [[AttemptStatus.TIMED_OUT, AttemptStatus.SENDING]]
