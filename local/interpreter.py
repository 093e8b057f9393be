"""Makes moto's Step Functions interpreter handle callbacks, starts and retries as AWS does.

Each function corrects one difference between moto 5.2.5 and AWS. The path tests use it as well.
"""

import base64
import functools
import json
import os
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.parser.api import (
    ExecutionFailedEventDetails,
    HistoryEventType,
    InvalidToken,
    TaskFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_callback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.eval import states
from moto.stepfunctions.parser.asl.eval.callback import callback
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.parser.quotas import MAX_STATE_SIZE_UTF8_BYTES
from moto.stepfunctions.responses import StepFunctionResponse

from local.ended_executions import compress_ended_executions
from local.interpreter_speed import avoid_repeated_work, replace

# In base64 700 characters.
TOKEN_BYTES = 525


class TaskTimedOut(ServiceException):
    """The error with AWS's code; moto's own class reaches the caller without one."""

    code = "TaskTimedOut"


class InvalidExecutionInput(ServiceException):
    """The error with AWS's code, as above."""

    code = "InvalidExecutionInput"


class TaskTokens:
    """The task tokens and the callbacks that wait for them, including tokens that are closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, callback.CallbackEndpoint | None] = {}

    def open(self, token: str, endpoint: callback.CallbackEndpoint) -> None:
        with self._lock:
            self._waiting[token] = endpoint

    def is_open(self, token: str) -> bool:
        with self._lock:
            return self._waiting.get(token) is not None

    def take(self, token: str) -> callback.CallbackEndpoint:
        """Closes the token and returns its callback. Raises InvalidToken or TaskTimedOut."""
        with self._lock:
            if token not in self._waiting:
                raise InvalidToken
            endpoint = self._waiting[token]
            if endpoint is None:
                raise TaskTimedOut("Task Timed Out: 'Provided task does not exist anymore'")
            self._waiting[token] = None
            return endpoint

    def close(self, token: str) -> None:
        with self._lock:
            self._waiting[token] = None


@functools.cache
def behave_as_aws() -> None:
    """Applies every correction; a second call changes nothing."""
    tokens = TaskTokens()
    avoid_repeated_work()
    accept_each_token_once(tokens)
    create_a_token_per_try(tokens)
    make_tokens_as_long_as_on_aws()
    keep_the_cause_of_a_failure()
    start_each_name_once()
    reject_input_that_is_not_json()
    limit_the_input_of_a_task()
    stop_at_once()
    compress_ended_executions()


def accept_each_token_once(tokens: TaskTokens) -> None:
    """The first callback counts and a later one is TaskTimedOut; moto accepts all of them.

    Moto also searches every execution for a token, and fails if one has only just started.
    """
    add = callback.CallbackPoolManager.add

    def add_and_open(
        pool: callback.CallbackPoolManager, callback_id: str
    ) -> callback.CallbackEndpoint:
        endpoint = add(pool, callback_id)
        tokens.open(callback_id, endpoint)
        return endpoint

    def succeed(_: StepFunctionsParserBackend, task_token: str, outcome: str) -> None:
        tokens.take(task_token).notify(callback.CallbackOutcomeSuccess(task_token, outcome))

    def fail(
        _: StepFunctionsParserBackend, task_token: str, error: str | None, cause: str | None
    ) -> None:
        tokens.take(task_token).notify(callback.CallbackOutcomeFailure(task_token, error, cause))

    replace(callback.CallbackPoolManager, "add", add_and_open)
    replace(StepFunctionsParserBackend, "send_task_success", succeed)
    replace(StepFunctionsParserBackend, "send_task_failure", fail)


def create_a_token_per_try(tokens: TaskTokens) -> None:
    """AWS creates a new token for every retry, and a token ends with its try.

    Moto keeps the token, so that a retry after a SendTaskFailure fails at once with that failure.
    """
    evaluate = ExecutionState._evaluate_with_timeout  # noqa: SLF001 - where each try begins

    def evaluate_with_own_token(state: ExecutionState, env: Environment) -> None:
        context = env.states.context_object
        task = context.context_object_data.get("Task")
        if task is None:
            return evaluate(state, env)
        token = task["Token"]
        if not tokens.is_open(token):
            token = context.update_task_token()
            env.callback_pool_manager.add(token)
        try:
            evaluate(state, env)
        finally:
            tokens.close(token)

    replace(
        state_task_service_callback.StateTaskServiceCallback,
        "_evaluate_with_timeout",
        evaluate_with_own_token,
    )


def make_tokens_as_long_as_on_aws() -> None:
    """AWS does not document their length. Those in public test data have 660 to 740 characters:
    532 that are the same for all, and up to 204 that depend on the execution. Moto's have 36.

    An attempt's item contains one, and DynamoDB bills each write by the size of the item.
    """

    def token() -> str:
        return base64.b64encode(os.urandom(TOKEN_BYTES)).decode()

    replace(states, "long_uid", token)


def keep_the_cause_of_a_failure() -> None:
    """Moto's server drops the cause of SendTaskFailure, which explains the failure to a reader."""

    def send_task_failure(response: StepFunctionResponse) -> ActionResult:
        request = json.loads(response.body)
        backend = response.stepfunction_backend
        fail: Callable[..., object] = backend.send_task_failure
        fail(request["taskToken"], request.get("error"), request.get("cause"))
        return EmptyResult()

    replace(StepFunctionResponse, "send_task_failure", send_task_failure)


def start_each_name_once() -> None:
    """Two simultaneous starts with one name are one execution; a start without a name gets one.

    Moto accepts both starts, and names an execution without a name `None`.
    """
    lock = threading.Lock()
    start = StepFunctionsParserBackend.start_execution

    def start_execution(
        backend: StepFunctionsParserBackend, arn: str, name: str | None, execution_input: str
    ) -> Execution:
        with lock:
            return start(backend, arn, name or str(uuid.uuid4()), execution_input)

    replace(StepFunctionsParserBackend, "start_execution", start_execution)


def reject_input_that_is_not_json() -> None:
    """With AWS's code, by which start_delivery recognizes invalid input; moto's error has none."""
    start = StepFunctionsParserBackend.start_execution

    def start_execution(
        backend: StepFunctionsParserBackend, arn: str, name: str, execution_input: str
    ) -> Execution:
        try:
            json.loads(execution_input)
        except ValueError as wrong:
            raise InvalidExecutionInput(str(wrong)) from wrong
        return start(backend, arn, name, execution_input)

    replace(StepFunctionsParserBackend, "start_execution", start_execution)


def limit_the_input_of_a_task() -> None:
    """A task's parameters have at most 262,144 bytes; moto limits its result only.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html has
    States.DataLimitExceeded, which a Catch must name (github.com/cdklabs/construct-hub/pull/1651).
    """
    evaluate = StateTask._eval_parameters  # noqa: SLF001 - where the parameters are complete
    error = StatesErrorNameType.StatesStatesDataLimitExceeded

    def evaluate_within_the_quota(task: StateTask, env: Environment) -> dict[str, Any]:
        parameters: dict[str, Any] = evaluate(task, env)
        if len(to_json_str(parameters).encode()) <= MAX_STATE_SIZE_UTF8_BYTES:
            return parameters
        cause = f"The state/task '{task.name}' has an input that exceeds the service limit."
        failed = TaskFailedEventDetails(error=error.to_name(), cause=cause)
        raise FailureEventException(
            FailureEvent(
                env=env,
                error_name=StatesErrorName(error),
                event_type=HistoryEventType.TaskFailed,
                event_details=EventDetails(taskFailedEventDetails=failed),  # type: ignore[typeddict-item] # moto too gives one key
            )
        )

    replace(StateTask, "_eval_parameters", evaluate_within_the_quota)


def running(worker: ExecutionWorker) -> Environment:
    """The environment of an execution, as soon as it runs."""
    while not worker.env or worker.env.program_state() is None:
        time.sleep(0.001)
    return worker.env


def stop_at_once() -> None:
    """StopExecution ends the wait of a task as well, and the execution is ABORTED, not FAILED.

    Moto's task waits until its timeout, and its error then replaces the stop. Moto also fails to
    stop an execution that was started and does not run yet, so the stop waits until it runs.
    """
    stop, set_error = ExecutionWorker.stop, Environment.set_error

    def stop_and_wake(
        worker: ExecutionWorker, stop_date: datetime, error: str | None, cause: str | None
    ) -> None:
        env = running(worker)
        stop(worker, stop_date, error, cause)
        for endpoint in [*env.callback_pool_manager._pool.values()]:  # noqa: SLF001 - the waiting callbacks
            endpoint.interrupt_all()

    def fail_unless_stopped(env: Environment, error: ExecutionFailedEventDetails) -> None:
        if not isinstance(env.program_state(), ProgramStopped):
            set_error(env, error)

    replace(ExecutionWorker, "stop", stop_and_wake)
    replace(Environment, "set_error", fail_unless_stopped)
