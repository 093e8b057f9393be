"""What a status means for its message, and which waiting states are answered."""

from dataclasses import replace

import pytest

from messaging.domain.messages import NOT_CONFIRMED, Attempt, Message, Outcome
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.settlement import Settlement
from messaging.store import Store
from messaging.store.messages import Messages
from tests.support.plans import plan_of
from tests.support.ports import RecordedStates
from tests.unit.rules.conftest import (
    FIRST,
    MESSAGE,
    NOW,
    PLAN,
    SECOND,
    RecordedRises,
    in_status,
    now,
)

BY_WHATSAPP = Outcome("m1", MessageStatus.DELIVERED, "whatsapp", 1, "wa-1")


@pytest.fixture
def settlement(store: Store, states: RecordedStates) -> Settlement:
    store.messages.add(MESSAGE)
    return Settlement(store, states, now)


def delivered(store: Store) -> Attempt:
    store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    store.attempts.record_sent(FIRST, "wa-1", NOW, PLAN.attempt(1))
    return store.attempts.update_status(FIRST, AttemptStatus.DELIVERED, NOW)


def test_a_failure_answers_its_state_with_the_reason(
    store: Store, states: RecordedStates, settlement: Settlement
) -> None:
    settlement.settle(in_status(store, FIRST, AttemptStatus.FAILED))

    assert states.failed == [("token 1", "Failed", "rejected")]
    assert not states.succeeded
    assert store.messages.history("m1").message.status is MessageStatus.ACCEPTED


def test_a_failure_without_a_reason_answers_with_an_empty_cause(
    store: Store, states: RecordedStates, settlement: Settlement
) -> None:
    store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    settlement.settle(store.attempts.update_status(FIRST, AttemptStatus.FAILED, NOW))

    assert states.failed == [("token 1", "Failed", "")]


@pytest.mark.parametrize(
    "status", [AttemptStatus.SENDING, AttemptStatus.SENT, AttemptStatus.UNCONFIRMED]
)
def test_an_attempt_that_may_still_be_delivered_answers_nothing(
    store: Store, states: RecordedStates, settlement: Settlement, status: AttemptStatus
) -> None:
    settlement.settle(in_status(store, FIRST, status))

    assert not states.succeeded
    assert not states.failed


def test_a_success_ends_its_wait_and_is_the_messages(
    store: Store, states: RecordedStates, settlement: Settlement, rises: RecordedRises
) -> None:
    settlement.settle(delivered(store))

    assert states.succeeded == [("token 1", BY_WHATSAPP)]
    assert rises.of_message[1:] == [(MessageStatus.DELIVERED, "whatsapp", None)]
    assert store.messages.history("m1").message.concluded_at == NOW


def test_a_success_before_its_send_is_recorded_is_judged_by_the_plan(
    store: Store, states: RecordedStates
) -> None:
    asks_for_read = plan_of(PlannedAttempt(1, 1, "whatsapp", 45, Success.READ))
    store.messages.add(Message("m1", NOW, asks_for_read))
    settlement = Settlement(store, states, now)
    settlement.settle(in_status(store, FIRST, AttemptStatus.DELIVERED))
    assert not states.succeeded

    settlement.settle(store.attempts.update_status(FIRST, AttemptStatus.READ, NOW))
    assert [token for token, _ in states.succeeded] == ["token 1"]


def test_a_history_that_is_given_is_not_read_again(
    store: Store,
    states: RecordedStates,
    settlement: Settlement,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempt = in_status(store, FIRST, AttemptStatus.DELIVERED)
    history = store.messages.history("m1")
    monkeypatch.setattr(Messages, "history", lambda *_: pytest.fail("the history is read"))
    settlement.settle(attempt, history)

    assert [token for token, _ in states.succeeded] == ["token 1"]


def test_a_late_success_ends_the_wait_of_the_step_after_it(
    store: Store, states: RecordedStates, settlement: Settlement
) -> None:
    in_status(store, SECOND, AttemptStatus.SENT)
    states.over = {"token 1"}
    settlement.settle(delivered(store))

    assert states.succeeded == [("token 1", BY_WHATSAPP), ("token 2", BY_WHATSAPP)]


def test_a_late_success_answers_no_attempt_that_is_over(
    store: Store, states: RecordedStates, settlement: Settlement
) -> None:
    in_status(store, SECOND, AttemptStatus.FAILED)
    states.over = {"token 1"}
    settlement.settle(delivered(store))

    assert states.succeeded == [("token 1", BY_WHATSAPP)]


def test_a_success_in_time_answers_its_own_state_only(
    store: Store, states: RecordedStates, settlement: Settlement
) -> None:
    in_status(store, SECOND, AttemptStatus.SENT)
    settlement.settle(delivered(store))

    assert states.succeeded == [("token 1", BY_WHATSAPP)]


def test_an_attempt_that_was_not_sent_is_skipped_for_the_success_of_the_other(
    store: Store, states: RecordedStates, settlement: Settlement
) -> None:
    second = in_status(store, SECOND, AttemptStatus.SENDING)
    settlement.skip(second, delivered(store), unsent=True)

    assert states.succeeded == [("token 2", BY_WHATSAPP)]
    history = store.messages.history("m1")
    assert history.message.status is MessageStatus.DELIVERED
    skipped = history.attempts[1]
    assert skipped.status is AttemptStatus.SKIPPED
    assert skipped.reason == "attempt 1 on whatsapp succeeded"
    assert skipped.times["skipped"] == NOW


def test_an_attempt_that_was_sent_remains_sent_beside_the_success_of_the_other(
    store: Store, states: RecordedStates, settlement: Settlement
) -> None:
    second = in_status(store, SECOND, AttemptStatus.SENT)
    settlement.skip(second, delivered(store), unsent=False)

    assert states.succeeded == [("token 2", BY_WHATSAPP)]
    history = store.messages.history("m1")
    assert history.message.status is MessageStatus.DELIVERED
    assert history.attempts[1] == second


# ---- a step that requires a confirmation

UNCONFIRMED = plan_of(PlannedAttempt(1, 1, "whatsapp", 45, Success.CONFIRMED))


@pytest.fixture
def unconfirmed(store: Store, states: RecordedStates) -> Settlement:
    store.messages.add(replace(MESSAGE, plan=UNCONFIRMED))
    return Settlement(store, states, now)


@pytest.mark.parametrize("recorded", [True, False], ids=["after its send", "before its send"])
def test_a_delivery_does_not_end_a_wait_for_a_confirmation(
    store: Store, states: RecordedStates, unconfirmed: Settlement, *, recorded: bool
) -> None:
    store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    if recorded:
        store.attempts.record_sent(FIRST, "wa-1", NOW, UNCONFIRMED.attempt(1))
    unconfirmed.settle(store.attempts.update_status(FIRST, AttemptStatus.DELIVERED, NOW))

    assert (states.succeeded, states.failed) == ([], [])
    assert store.messages.history("m1").message.status is MessageStatus.ACCEPTED


@pytest.mark.parametrize("status", [AttemptStatus.DELIVERED, AttemptStatus.READ])
def test_a_delivery_after_the_end_raises_a_message_that_was_not_confirmed(
    store: Store, unconfirmed: Settlement, rises: RecordedRises, status: AttemptStatus
) -> None:
    store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    store.messages.update_status("m1", MessageStatus.EXPIRED, NOW)
    for _ in range(2):
        unconfirmed.settle(store.attempts.update_status(FIRST, status, NOW))

    assert rises.of_message[-1] == (MessageStatus.DELIVERED, "whatsapp", NOT_CONFIRMED)
    assert len(rises.of_message) == 3


def test_what_the_carrier_has_is_not_delivered(store: Store, unconfirmed: Settlement) -> None:
    store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    store.messages.update_status("m1", MessageStatus.EXPIRED, NOW)
    unconfirmed.settle(store.attempts.update_status(FIRST, AttemptStatus.UNCONFIRMED, NOW))

    assert store.messages.history("m1").message.status is MessageStatus.EXPIRED


def test_a_delivery_of_another_step_does_not_raise_an_undelivered_message(
    store: Store, settlement: Settlement
) -> None:
    """A step that requires a read receipt has not succeeded, as before."""
    read = plan_of(PlannedAttempt(1, 1, "whatsapp", 45, Success.READ))
    store.messages.add(replace(MESSAGE, message_id="m2", plan=read))
    attempt_id = replace(FIRST, message_id="m2")
    store.attempts.claim(attempt_id, "whatsapp", "token 1", NOW)
    store.messages.update_status("m2", MessageStatus.UNDELIVERED, NOW)
    settlement.settle(store.attempts.update_status(attempt_id, AttemptStatus.DELIVERED, NOW))

    assert store.messages.history("m2").message.status is MessageStatus.UNDELIVERED
