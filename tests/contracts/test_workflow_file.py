"""What every workflow file must keep to, whatever it does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from messaging.channels.catalog import channels
from messaging.domain import errors
from messaging.starts import MAX_DIRECT_BYTES
from tests.support.plans import CHANNELS

FILES = sorted(Path("statemachine").glob("*.asl.json"))
# docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
THROTTLED = "Lambda.TooManyRequestsException"
WAITING = "arn:aws:states:::lambda:invoke.waitForTaskToken"


def states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every state, those of parallel branches too."""
    for name, state in definition["States"].items():
        yield name, state
        for branch in state.get("Branches", []):
            yield from states(branch)


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def definition(request: pytest.FixtureRequest) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(request.param.read_text())
    return document


def test_there_is_a_workflow() -> None:
    assert [path.name for path in FILES] == ["deliver_message.asl.json"]


def test_no_task_waits_for_ever(definition: dict[str, Any]) -> None:
    tasks = {name: state for name, state in states(definition) if state["Type"] == "Task"}

    assert tasks
    for name, task in tasks.items():
        assert "TimeoutSeconds" in task or "TimeoutSecondsPath" in task, name


def test_a_waiting_task_says_which_attempt_it_is_and_nothing_more(
    definition: dict[str, Any],
) -> None:
    waiting = [state for _, state in states(definition) if state.get("Resource") == WAITING]

    assert len(waiting) == 2 * len(CHANNELS)
    for state in waiting:
        payload = state["Parameters"]["Payload"]
        assert payload == {
            "task_token.$": "$$.Task.Token",
            "message_id.$": "$$.Execution.Name",
            "attempt.$": "$.attempt",
            "channel.$": "$.channel",
            "wait_seconds.$": "$.wait_seconds",
            "entered_at.$": "$$.State.EnteredTime",
        }


def test_the_message_is_the_one_that_the_execution_is_named_after() -> None:
    """Anyone who may start executions can write another message's id into the input."""
    for path in FILES:
        read = re.findall(r'"([^"]+)": "\$\.message_id"', path.read_text())
        assert read == ["Variable"], "only Choose channel looks whether there is one"


def test_all_sending_states_retry_alike(definition: dict[str, Any]) -> None:
    waiting = [state for _, state in states(definition) if state.get("Resource") == WAITING]
    single = [state for state in definition["States"].values() if state in waiting]

    assert all(state["Retry"] == waiting[0]["Retry"] for state in waiting)
    assert all(state["Parameters"] == waiting[0]["Parameters"] for state in waiting)
    assert all(state["Catch"] == single[0]["Catch"] for state in single)
    assert len(single) == len(CHANNELS)


def test_a_channels_states_are_named_with_its_label(definition: dict[str, Any]) -> None:
    names = {name for name, _ in states(definition)}

    for facts in channels().values():
        title = facts.label[0].upper() + facts.label[1:]
        assert names >= {
            *(f"Send {facts.label}", f"Broadcast to {facts.label}", f"{title} requested?"),
            *(f"{title} not requested", f"{title} did not reach"),
        }


def test_state_names_are_unique_in_the_whole_file(definition: dict[str, Any]) -> None:
    names = [name for name, _ in states(definition)]

    assert len(names) == len(set(names))


def test_a_direct_start_leaves_room_for_what_plan_message_adds(definition: dict[str, Any]) -> None:
    """The function's ARN and name, and the execution's name, at their longest."""
    added = json.dumps(definition["States"]["Plan message"]["Parameters"])
    arn = f"arn:aws-us-gov:lambda:us-gov-west-1:{'1' * 12}:function:{'f' * 64}"
    longest = {
        "${PlanMessageFunctionArn}": arn,
        "$$.Execution.Name": "n" * 80,
        "$$.Execution.StartTime": "2026-01-15T09:30:00.000Z",
    }
    for name, value in longest.items():
        assert name in added
        added = added.replace(name, value)

    assert MAX_DIRECT_BYTES + len(added) <= 262_144


def test_every_retry_says_why_trying_again_is_safe(definition: dict[str, Any]) -> None:
    for name, state in states(definition):
        for retry in state.get("Retry", []):
            assert retry.get("Comment"), name
            assert "States.ALL" not in retry["ErrorEquals"], name
            assert "States.Timeout" not in retry["ErrorEquals"], name


def test_a_catch_keeps_the_input_of_what_follows(definition: dict[str, Any]) -> None:
    for name, state in states(definition):
        for catch in state.get("Catch", []):
            if catch["ErrorEquals"] == ["InvalidRoute"]:
                assert definition["States"][catch["Next"]]["Type"] == "Fail", name
            else:
                assert catch["ResultPath"] is None, name


def test_a_failure_has_a_name_of_its_own_and_its_reasons(definition: dict[str, Any]) -> None:
    fails = [state for _, state in states(definition) if state["Type"] == "Fail"]

    causes = {state["Error"]: state.get("CausePath") or state["Cause"] for state in fails}
    assert "cancelled" in causes.pop("Cancelled")
    assert causes == {
        **dict.fromkeys(("Undelivered", "Expired", "InvalidRequest"), "$.cause"),
        "InvalidRoute": "$.Cause",
    }


def test_our_error_names_are_names_of_our_errors(definition: dict[str, Any]) -> None:
    named = {
        error
        for _, state in states(definition)
        for rule in (*state.get("Retry", []), *state.get("Catch", []))
        for error in rule["ErrorEquals"]
        if not error.startswith(("States.", "Lambda."))
    }

    assert named == {
        *("Refused", "Failed", "Expired", "InvalidRoute", "Unavailable"),
        *("Cancelled", "Advanced", "Resend"),
    }
    assert all(issubclass(getattr(errors, name), Exception) for name in named)


def test_no_answer_of_ours_is_tried_again_but_unavailable_and_resend(
    definition: dict[str, Any],
) -> None:
    """The first rule that matches decides, and `States.TaskFailed` would match every answer."""
    for name, state in states(definition):
        if state.get("Resource") != WAITING:
            continue
        stands, resend, busy, again = state["Retry"]
        assert (stands["ErrorEquals"], stands["MaxAttempts"]) == (
            ["Refused", "Failed", "Expired", "Cancelled", "Advanced", "InvalidRoute"],
            0,
        ), name
        assert resend["ErrorEquals"] == ["Resend"], name
        assert busy["ErrorEquals"] == ["Unavailable", THROTTLED], name
        assert again["ErrorEquals"] == ["States.TaskFailed"], name


def test_a_task_that_lambda_throttles_is_tried_for_longer_than_one_that_failed(
    definition: dict[str, Any],
) -> None:
    """The default waits of WhatsApp, SMS and voice are shorter than the retries can take."""
    for name, state in states(definition):
        if state["Type"] != "Task":
            continue
        [busy] = [one for one in state["Retry"] if THROTTLED in one["ErrorEquals"]]
        assert state["Retry"].index(busy) == len(state["Retry"]) - 2, name
        delays = [min(2**tries, busy["MaxDelaySeconds"]) for tries in range(busy["MaxAttempts"])]
        assert busy["JitterStrategy"] == "FULL", name
        assert sum(delays) > 120, name


def test_the_file_holds_no_arn_of_ours_and_no_number_of_the_callers() -> None:
    for path in FILES:
        text = path.read_text()
        assert not re.search(r"arn:aws:(?!states:::)", text)
        assert not re.search(r"\b\d{12}\b", text)


def test_every_channel_has_its_state_and_its_branch(definition: dict[str, Any]) -> None:
    chosen = {
        choice["StringEquals"]
        for choice in definition["States"]["Fall back"]["Choices"]
        if choice["Variable"] == "$.channel"
    }

    assert chosen == {*CHANNELS, "broadcast"}
    assert len(definition["States"]["Broadcast"]["Branches"]) == len(CHANNELS)
