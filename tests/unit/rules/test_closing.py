"""How a message ends that no step delivered in its time."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aws_lambda_powertools import Logger

from messaging.closing import Closed, Closing
from messaging.domain.messages import (
    ADVANCED_BEFORE,
    CONFIRMED_BEFORE,
    NOT_CONFIRMED,
    NOT_REQUESTED,
    Message,
    Outcome,
)
from messaging.domain.plan import Plan, PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, Success
from messaging.store import Store
from tests.support.plans import plan_of
from tests.unit.rules.conftest import (
    FIRST,
    MESSAGE,
    NOW,
    SECOND,
    RecordedRises,
    in_status,
)

LATER = NOW + timedelta(seconds=1)
STOPPED = "the execution was stopped"


@pytest.fixture
def closing(store: Store, log: Logger) -> Closing:
    return Closing(store, later, log)


def later() -> datetime:
    return LATER


@pytest.fixture
def planned(closing: Closing) -> Closing:
    closing.store.messages.add(replace(MESSAGE, accepted_at=LATER))
    return closing


def attempts(closing: Closing) -> list[tuple[AttemptStatus, str | None]]:
    history = closing.store.messages.history("m1")
    return [(one.status, one.reason) for one in history.attempts]


def test_a_message_of_which_nothing_was_sent_is_undelivered(planned: Closing) -> None:
    assert planned.close("m1") == Closed("m1", MessageStatus.UNDELIVERED, "nothing was sent")

    message = planned.store.messages.history("m1").message
    assert (message.status, message.concluded_at) == (MessageStatus.UNDELIVERED, LATER)
    assert message.reason is None


def test_the_cause_lists_how_each_attempt_ended(planned: Closing) -> None:
    in_status(planned.store, FIRST, AttemptStatus.FAILED)
    in_status(planned.store, SECOND, AttemptStatus.SENT)

    assert planned.close("m1") == Closed(
        "m1", MessageStatus.UNDELIVERED, "whatsapp: failed rejected; sms: timed_out"
    )
    assert planned.store.messages.history("m1").attempts[1].times["timed_out"] == LATER


def test_a_message_whose_step_was_skipped_has_expired(planned: Closing) -> None:
    in_status(planned.store, FIRST, AttemptStatus.TIMED_OUT)
    in_status(planned.store, SECOND, AttemptStatus.SKIPPED)

    assert planned.close("m1") == Closed(
        "m1", MessageStatus.EXPIRED, "whatsapp: timed_out; sms: skipped"
    )
    assert planned.store.messages.history("m1").message.status is MessageStatus.EXPIRED


def test_a_reason_is_kept_with_the_message_and_its_open_attempts(planned: Closing) -> None:
    in_status(planned.store, FIRST, AttemptStatus.FAILED)
    in_status(planned.store, SECOND, AttemptStatus.SENT)

    assert planned.close("m1", "why") == Closed("m1", MessageStatus.UNDELIVERED, "why")
    assert planned.store.messages.history("m1").message.reason == "why"
    assert attempts(planned) == [
        (AttemptStatus.FAILED, "rejected"),
        (AttemptStatus.TIMED_OUT, "why"),
    ]


def test_a_message_that_got_through_late_is_not_closed(
    planned: Closing, rises: RecordedRises
) -> None:
    in_status(planned.store, FIRST, AttemptStatus.DELIVERED)

    outcome = Outcome("m1", MessageStatus.DELIVERED, "whatsapp", 1, None)
    assert planned.close("m1", "why") == outcome
    assert rises.of_message[1:] == [(MessageStatus.DELIVERED, "whatsapp", None)]
    assert planned.store.messages.history("m1").message.concluded_at == LATER


def test_a_delivery_while_its_message_is_closed_is_the_outcome(
    planned: Closing, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_status(planned.store, FIRST, AttemptStatus.SENT)
    update_status = planned.store.messages.update_status

    def delivered_meanwhile(*args: object, **kwargs: object) -> MessageStatus:
        planned.store.attempts.update_status(FIRST, AttemptStatus.DELIVERED, NOW)
        return update_status(*args, **kwargs)  # type: ignore[arg-type] # passed on as they are

    monkeypatch.setattr(planned.store.messages, "update_status", delivered_meanwhile)

    assert planned.close("m1") == Outcome("m1", MessageStatus.DELIVERED, "whatsapp", 1, None)
    assert attempts(planned) == [(AttemptStatus.DELIVERED, None)]
    assert planned.store.messages.history("m1").message.status is MessageStatus.DELIVERED


def test_what_only_had_to_be_sent_and_is_sent_meanwhile_is_the_outcome(
    closing: Closing, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(PlannedAttempt(1, 1, "whatsapp", 45, Success.SENT))
    closing.store.messages.add(Message("m1", NOW, plan))
    in_status(closing.store, FIRST, AttemptStatus.SENDING)
    before = closing.store.messages.history("m1")
    in_status(closing.store, FIRST, AttemptStatus.SENT)
    after = closing.store.messages.history("m1")
    histories = iter([before, after])
    monkeypatch.setattr(closing.store.messages, "history", lambda _: next(histories))

    assert closing.close("m1") == Outcome("m1", MessageStatus.SENT, "whatsapp", 1, None)
    monkeypatch.undo()
    assert attempts(closing) == [(AttemptStatus.SENT, None)]


def test_an_unplanned_message_is_stored_as_undelivered_with_the_reason(
    closing: Closing, rises: RecordedRises
) -> None:
    closed = closing.close_after_execution("m1", "ABORTED", NOW)

    assert closed == Closed("m1", MessageStatus.UNDELIVERED, STOPPED)
    message = closing.store.messages.history("m1").message
    assert (message.status, message.reason) == (MessageStatus.UNDELIVERED, STOPPED)
    assert (message.accepted_at, message.plan) == (NOW, Plan())
    assert rises.of_message == [(MessageStatus.UNDELIVERED, None, STOPPED)]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("ABORTED", STOPPED),
        ("FAILED", "the execution failed"),
        ("TIMED_OUT", "the execution timed out"),
    ],
)
def test_a_message_in_progress_ends_with_its_execution(
    planned: Closing, status: str, reason: str
) -> None:
    in_status(planned.store, FIRST, AttemptStatus.SENT)

    closed = planned.close_after_execution("m1", status, NOW)

    assert closed == Closed("m1", MessageStatus.UNDELIVERED, reason)
    assert attempts(planned) == [(AttemptStatus.TIMED_OUT, reason)]
    assert planned.store.messages.history("m1").message.reason == reason


def test_what_the_workflow_closed_remains_as_it_is(planned: Closing) -> None:
    in_status(planned.store, FIRST, AttemptStatus.FAILED)
    planned.close("m1")

    closed = planned.close_after_execution("m1", "FAILED", NOW)

    assert closed == Closed("m1", MessageStatus.UNDELIVERED, "the execution failed")
    assert planned.store.messages.history("m1").message.reason is None


def test_an_attempt_that_a_closed_message_left_open_times_out(planned: Closing) -> None:
    planned.store.messages.update_status("m1", MessageStatus.UNDELIVERED, LATER)
    in_status(planned.store, FIRST, AttemptStatus.SENT)

    planned.close_after_execution("m1", "FAILED", NOW)

    assert attempts(planned) == [(AttemptStatus.TIMED_OUT, "the execution failed")]


# ---- what the caller said, or did not say


def test_a_confirmed_message_is_not_closed(planned: Closing) -> None:
    in_status(planned.store, FIRST, AttemptStatus.FAILED)
    in_status(planned.store, SECOND, AttemptStatus.SENT)
    planned.store.messages.confirm("m1", LATER, None)

    assert planned.close("m1") == Outcome("m1", MessageStatus.CONFIRMED, "sms", 2, None)
    assert attempts(planned)[1] == (AttemptStatus.SENT, None)


def test_a_message_that_was_confirmed_before_anything_was_sent_has_no_attempt(
    planned: Closing,
) -> None:
    planned.store.messages.confirm("m1", LATER, None)

    assert planned.close("m1") == Closed("m1", MessageStatus.CONFIRMED, CONFIRMED_BEFORE)


def test_a_confirmation_while_its_message_is_closed_is_the_outcome(
    planned: Closing, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_status(planned.store, FIRST, AttemptStatus.SENT)
    update_status = planned.store.messages.update_status

    def confirmed_meanwhile(*args: object, **kwargs: object) -> MessageStatus:
        planned.store.messages.confirm("m1", LATER, None)
        return update_status(*args, **kwargs)  # type: ignore[arg-type] # passed on as they are

    monkeypatch.setattr(planned.store.messages, "update_status", confirmed_meanwhile)

    assert planned.close("m1") == Outcome("m1", MessageStatus.CONFIRMED, "whatsapp", 1, None)
    assert attempts(planned) == [(AttemptStatus.SENT, None)]


def test_a_cancelled_message_keeps_its_status_and_what_was_sent(
    planned: Closing, rises: RecordedRises
) -> None:
    in_status(planned.store, FIRST, AttemptStatus.SENT)
    planned.store.messages.cancel("m1", LATER, "the order was cancelled", by_caller=True)

    closed = Closed("m1", MessageStatus.CANCELLED, "whatsapp: sent")
    assert planned.close("m1") == closed
    assert planned.close_after_execution("m1", "ABORTED", NOW) == replace(closed, cause=STOPPED)
    assert attempts(planned) == [(AttemptStatus.SENT, None)]
    assert [status for status, *_ in rises.of_message][1:] == [MessageStatus.CANCELLED]


@pytest.mark.parametrize("moment", ["before the close", "while it is closed"])
def test_a_delivered_message_that_nobody_confirmed_ends_as_delivered(
    closing: Closing, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    plan = plan_of(
        PlannedAttempt(1, 1, "whatsapp", 45, Success.CONFIRMED),
        PlannedAttempt(2, 2, "sms", 45, Success.CONFIRMED),
    )
    closing.store.messages.add(Message("m1", NOW, plan))
    in_status(closing.store, FIRST, AttemptStatus.SENT)
    in_status(closing.store, SECOND, AttemptStatus.SENT)
    update_status = closing.store.messages.update_status

    def delivered(*args: object, **kwargs: object) -> MessageStatus:
        closing.store.attempts.update_status(FIRST, AttemptStatus.DELIVERED, NOW)
        return update_status(*args, **kwargs)  # type: ignore[arg-type] # passed on as they are

    if moment == "before the close":
        closing.store.attempts.update_status(FIRST, AttemptStatus.DELIVERED, NOW)
    else:
        monkeypatch.setattr(closing.store.messages, "update_status", delivered)

    assert closing.close("m1") == Closed("m1", MessageStatus.DELIVERED, NOT_CONFIRMED)
    message = closing.store.messages.history("m1").message
    assert (message.status, message.reason) == (MessageStatus.DELIVERED, NOT_CONFIRMED)
    assert [status for status, _ in attempts(closing)] == [
        AttemptStatus.DELIVERED,
        AttemptStatus.TIMED_OUT,
    ]


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (ADVANCED_BEFORE, MessageStatus.UNDELIVERED),
        (NOT_REQUESTED, MessageStatus.UNDELIVERED),
        ("the message expired", MessageStatus.EXPIRED),
    ],
)
def test_only_a_step_that_was_skipped_for_the_expiry_makes_a_message_expire(
    planned: Closing, reason: str, status: MessageStatus
) -> None:
    planned.store.attempts.claim(FIRST, "whatsapp", "token 1", NOW)
    planned.store.attempts.update_status(FIRST, AttemptStatus.SKIPPED, NOW, reason)

    assert planned.close("m1").status is status
