"""What the console reads from an execution's history, as the real engine writes it."""

import pytest

from bench.usage import transitions
from console.execution import Condition, Execution
from tests.support.recorded import NAMES, events, execution, facts


def conditions(run: Execution) -> list[tuple[str, str]]:
    return [(one.state, one.condition.value) for one in run.visits]


def test_a_fallback_is_told_state_by_state() -> None:
    run = execution("fallback")

    assert conditions(run) == [
        ("Choose channel", "succeeded"),
        ("Send WhatsApp", "failed"),
        ("Fall back", "succeeded"),
        ("Send SMS", "succeeded"),
    ]
    assert run.transitions_taken == {
        ("Choose channel", "Send WhatsApp"),
        ("Send WhatsApp", "Fall back"),
        ("Fall back", "Send SMS"),
    }
    assert (run.status, run.ended_in) == ("SUCCEEDED", "Send SMS")
    failure = run.visits[1].failure
    assert failure is not None
    assert (failure.error, failure.cause) == ("Failed", "131026 Message undeliverable")


def test_a_state_that_waits_says_until_when() -> None:
    run = execution("silent", until="TaskSubmitted")
    waiting = run.visits[-1]

    assert (waiting.state, waiting.condition) == ("Send WhatsApp", Condition.WAITING)
    assert waiting.until is not None
    assert (waiting.until - waiting.runs[-1].at).total_seconds() == 5
    assert run.status is None


def test_a_state_whose_function_has_not_answered_runs() -> None:
    assert execution("silent", until="TaskStarted").visits[-1].condition is Condition.RUNNING


def test_silence_is_a_time_out_and_no_failure() -> None:
    run = execution("silent")

    assert ("Send WhatsApp", "timed_out") in conditions(run)
    assert ("Send SMS", "timed_out") in conditions(run)
    assert conditions(run)[-1] == ("Undelivered", "failed")
    assert (run.status, run.error) == ("FAILED", "Undelivered")


def test_a_busy_provider_is_tried_again_in_the_same_visit() -> None:
    between = execution("busy", until="TaskFailed").visits[-1]
    after = execution("busy").visits[1]

    assert between.condition is Condition.RETRYING
    assert after.condition is Condition.SUCCEEDED
    assert [one.error for one in after.runs] == ["Unavailable", "Unavailable", None]
    assert after.failure is None


def test_a_refusal_is_no_retry_even_before_the_state_is_left() -> None:
    assert execution("refused", until="TaskFailed").visits[-1].condition is Condition.FAILED


def test_branches_that_interleave_keep_their_own_events() -> None:
    run = execution("broadcast", until="TaskSucceeded")
    first, second = run.visits_of("Broadcast")

    assert first.condition is Condition.SUCCEEDED
    assert second.condition is Condition.RUNNING
    assert [one.condition.value for one in run.visits_of("Broadcast to SMS")] == ["failed"] * 2
    assert [one.attempt for one in run.visits_of("Broadcast to WhatsApp")] == [1, 3]
    assert run.visits_of("SMS requested?")[0].previous is None
    assert ("SMS requested?", "Broadcast to SMS") in run.transitions_taken
    assert ("SMS requested?", "Broadcast to WhatsApp") not in run.transitions_taken


def test_a_state_is_entered_as_often_as_it_was() -> None:
    assert len(execution("silent").visits_of("Fall back")) == 2


def test_a_stopped_execution_stops_the_state_that_waited() -> None:
    run = execution("stopped")

    assert conditions(run)[-1] == ("Send WhatsApp", "stopped")
    assert (run.status, run.ended_in) == ("ABORTED", None)


def test_only_sending_states_have_an_attempt() -> None:
    """`Close message` keeps the input of the state before it, and so an attempt's number."""
    run = execution("expired")
    closing = run.visits_of("Close message")[0]

    assert "attempt" in closing.input
    assert closing.attempt is None
    assert list(facts("expired").sending) == [1]


@pytest.mark.parametrize("name", NAMES)
def test_every_visit_is_over_once_the_execution_is(name: str) -> None:
    run = execution(name)

    assert run.visits
    assert all(visit.ended for visit in run.visits)
    assert run.transitions == transitions(events(name)) >= len(run.visits)


@pytest.mark.parametrize("name", NAMES)
def test_each_beginning_of_a_history_can_be_read(name: str) -> None:
    whole = events(name)
    for length in range(1, len(whole)):
        run = Execution.read(whole[:length])
        assert run.status is None
        assert [one.state for one in run.visits] == [
            event["stateEnteredEventDetails"]["name"]
            for event in whole[:length]
            if "stateEnteredEventDetails" in event
        ]
