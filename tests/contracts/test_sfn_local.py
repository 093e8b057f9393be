"""The mock configuration for Step Functions Local agrees with the workflow; needs no Docker."""

import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import starmap
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import mock_eval_utils
from moto.stepfunctions.parser.backend import execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.mocking.mock_config import (
    MockedResponse,
    MockedResponseReturn,
    MockedResponseThrow,
    MockTestCase,
    StateMockedResponses,
)

import plan_message
from local.interpreter import behave_as_aws
from messaging.domain import errors
from messaging.domain.messages import Outcome
from tests.sfn_local.cases import CASES, MESSAGE_ID
from tests.sfn_local.run import run
from tests.support.aws import ACCOUNT, CONTEXT, aws
from tests.workflow.conftest import ASL, definition

WORKFLOW = ASL.read_text()
MOCKS = json.loads(Path("tests/sfn_local/MockConfigFile.json").read_text())
TEST_CASES = MOCKS["StateMachines"]["DeliverMessage"]["TestCases"]
RESPONSES = MOCKS["MockedResponses"]
# Fields that came in November 2024, half a year after the last Step Functions Local.
JSONATA_FIELDS = {"QueryLanguage", "Arguments", "Assign", "Output"}


def states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every state by its name, those of the branches too."""
    for name, state in machine["States"].items():
        yield name, state
        for branch in state.get("Branches", []):
            yield from states(branch)


STATES = dict(states(json.loads(WORKFLOW)))
TASKS = {name for name, state in STATES.items() if state["Type"] == "Task"}
WAITING = {name for name in TASKS if STATES[name]["Resource"].endswith(".waitForTaskToken")}


def mocked(*names: str) -> set[str]:
    """The responses that any test case gives to these states."""
    return {case[name] for case in TEST_CASES.values() for name in names if name in case}


def returned(response: str) -> Any:
    """What the state's function says at last; None where that is an error."""
    last = list(RESPONSES[response].values())[-1].get("Return", {})
    return last.get("Payload", last) or None


def attempts(document: Any) -> Iterator[tuple[int, str]]:
    """Number and channel of each attempt in the document."""
    if isinstance(document, dict):
        if "attempt" in document:
            yield document["attempt"], document["channel"]
        for value in document.values():
            yield from attempts(value)


def test_every_test_case_has_an_input_and_a_path() -> None:
    assert TEST_CASES.keys() == CASES.keys()


def test_every_response_is_there_and_used() -> None:
    assert mocked(*STATES) == RESPONSES.keys()


def test_every_state_is_entered_by_a_case() -> None:
    assert {state for case in CASES.values() for state in case.entered} == STATES.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_case_mocks_the_functions_on_its_path(name: str) -> None:
    """One that is not mocked would be called for real, one more is never asked."""
    assert TEST_CASES[name].keys() == TASKS.intersection(CASES[name].entered)


@pytest.mark.parametrize("name", CASES)
def test_a_case_reports_only_attempts_of_its_route(name: str) -> None:
    answers = {state: returned(response) for state, response in TEST_CASES[name].items()}
    route = answers.pop("Plan message", CASES[name].input)

    assert set(attempts(answers)) <= set(attempts(route))


@pytest.mark.parametrize("response", sorted(filter(returned, mocked(*WAITING) & RESPONSES.keys())))
def test_a_sending_state_returns_an_outcome(response: str) -> None:
    assert is_outcome(returned(response))


@pytest.mark.parametrize("response", sorted(mocked("Close message") & RESPONSES.keys()))
def test_closing_returns_an_outcome_or_a_cause(response: str) -> None:
    said = returned(response)

    assert is_outcome(said) or said.keys() == {"message_id", "status", "cause"}


def is_outcome(said: dict[str, Any]) -> bool:
    return said.keys() == {field.name for field in fields(Outcome)}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, case in TEST_CASES.items()
        if "Plan message" in case and "Reject large request" not in case
    ],
)
@pytest.mark.usefixtures("state_machine")
def test_planning_returns_what_the_function_returns(name: str) -> None:
    event = {
        "message_id": MESSAGE_ID,
        "started_at": "2026-01-01T00:00:00.000Z",
        "request": CASES[name].input,
    }
    assert returned(TEST_CASES[name]["Plan message"]) == plan_message.handler(event, CONTEXT)


@pytest.mark.usefixtures("state_machine")
def test_rejecting_a_large_request_returns_what_the_function_returns() -> None:
    event = {"message_id": MESSAGE_ID, "started_at": "2026-01-01T00:00:00.000Z"}

    assert returned("PlannedAsTooLarge") == plan_message.handler(event, CONTEXT)


def test_every_error_is_one_of_ours_or_of_the_states_language() -> None:
    thrown = {
        answer["Throw"]["Error"]
        for response in RESPONSES.values()
        for answer in response.values()
        if "Throw" in answer
    }

    of_the_language = {"States.Timeout", "States.DataLimitExceeded"}

    assert thrown == {
        *("Refused", "Failed", "Expired", "InvalidRoute", "Unavailable"),
        *("Cancelled", "Advanced", "Resend"),
        *of_the_language,
    }
    assert all(hasattr(errors, name) for name in thrown - of_the_language)


def test_the_workflow_uses_nothing_newer_than_step_functions_local() -> None:
    newer = {name: state.keys() & JSONATA_FIELDS for name, state in STATES.items()}

    assert not {name: fields for name, fields in newer.items() if fields}
    assert "QueryLanguage" not in json.loads(WORKFLOW)
    assert "{%" not in WORKFLOW, "a JSONata expression"
    assert not re.findall(r'"\$[A-Za-z_]\w*', WORKFLOW), "a variable"


@pytest.fixture(scope="module")
def state_machine() -> Iterator[str]:
    behave_as_aws()
    with aws():
        made = boto3.client("stepfunctions").create_state_machine(
            name="DeliverMessage",
            definition=definition(),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/DeliverMessage",
        )
        yield made["stateMachineArn"]


@pytest.fixture
def mock_mode(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Switches to a test case; moto's interpreter has the mode, only nothing that turns it on."""
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)  # a retry comes at once
    monkeypatch.setattr(mock_eval_utils, "CustomErrorName", error_name)

    def switch(name: str) -> None:
        worker = functools.partial(ExecutionWorker, mock_test_case=as_moto_takes_it(name))
        monkeypatch.setattr(execution, "ExecutionWorker", worker)

    return switch


def error_name(name: str) -> ErrorName:
    """Step Functions Local throws the language's own errors too, which moto refuses."""
    return StatesErrorName.from_name(name) if name.startswith("States.") else CustomErrorName(name)


def as_moto_takes_it(name: str) -> MockTestCase:
    responses = [
        StateMockedResponses(state, response, list(starmap(answer, RESPONSES[response].items())))
        for state, response in TEST_CASES[name].items()
    ]
    return MockTestCase("DeliverMessage", name, responses)


def answer(tries: str, said: dict[str, Any]) -> MockedResponse:
    """Which tries of the state are answered so: `0`, or `1-2`."""
    first, _, last = tries.partition("-")
    span = int(first), int(last or first)
    if "Return" in said:
        return MockedResponseReturn(*span, said["Return"])
    return MockedResponseThrow(*span, said["Throw"]["Error"], said["Throw"]["Cause"])


@pytest.mark.parametrize("name", CASES)
def test_the_mocked_functions_lead_along_the_path(
    state_machine: str, mock_mode: Callable[[str], None], name: str
) -> None:
    mock_mode(name)
    went = run(boto3.client("stepfunctions"), state_machine, CASES[name])

    assert (went.status, went.entered) == (CASES[name].status, CASES[name].entered)
    responses = as_moto_takes_it(name).state_mocked_responses.values()
    assert went.tries == sum(len(one.mocked_responses) for one in responses)
