"""What a caller's word changes, and which waiting states are answered with it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

import pytest
from aws_lambda_powertools import Logger

from messaging.attempts import AttemptRunner, SendingState
from messaging.control import Control
from messaging.domain.errors import InvalidRequest, TooLate, Unavailable, UnknownMessage
from messaging.domain.messages import (
    ADVANCED_BEFORE,
    REQUESTED,
    WAITS_FOR_REQUEST,
    Attempt,
    AttemptId,
    Message,
    Outcome,
)
from messaging.domain.plan import RequestedStep, make_plan
from messaging.domain.statuses import OVER, AttemptStatus, MessageStatus, Success
from messaging.domain.verifications import Alphabet, Verification
from messaging.store import Store
from messaging.store.attempts import Attempts
from messaging.store.table import Table
from tests.support.ports import RecordedStates, ScriptedProvider
from tests.unit.rules.conftest import (
    FIRST,
    MESSAGE,
    NOW,
    REQUEST,
    SECOND,
    RecordedRises,
    in_status,
    now,
)

CODE = Verification("sign-in", 6, Alphabet.DIGITS, 5, "Example", "en")
SMS = RequestedStep(("sms",), wait_seconds=120, success=Success.CONFIRMED)
# A step, and a repetition that is only sent on request.
REPEATED = replace(MESSAGE, plan=make_plan([SMS, replace(SMS, on_request=True)], {"sms": 120}))
VERIFICATION = replace(REPEATED, verification=CODE)


@pytest.fixture
def control(store: Store, states: RecordedStates, log: Logger) -> Control:
    return Control(store, states, now, log)


def planned(control: Control, message: Message = MESSAGE) -> None:
    control.store.messages.add(message, REQUEST)


def message(control: Control) -> Message:
    return control.store.messages.history("m1").message


def test_a_confirmation_answers_every_state_that_may_wait(
    control: Control, states: RecordedStates
) -> None:
    planned(control)
    in_status(control.store, FIRST, AttemptStatus.UNCONFIRMED)
    in_status(control.store, SECOND, AttemptStatus.SENT)

    assert control.confirm("m1")[0].confirmed
    assert states.succeeded == [
        ("token 1", Outcome("m1", MessageStatus.CONFIRMED, "whatsapp", 1, None)),
        ("token 2", Outcome("m1", MessageStatus.CONFIRMED, "sms", 2, None)),
    ]


@pytest.mark.parametrize("status", sorted(OVER))
def test_no_state_waits_for_an_attempt_that_is_over(
    control: Control, states: RecordedStates, status: AttemptStatus
) -> None:
    planned(control)
    in_status(control.store, FIRST, status)
    control.advance("m1", 1)
    control.confirm("m1")

    assert (states.succeeded, states.failed) == ([], [])


@pytest.mark.parametrize(
    "act",
    [Control.confirm, Control.cancel, lambda control, name: control.advance(name, 1)],
    ids=["confirm", "cancel", "advance"],
)
def test_the_fact_is_written_before_the_history_is_read(
    control: Control, monkeypatch: pytest.MonkeyPatch, act: Callable[[Control, str], object]
) -> None:
    """A send that claims its attempt after the history was read finds the fact."""
    planned(control)
    calls: list[str] = []
    for name in ("update", "query"):
        monkeypatch.setattr(Table, name, _recorded(calls, name, getattr(Table, name)))
    act(control, "m1")

    assert calls[-2:] == ["update", "query"]


def _recorded(calls: list[str], name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*positional: Any, **named: Any) -> Any:
        calls.append(name)
        return method(*positional, **named)

    return call


def test_a_confirmed_message_is_confirmed_again_without_a_change(
    control: Control, states: RecordedStates, rises: RecordedRises
) -> None:
    planned(control)
    in_status(control.store, FIRST, AttemptStatus.SENT)
    for _ in range(2):
        control.confirm("m1")

    assert [token for token, _ in states.succeeded] == ["token 1"] * 2
    assert [one for one, *_ in rises.of_message] == [
        MessageStatus.ACCEPTED,
        MessageStatus.CONFIRMED,
    ]


def test_of_two_right_checks_one_confirms_the_message(control: Control) -> None:
    planned(control, VERIFICATION)
    answers = [control.confirm("m1", by_check=check)[0] for check in ("one", "other")]

    assert [answer.confirmed_by for answer in answers] == ["one", "one"]


def test_a_code_of_ours_is_confirmed_by_a_check_only(control: Control) -> None:
    planned(control, VERIFICATION)
    with pytest.raises(TooLate, match="confirmed by checking it"):
        control.confirm("m1")
    assert message(control).status is MessageStatus.ACCEPTED

    assert control.confirm("m1", by_check="check")[0].confirmed


def test_a_code_of_the_callers_own_is_confirmed_by_the_caller(control: Control) -> None:
    planned(control, replace(REPEATED, verification=replace(CODE, own_code=True)))

    assert control.confirm("m1")[0].confirmed


def test_a_right_check_that_was_counted_before_the_last_wrong_one_is_approved(
    control: Control, states: RecordedStates
) -> None:
    planned(control, VERIFICATION)
    in_status(control.store, FIRST, AttemptStatus.SENT)
    assert control.use_up("m1", "every check was used").status is MessageStatus.CANCELLED
    assert states.failed == [("token 1", "Cancelled", "every check was used")]

    assert control.confirm("m1", by_check="check")[0].confirmed
    assert control.use_up("m1", "every check was used").confirmed
    assert len(states.failed) == 1


def test_a_cancelled_verification_is_not_approved(control: Control) -> None:
    planned(control, VERIFICATION)
    control.cancel("m1")
    with pytest.raises(TooLate) as refused:
        control.confirm("m1", by_check="check")

    assert refused.value.status == "cancelled"


def test_no_state_waits_on_after_a_cancellation(control: Control, states: RecordedStates) -> None:
    planned(control)
    in_status(control.store, FIRST, AttemptStatus.SENT)
    for _ in range(2):
        assert control.cancel("m1", "the order was cancelled").cancelled_at == NOW

    assert states.failed == [("token 1", "Cancelled", "the order was cancelled")] * 2
    assert message(control).reason == "the order was cancelled"


def test_what_is_unknown_or_has_no_such_step_is_said(control: Control) -> None:
    for act in (control.confirm, control.cancel):
        with pytest.raises(UnknownMessage):
            act("m1")
    with pytest.raises(UnknownMessage):
        control.advance("m1", 1)
    planned(control)
    for step in (0, 3):
        with pytest.raises(InvalidRequest, match=f"/step is {step}; it must be from 1 to 2"):
            control.advance("m1", step)
    with pytest.raises(TooLate, match="step 2 is the last step"):
        control.advance("m1", 2)


def test_a_repeated_advance_of_a_message_that_ended_since_is_no_error(control: Control) -> None:
    planned(control)
    control.advance("m1", 1)
    control.confirm("m1")

    assert control.advance("m1", 1).confirmed


def test_an_advance_ends_the_waits_of_its_step_and_of_no_later_one(
    control: Control, states: RecordedStates
) -> None:
    planned(control)
    in_status(control.store, FIRST, AttemptStatus.SENT)
    in_status(control.store, SECOND, AttemptStatus.SENT)
    control.advance("m1", 1)

    assert states.failed == [("token 1", "Advanced", ADVANCED_BEFORE)]


def test_a_verification_is_only_advanced_by_a_resend_that_its_limits_permit(
    control: Control,
) -> None:
    planned(control, VERIFICATION)
    with pytest.raises(TooLate, match="is a resend"):
        control.advance("m1", 1)
    assert message(control).advanced_to == 0

    assert control.advance("m1", 1, resend=True).advanced_to == 2


@pytest.mark.parametrize("act", [Control.confirm, Control.cancel], ids=["confirm", "cancel"])
def test_what_a_busy_provider_had_not_taken_was_skipped(
    control: Control, act: Callable[[Control, str], object]
) -> None:
    """Its function reports that to a state that was answered already."""
    planned(control)
    attempt = in_status(control.store, FIRST, AttemptStatus.SENDING)
    act(control, "m1")
    control.store.attempts.release(attempt.attempt_id, "ThrottlingException")
    history = control.store.messages.history("m1")

    assert history.status_of(history.attempts[0]) is AttemptStatus.SKIPPED


@pytest.mark.parametrize("number", [1, 2])
def test_a_function_that_comes_after_an_unconfirmed_end_sends_nothing(
    control: Control, states: RecordedStates, number: int
) -> None:
    """The message is delivered, but no step has succeeded."""
    planned(control, replace(REPEATED, plan=make_plan([SMS, SMS], {"sms": 120})))
    control.store.messages.update_status("m1", MessageStatus.UNDELIVERED, NOW)
    control.store.messages.close_as_delivered("m1", NOW, "sms")
    provider = ScriptedProvider()
    run(control, states, provider, number)

    assert provider.sent == []
    assert [error for _, error, _ in states.failed] == ["Expired"]


# ---- steps on request


def test_a_step_on_request_waits_and_is_tried_again_when_it_is_asked_for(
    control: Control, states: RecordedStates
) -> None:
    planned(control, REPEATED)
    provider = ScriptedProvider()
    run(control, states, provider, 2)
    assert (provider.sent, states.failed) == ([], [])
    attempt = control.store.messages.history("m1").attempts[0]
    assert (attempt.reason, attempt.waits_for_request) == (WAITS_FOR_REQUEST, True)
    control.advance("m1", 1)
    assert states.failed == [("token 2", "Resend", REQUESTED)]
    run(control, states, provider, 2)

    assert [one.attempt_id for one in provider.sent] == [SECOND]
    control.advance("m1", 1)
    assert len(states.failed) == 1


def test_a_request_before_the_step_sends_it_at_once(
    control: Control, states: RecordedStates
) -> None:
    planned(control, REPEATED)
    control.advance("m1", 1)
    provider = ScriptedProvider()
    run(control, states, provider, 2)

    assert len(provider.sent) == 1
    assert states.failed == []


@pytest.mark.parametrize("moment", ["before the release", "after the release"])
def test_a_request_while_the_step_begins_to_wait_is_not_lost(
    control: Control, states: RecordedStates, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Before its release, the caller's function cannot know whether the attempt is being sent."""
    planned(control, REPEATED)
    release = Attempts.release

    def releasing(attempts: Attempts, attempt_id: AttemptId, reason: str) -> Attempt:
        if moment == "before the release":
            control.advance("m1", 1)
            assert states.failed == []
        released = release(attempts, attempt_id, reason)
        if moment == "after the release":
            control.advance("m1", 1)
        return released

    provider = ScriptedProvider()
    with monkeypatch.context() as patch:
        patch.setattr(Attempts, "release", releasing)
        run(control, states, provider, 2)
    assert {(token, error) for token, error, _ in states.failed} == {("token 2", "Resend")}
    run(control, states, provider, 2)

    assert len(provider.sent) == 1


def test_a_busy_provider_of_a_step_on_request_is_tried_as_any_other(
    control: Control, states: RecordedStates
) -> None:
    planned(control, REPEATED)
    control.advance("m1", 1)
    provider = ScriptedProvider(error=Unavailable("ThrottlingException"))
    run(control, states, provider, 2)
    assert states.failed == [("token 2", "Unavailable", "ThrottlingException")]
    provider.error = None
    control.advance("m1", 1)
    run(control, states, provider, 2)

    assert len(provider.sent) == 2
    assert len(states.failed) == 1


def test_the_last_requested_step_is_sent_however_late_as_nothing_else_would_be(
    control: Control, states: RecordedStates
) -> None:
    """The steps after it are only sent on request."""
    planned(control, REPEATED)
    provider = ScriptedProvider()
    run(control, states, provider, 1, entered_at=NOW - timedelta(hours=1))

    assert len(provider.sent) == 1


def test_a_code_that_expired_is_not_sent_on_request(
    control: Control, states: RecordedStates
) -> None:
    planned(control, replace(REPEATED, expires_at=NOW))
    control.advance("m1", 1)
    provider = ScriptedProvider()
    run(control, states, provider, 2)

    assert provider.sent == []
    assert [error for _, error, _ in states.failed] == ["Expired"]


def run(
    control: Control,
    states: RecordedStates,
    provider: ScriptedProvider,
    number: int,
    entered_at: datetime = NOW,
) -> None:
    attempt = message(control).plan.attempt(number)
    state = SendingState(
        "m1", number, attempt.channel, attempt.wait_seconds, f"token {number}", entered_at
    )
    AttemptRunner(
        control.store, states, lambda _: provider, "sender of {}".format, now, control.log, _no_code
    ).run(state)


def _no_code(*_: object) -> NoReturn:
    pytest.fail("the message has no code")
