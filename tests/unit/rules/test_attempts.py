"""One attempt: what is sent, what is recorded, and how its state is answered."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, EndpointConnectionError

from messaging.attempts import AttemptRunner, SendingState
from messaging.domain.content import Content
from messaging.domain.errors import Ambiguous, MissingSetting, Refused, Unavailable
from messaging.domain.messages import Attempt, Message, Outcome
from messaging.domain.statuses import AttemptStatus, MessageStatus
from messaging.domain.verifications import Alphabet, Verification
from messaging.store import Store
from messaging.store.attempts import Attempts
from messaging.store.table import Table
from tests.support.ports import RecordedStates, ScriptedProvider
from tests.unit.rules.conftest import FIRST, MESSAGE, NOW, PLAN, REQUEST, SECOND, in_status, now

BY_WHATSAPP = Outcome("m1", MessageStatus.DELIVERED, "whatsapp", 1, None)


@dataclass
class Running:
    """The runner with its stand-ins. `channels` are those that were asked for."""

    store: Store
    states: RecordedStates
    log: Logger
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    channels: list[str] = field(default_factory=list)
    code_error: Exception | None = None

    def run(self, number: int, token: str | None = None, *, busy: timedelta = timedelta(0)) -> None:
        """`busy`: how long ago the state was entered."""
        planned = PLAN.attempt(number)
        node = planned.number, planned.channel, planned.wait_seconds
        self.run_state(SendingState("m1", *node, token or f"token {number}", NOW - busy))

    def run_state(self, state: SendingState) -> None:
        sender = "sender of {}".format
        AttemptRunner(
            self.store, self.states, self._channel, sender, now, self.log, self._code_content
        ).run(state)

    def _channel(self, name: str) -> ScriptedProvider:
        self.channels.append(name)
        return self.provider

    def _code_content(self, message: Message, request: object, *sending: str) -> Content:
        assert request == CODE_REQUEST
        if self.code_error:
            raise self.code_error
        return Content(text=f"code of {message.message_id}, {', '.join(sending)}")

    def attempt(self, number: int) -> Attempt:
        attempt = self.store.messages.history("m1").attempt(number)
        assert attempt
        return attempt


@pytest.fixture
def running(store: Store, states: RecordedStates, log: Logger) -> Running:
    store.messages.add(MESSAGE, REQUEST)
    return Running(store, states, log)


POLICY = Verification("sign-in", 6, Alphabet.DIGITS, 5, "Example", "en")
CODE_REQUEST = {
    "to": {"whatsapp": "+14255550156", "sms": "+14255550157"},
    "steps": [{}],
    "category": "authentication",
}


@pytest.fixture
def verifying(store: Store, states: RecordedStates, log: Logger) -> Running:
    """A message that is a verification, whose second step repeats the only one requested."""
    message = replace(MESSAGE, verification=POLICY, expires_at=NOW + timedelta(minutes=10))
    store.messages.add(message, CODE_REQUEST)
    return Running(store, states, log)


def failing(error: Exception) -> Callable[..., NoReturn]:
    def call(*_: object) -> NoReturn:
        raise error

    return call


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each read of the message from now on; the request is read once, and at half the price."""
    reads: list[str] = []
    query = Table.query

    def counted(table: Table, *keys: str, consistent: bool = True) -> Any:
        reads.append(
            ("consistent" if consistent else "cheap")
            + (", with the request" if keys[-1] == "message#request" else "")
        )
        return query(table, *keys, consistent=consistent)

    monkeypatch.setattr(Table, "query", counted)
    return reads


UNREACHABLE = EndpointConnectionError(endpoint_url="https://dynamodb.example.com")
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "Query")


def test_an_execution_of_a_message_that_was_closed_unqueued_ends_and_sends_nothing(
    running: Running,
) -> None:
    running.store.attempts.block(FIRST, "whatsapp", NOW, "the request could not be queued")
    running.store.messages.update_status("m1", MessageStatus.UNDELIVERED, NOW)
    running.run(1)
    running.run(2)

    assert running.provider.sent == []
    assert [(token, error) for token, error, _ in running.states.failed] == [
        ("token 1", "Expired"),
        ("token 2", "Expired"),
    ]
    assert running.attempt(1).status is AttemptStatus.SKIPPED


def test_a_missing_setting_lets_the_next_invocation_send(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Running, "_channel", failing(MissingSetting("SMS_CONFIGURATION_SET")))
        with pytest.raises(MissingSetting):
            running.run(1)
    running.run(1)

    assert [one.attempt_id for one in running.provider.sent] == [FIRST]


def test_an_attempt_is_handed_to_its_channel_and_recorded(running: Running) -> None:
    running.run(2)

    [delivery] = running.provider.sent
    assert running.channels == ["sms"]
    assert (delivery.attempt_id, delivery.to) == (SECOND, "+14255550157")
    assert (delivery.sender, delivery.valid_seconds) == ("sender of sms", 120)
    attempt = running.attempt(2)
    assert (attempt.status, attempt.provider_id) == (AttemptStatus.SENT, "provider-m1.2")
    assert attempt.times == {"sent": NOW}
    assert running.store.receipts.find("provider-m1.2", "sms") == SECOND
    assert not running.states.succeeded
    assert not running.states.failed


def test_a_delivery_that_came_before_the_send_was_recorded_is_answered(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = count_reads(monkeypatch)
    running.provider.before = lambda: running.store.attempts.update_status(
        FIRST, AttemptStatus.DELIVERED, NOW
    )
    running.run(1)

    outcome = replace(BY_WHATSAPP, provider_id="provider-m1.1")
    assert running.states.succeeded == [("token 1", outcome)]
    assert reads == ["cheap, with the request", "consistent"]


def test_a_retried_state_whose_attempt_had_failed_already_fails_with_its_reason(
    running: Running,
) -> None:
    in_status(running.store, FIRST, AttemptStatus.FAILED)
    running.run(1, "token of the retry")

    assert running.states.failed == [("token of the retry", "Failed", "rejected")]
    assert not running.provider.sent


def test_a_retried_state_whose_attempt_is_delivered_succeeds(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_status(running.store, FIRST, AttemptStatus.DELIVERED)
    reads = count_reads(monkeypatch)
    running.run(1, "token of the retry")

    assert running.states.succeeded == [("token of the retry", BY_WHATSAPP)]
    assert reads == ["cheap, with the request", "consistent"]
    assert not running.provider.sent


@pytest.mark.parametrize("status", [AttemptStatus.SENDING, AttemptStatus.SENT])
def test_a_retried_state_whose_attempt_is_open_waits_on(
    running: Running, status: AttemptStatus
) -> None:
    in_status(running.store, FIRST, status)
    running.run(1, "token of the retry")

    assert not running.provider.sent
    assert not running.states.succeeded
    assert not running.states.failed
    assert running.attempt(1).status is status


def test_a_refusal_is_recorded_and_answered_with_its_reason(running: Running) -> None:
    running.provider.error = Refused("not on WhatsApp")
    running.run(1)

    attempt = running.attempt(1)
    assert (attempt.status, attempt.reason) == (AttemptStatus.FAILED, "not on WhatsApp")
    assert attempt.times == {"failed": NOW}
    assert running.states.failed == [("token 1", "Refused", "not on WhatsApp")]


@pytest.mark.parametrize("error", [UNREACHABLE, THROTTLED])
def test_a_refusal_that_cannot_be_recorded_is_answered_all_the_same(
    running: Running, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    running.provider.error = Refused("not on WhatsApp")
    monkeypatch.setattr(Attempts, "update_status", failing(error))
    running.run(1)

    assert running.states.failed == [("token 1", "Refused", "not on WhatsApp")]


def test_a_busy_provider_releases_the_attempt_and_the_state_tries_again(running: Running) -> None:
    running.provider.error = Unavailable("throttled")
    running.run(1)

    attempt = running.attempt(1)
    assert (attempt.status, attempt.released) == (AttemptStatus.SENDING, True)
    assert attempt.reason == "throttled"
    assert running.states.failed == [("token 1", "Unavailable", "throttled")]

    running.provider.error = None
    running.run(1, "token of the retry")
    assert running.attempt(1).status is AttemptStatus.SENT


def test_what_may_have_been_sent_is_neither_answered_nor_sent_again(running: Running) -> None:
    running.provider.error = Ambiguous("no answer")
    running.run(1)
    running.run(1, "token of the retry")

    attempt = running.attempt(1)
    assert (attempt.status, attempt.reason) == (AttemptStatus.SENDING, "no answer")
    assert len(running.provider.sent) == 1
    assert not running.states.failed


def test_attempts_of_earlier_steps_time_out_when_the_next_begins(running: Running) -> None:
    in_status(running.store, FIRST, AttemptStatus.SENT)
    running.run(2)

    first = running.attempt(1)
    assert (first.status, first.times["timed_out"]) == (AttemptStatus.TIMED_OUT, NOW)
    assert running.attempt(2).status is AttemptStatus.SENT


def test_nothing_is_sent_after_another_step_got_through(running: Running) -> None:
    in_status(running.store, FIRST, AttemptStatus.DELIVERED)
    running.run(2)

    second = running.attempt(2)
    assert (second.status, second.reason) == (
        AttemptStatus.SKIPPED,
        "attempt 1 on whatsapp succeeded",
    )
    assert running.states.succeeded == [("token 2", BY_WHATSAPP)]
    assert not running.provider.sent


def test_an_attempt_that_was_sent_is_not_recorded_as_skipped(running: Running) -> None:
    in_status(running.store, FIRST, AttemptStatus.DELIVERED)
    in_status(running.store, SECOND, AttemptStatus.SENT)
    running.run(2, "token of the retry")

    assert running.attempt(2).status is AttemptStatus.SENT
    assert running.states.succeeded == [("token of the retry", BY_WHATSAPP)]


def test_a_retried_state_finds_its_attempt_skipped_and_succeeds(running: Running) -> None:
    in_status(running.store, FIRST, AttemptStatus.DELIVERED)
    running.run(2)
    running.run(2, "token of the retry")

    assert running.states.succeeded[1:] == [("token of the retry", BY_WHATSAPP)]


def test_nothing_is_sent_once_the_workflow_has_gone_on(running: Running) -> None:
    in_status(running.store, SECOND, AttemptStatus.SENT)
    running.run(1)

    first = running.attempt(1)
    assert (first.status, first.times) == (AttemptStatus.TIMED_OUT, {"timed_out": NOW})
    assert first.reason == "the wait ended before the attempt could be sent"
    assert not running.provider.sent
    assert not running.states.failed


def test_nothing_is_sent_of_a_message_that_expired(
    store: Store, states: RecordedStates, log: Logger
) -> None:
    store.messages.add(replace(MESSAGE, expires_at=NOW), REQUEST)
    running = Running(store, states, log)
    running.run(1)
    running.run(1, "token of the retry")

    first = running.attempt(1)
    assert (first.status, first.reason) == (AttemptStatus.SKIPPED, "the message expired")
    assert first.times == {"skipped": NOW}
    cause = "the message expired before it was sent"
    assert states.failed == [
        ("token 1", "Expired", cause),
        ("token of the retry", "Expired", cause),
    ]
    assert not running.provider.sent


def test_an_attempt_that_was_sent_may_be_delivered_after_the_expiry(
    store: Store, states: RecordedStates, log: Logger
) -> None:
    store.messages.add(replace(MESSAGE, expires_at=NOW), REQUEST)
    in_status(store, FIRST, AttemptStatus.SENT)
    running = Running(store, states, log)
    running.run(1, "token of the retry")

    assert running.attempt(1).status is AttemptStatus.SENT
    assert not states.failed


def test_a_message_is_sent_until_it_expires(
    store: Store, states: RecordedStates, log: Logger
) -> None:
    expires_at = NOW + timedelta(seconds=30)
    store.messages.add(replace(MESSAGE, expires_at=expires_at), REQUEST)
    running = Running(store, states, log)
    running.run(1)

    assert [one.valid_seconds for one in running.provider.sent] == [30]


@pytest.mark.parametrize("error", [UNREACHABLE, THROTTLED])
def test_an_attempt_that_could_not_be_checked_is_released_with_the_error(
    running: Running, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(running.store.messages, "history", failing(error))
        with pytest.raises(type(error)):
            running.run(1)

    assert running.attempt(1).released
    assert running.attempt(1).reason == type(error).__name__
    assert not running.provider.sent


@pytest.mark.parametrize(
    ("attempt", "channel", "wait"),
    [
        (-1, "sms", 120),
        (0, "sms", 120),
        (3, "sms", 120),
        (1, "sms", 45),
        (2, "whatsapp", 120),
        (2, "sms", 5),
        ("2", "sms", 120),
        ({"2": "sms"}, "sms", 120),
    ],
)
def test_a_node_that_the_plan_does_not_have_sends_and_writes_nothing(
    running: Running, attempt: Any, channel: str, wait: int
) -> None:
    running.run_state(SendingState("m1", attempt, channel, wait, "token", NOW))

    [(token, error, cause)] = running.states.failed
    assert (token, error) == ("token", "InvalidRoute")
    assert cause == (
        f"the plan of message m1 has no attempt {attempt} by {channel} with a wait of {wait} "
        "seconds"
    )
    assert running.store.messages.history("m1").attempts == ()
    assert not running.provider.sent


def test_a_route_of_no_message_sends_and_writes_nothing(
    store: Store, states: RecordedStates, log: Logger
) -> None:
    running = Running(store, states, log)
    running.run_state(SendingState("order-42", 1, "whatsapp", 45, "token", NOW))

    assert states.failed == [
        ("token", "InvalidRoute", "no message has the id order-42, the execution's name")
    ]
    assert not items(store)
    assert not running.provider.sent


def items(store: Store) -> object:
    client: Any = store.messages._table.client  # noqa: SLF001 - what is stored, whatever it is
    return client.items


def test_a_message_that_the_cheaper_read_misses_is_read_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = Table.query

    def lagging(table: Table, *keys: str, consistent: bool = True) -> Any:
        return query(table, *keys) if consistent else iter(())

    monkeypatch.setattr(Table, "query", lagging)
    running.run(1)

    assert [one.attempt_id for one in running.provider.sent] == [FIRST]


def test_a_request_that_the_cheaper_read_misses_is_read_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = Table.query

    def lagging(table: Table, *keys: str, consistent: bool = True) -> Any:
        missed = () if consistent else ("request",)
        for item in query(table, *keys):
            yield {name: value for name, value in item.items() if name not in missed}

    monkeypatch.setattr(Table, "query", lagging)
    running.run(1)

    assert [one.attempt_id for one in running.provider.sent] == [FIRST]


WAIT = timedelta(seconds=PLAN.attempt(1).wait_seconds)
A_SECOND = timedelta(seconds=1)


def test_a_busy_provider_is_tried_until_the_wait_ends(running: Running) -> None:
    running.provider.error = Unavailable("throttled")
    running.run(1)
    running.run(1, "token 2", busy=WAIT - A_SECOND)
    running.run(1, "token 3", busy=WAIT)

    assert len(running.provider.sent) == 2
    reason = "the wait ended before the attempt could be sent (the provider was busy: throttled)"
    assert running.states.failed == [
        ("token 1", "Unavailable", "throttled"),
        ("token 2", "Unavailable", "throttled"),
        ("token 3", "Failed", reason),
    ]
    first = running.attempt(1)
    assert (first.status, first.reason) == (AttemptStatus.FAILED, reason)


def test_a_provider_that_is_free_in_time_sends_and_the_next_step_does_not_begin(
    running: Running,
) -> None:
    running.provider.error = Unavailable("throttled")
    running.run(1)
    running.provider.error = None
    running.run(1, "token 2", busy=timedelta(seconds=20))

    assert running.attempt(1).status is AttemptStatus.SENT
    [_, sent] = running.provider.sent
    assert sent.valid_seconds == PLAN.attempt(1).wait_seconds


def test_a_function_that_was_throttled_until_the_wait_ended_sends_nothing(
    running: Running,
) -> None:
    running.run(1, busy=WAIT)

    reason = "the wait ended before the attempt could be sent (the function was busy)"
    assert running.states.failed == [("token 1", "Failed", reason)]
    first = running.attempt(1)
    assert (first.status, first.reason) == (AttemptStatus.TIMED_OUT, reason)
    assert not running.provider.sent


def test_the_last_step_is_sent_however_long_it_was_busy(running: Running) -> None:
    running.run(2, busy=timedelta(hours=1))

    assert [one.attempt_id for one in running.provider.sent] == [SECOND]


def test_a_retry_that_finds_the_claim_of_an_ended_invocation_says_so(running: Running) -> None:
    """It ended between the claim and the provider's response; nobody knows on which side."""
    running.store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    running.run(1, "token of the retry")

    first = running.attempt(1)
    reason = "the provider's response was not recorded; it may have been sent"
    assert (first.status, first.reason) == (AttemptStatus.SENDING, reason)
    assert not running.provider.sent
    assert not running.states.failed


def test_an_attempt_whose_invocation_ended_times_out_with_that_reason(running: Running) -> None:
    running.store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    running.run(2)

    first = running.attempt(1)
    reason = "the provider's response was not recorded; it may have been sent"
    assert (first.status, first.reason) == (AttemptStatus.TIMED_OUT, reason)


def test_a_verification_is_sent_with_its_code_and_its_policy(verifying: Running) -> None:
    verifying.run(1)
    verifying.run(2)

    first, second = verifying.provider.sent
    assert first.content == Content(text="code of m1, whatsapp, sender of whatsapp")
    assert second.content == Content(text="code of m1, sms, sender of sms")
    assert first.verification == second.verification == POLICY
    assert (first.to, second.to) == ("+14255550156", "+14255550157")


def test_a_channel_that_cannot_carry_the_code_is_refused_at_once(verifying: Running) -> None:
    verifying.code_error = Refused("cannot show the payee")
    verifying.run(1)

    assert not verifying.provider.sent
    assert verifying.states.failed == [("token 1", "Refused", "cannot show the payee")]
    attempt = verifying.attempt(1)
    assert (attempt.status, attempt.reason) == (AttemptStatus.FAILED, "cannot show the payee")


def test_a_code_that_could_not_be_derived_lets_the_next_invocation_send(
    verifying: Running,
) -> None:
    verifying.code_error = THROTTLED
    with pytest.raises(ClientError):
        verifying.run(1)
    verifying.code_error = None
    verifying.run(1)

    assert len(verifying.provider.sent) == 1
