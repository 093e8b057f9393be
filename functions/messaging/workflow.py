"""Starts executions and answers the states that wait with a task token."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from messaging.domain.errors import Throttled, Unstartable

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    # Needed for types only: without it a function that only starts executions loads faster.
    from messaging.domain.messages import Outcome

MAX_CAUSE = 32_768
# docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
THROTTLED = {"ThrottlingException", "TooManyRequestsException"}
UNSTARTABLE = {"InvalidName", "InvalidExecutionInput", "ValidationException"}


class Workflow:
    """The operations of Step Functions that messages need."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def start(self, state_machine_arn: str, name: str, input_text: str) -> bool:
        """Whether this call started the execution; False if one with this name and input already
        exists.

        Step Functions reserves a name for 90 days after its execution closed. Raises `Throttled`,
        and `Unstartable` also if the existing execution has another input.
        """
        try:
            self._client.start_execution(
                stateMachineArn=state_machine_arn, name=name, input=input_text
            )
        except self._client.exceptions.ExecutionAlreadyExists:
            self._require_input(state_machine_arn, name, input_text)
            return False
        except self._client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code in THROTTLED:
                raise Throttled(code) from error
            if code in UNSTARTABLE:
                raise Unstartable(code) from error
            raise
        return True

    def _require_input(self, state_machine_arn: str, name: str, input_text: str) -> None:
        """Raises `Unstartable` if the execution has another input. ExecutionAlreadyExists means
        that, or that the execution with the same input has ended (API_StartExecution).
        """
        arn = f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        existing = self._client.describe_execution(executionArn=arn)
        if not _equal(existing["input"], input_text):
            raise Unstartable("a different request with this id was started before")

    def succeed(self, task_token: str, outcome: "Outcome") -> bool:
        """Whether the state was still waiting. Only the first answer has an effect."""
        return self._answer("send_task_success", taskToken=task_token, output=_output(outcome))

    def fail(self, task_token: str, error: type[Exception], cause: str) -> bool:
        """Whether the state was still waiting. The error's name decides what follows."""
        return self._answer(
            "send_task_failure", taskToken=task_token, error=error.__name__, cause=cause[:MAX_CAUSE]
        )

    def _answer(self, operation: str, **parameters: Any) -> bool:  # noqa: ANN401 - two calls, one rule
        gone = (self._client.exceptions.TaskTimedOut, self._client.exceptions.TaskDoesNotExist)
        try:
            getattr(self._client, operation)(**parameters)
        except gone:
            return False
        return True


def _output(outcome: "Outcome") -> str:
    return json.dumps(asdict(outcome))


def _equal(one: str, other: str) -> bool:
    """Whether two texts are the same JSON, or the same text if one is not JSON."""
    if one == other:
        return True
    try:
        return bool(json.loads(one) == json.loads(other))
    except (ValueError, RecursionError):
        return False
