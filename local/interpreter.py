"""Makes moto's Step Functions interpreter answer callbacks, starts and retries as AWS does.

Each function is one difference of moto 5.2.5 from AWS. Path tests and the engine use the same.
"""

import functools
import json
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from jsonpath_ng.ext.parser import parse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, InvalidToken
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_callback,
)
from moto.stepfunctions.parser.asl.eval.callback import callback
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.parser.utils import TMP_THREADS
from moto.stepfunctions.responses import StepFunctionResponse


class TaskTimedOut(ServiceException):
    """AWS's name for it; moto's own class reaches the caller without a code."""

    code = "TaskTimedOut"


class InvalidExecutionInput(ServiceException):
    """As above."""

    code = "InvalidExecutionInput"


class TaskTokens:
    """Who waits for which task token; a token that is answered or timed out stays known."""

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
        """Gives the one who waits, once. Raises InvalidToken and TaskTimedOut as AWS does."""
        with self._lock:
            if token not in self._waiting:
                raise InvalidToken
            endpoint = self._waiting[token]
            if endpoint is None:
                raise TaskTimedOut("Task Timed Out: 'Provided task does not exist anymore'")
            self._waiting[token] = None
            return endpoint

    def give_up(self, token: str) -> None:
        with self._lock:
            self._waiting[token] = None


@functools.cache
def behave_as_aws() -> None:
    """Applies every difference; a second call changes nothing."""
    tokens = TaskTokens()
    parse_each_definition_once()
    parse_each_path_once()
    answer_each_token_once(tokens)
    give_each_try_its_own_token(tokens)
    keep_the_cause_of_a_failure()
    find_each_name_at_once()
    forget_the_threads()
    start_each_name_once()
    refuse_an_input_that_is_no_json()
    stop_at_once()


def replace(owner: type | ModuleType, name: str, function: Callable[..., object]) -> None:
    """Puts our function where moto's was; by name, since a type checker forbids it."""
    setattr(owner, name, function)


def parse_each_definition_once() -> None:
    """Moto parses the definition at every start, 40 to 190 ms on one core; it never changes."""
    parse = functools.cache(AmazonStateLanguageParser.parse)
    replace(AmazonStateLanguageParser, "parse", staticmethod(parse))


def parse_each_path_once() -> None:
    """Moto makes a parser for every JSONPath that a state evaluates, a fifth of all its time."""
    replace(json_path, "parse", functools.cache(parse))


def answer_each_token_once(tokens: TaskTokens) -> None:
    """The first answer counts, a later one is TaskTimedOut; moto takes all of them.

    It also looks for a token in every execution, and fails where one has only just started.
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


def give_each_try_its_own_token(tokens: TaskTokens) -> None:
    """AWS makes a new token for every retry, and a token ends with its try.

    Moto keeps the token, so that a retry after a SendTaskFailure ends at once in that old failure.
    """
    evaluate = ExecutionState._evaluate_with_timeout  # noqa: SLF001 - the one place where a try is

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
            tokens.give_up(token)

    replace(
        state_task_service_callback.StateTaskServiceCallback,
        "_evaluate_with_timeout",
        evaluate_with_own_token,
    )


def keep_the_cause_of_a_failure() -> None:
    """Moto's server drops the cause of SendTaskFailure, which is what a person reads."""

    def send_task_failure(response: StepFunctionResponse) -> ActionResult:
        request = json.loads(response.body)
        backend = response.stepfunction_backend
        answer: Callable[..., object] = backend.send_task_failure
        answer(request["taskToken"], request.get("error"), request.get("cause"))
        return EmptyResult()

    replace(StepFunctionResponse, "send_task_failure", send_task_failure)


def find_each_name_at_once() -> None:
    """Moto compares a new name with that of every execution there was: each start takes longer."""
    find: Any = StateMachine._handle_name_input_idempotency  # noqa: SLF001 - the one place that looks
    known: WeakKeyDictionary[StateMachine, set[str]] = WeakKeyDictionary()

    def find_if_it_is_known(machine: StateMachine, name: str, text: str) -> object:
        names = known.setdefault(machine, set())
        names.update(one.name for one in machine.executions[len(names) :])
        return find(machine, name, text) if name in names else None

    replace(StateMachine, "_handle_name_input_idempotency", find_if_it_is_known)


def forget_the_threads() -> None:
    """Moto keeps each thread that it ever started in a list that nothing reads."""
    start: Any = ExecutionWorker.start

    def start_and_forget(worker: ExecutionWorker) -> None:
        start(worker)
        TMP_THREADS.clear()

    replace(ExecutionWorker, "start", start_and_forget)


def start_each_name_once() -> None:
    """Two simultaneous starts of one name are one execution, and a nameless start gets a name.

    Moto lets both starts through, and calls the nameless one `None`.
    """
    lock = threading.Lock()
    start = StepFunctionsParserBackend.start_execution

    def start_execution(
        backend: StepFunctionsParserBackend, arn: str, name: str | None, execution_input: str
    ) -> Execution:
        with lock:
            return start(backend, arn, name or str(uuid.uuid4()), execution_input)

    replace(StepFunctionsParserBackend, "start_execution", start_execution)


def refuse_an_input_that_is_no_json() -> None:
    """By its name, which is how the starter tells it from an outage; moto's has none."""
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


def running(worker: ExecutionWorker) -> Environment:
    """The environment of an execution that was started, as soon as there is one that runs."""
    while not worker.env or worker.env.program_state() is None:
        time.sleep(0.001)
    return worker.env


def stop_at_once() -> None:
    """StopExecution ends the wait of a task as well, and the execution is ABORTED, not FAILED.

    Moto's wait goes on until its timeout, and what the task raises then replaces the stop. An
    execution that was started but does not run yet it fails to stop, so here the stop waits for it.
    """
    stop, set_error = ExecutionWorker.stop, Environment.set_error

    def stop_and_wake(
        worker: ExecutionWorker, stop_date: datetime, error: str | None, cause: str | None
    ) -> None:
        env = running(worker)
        stop(worker, stop_date, error, cause)
        for endpoint in [*env.callback_pool_manager._pool.values()]:  # noqa: SLF001 - who waits
            endpoint.interrupt_all()

    def fail_unless_stopped(env: Environment, error: ExecutionFailedEventDetails) -> None:
        if not isinstance(env.program_state(), ProgramStopped):
            set_error(env, error)

    replace(ExecutionWorker, "stop", stop_and_wake)
    replace(Environment, "set_error", fail_unless_stopped)
