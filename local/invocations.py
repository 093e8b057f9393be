"""Limits the invocations of the engine, and begins no execution that would only wait for one."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import (
    StateCredentials,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from local.interpreter_speed import replace

# Each concurrent invocation is a process of 45 MB, and three of them keep two cores busy.
MAX_CONCURRENT_INVOCATIONS = 3
# Including those that wait for their turn: enough that the functions always have work.
MAX_INVOCATIONS = 100
# As long as an execution takes to its first invocation, which is counted then.
SECONDS_BETWEEN_STARTS = 0.002


class StartQueue:
    """Begins the executions in their order, while few invocations are waiting.

    AWS begins all of them at once. Here the five thousand of a burst would wait for their first
    invocation for minutes, each with two threads of 40 KB.
    """

    def __init__(self, begin: Callable[[ExecutionWorker], None]) -> None:
        self._begin = begin
        self._changed = threading.Condition()
        self._queued: deque[ExecutionWorker] = deque()
        self._invocations = 0
        threading.Thread(target=self._begin_in_order, daemon=True).start()

    def add(self, worker: ExecutionWorker) -> None:
        with self._changed:
            self._queued.append(worker)
            self._changed.notify()

    def begin_now(self, worker: ExecutionWorker) -> None:
        """Begins it out of turn, if it is still in the queue."""
        with self._changed:
            if worker not in self._queued:
                return
            self._queued.remove(worker)
        self._begin(worker)

    @contextmanager
    def invocation(self) -> Iterator[None]:
        """Counts an invocation, from when it waits for its turn to its end."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._changed:
            self._invocations += change
            self._changed.notify()

    def _begin_in_order(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._may_begin)
                worker = self._queued.popleft()
            self._begin(worker)
            time.sleep(SECONDS_BETWEEN_STARTS)

    def _may_begin(self) -> bool:
        return bool(self._queued) and self._invocations < MAX_INVOCATIONS


def limit_invocations() -> None:
    """AWS runs a thousand invocations at once; here each is a process, so there is a limit."""
    start, stop = ExecutionWorker.start, ExecutionWorker.stop
    executions = StartQueue(start)
    slots = threading.BoundedSemaphore(MAX_CONCURRENT_INVOCATIONS)
    invoke = lambda_eval_utils.execute_lambda_function_integration

    def invoke_within_limit(
        env: Environment,
        parameters: dict[str, object],
        region: str,
        state_credentials: StateCredentials,
    ) -> None:
        with executions.invocation(), slots:
            invoke(env, parameters, region, state_credentials)

    def begin_in_turn(worker: ExecutionWorker) -> None:
        executions.add(worker)

    def begin_and_stop(
        worker: ExecutionWorker, stop_date: datetime, error: str | None, cause: str | None
    ) -> None:
        executions.begin_now(worker)
        stop(worker, stop_date, error, cause)

    replace(ExecutionWorker, "start", begin_in_turn)
    replace(ExecutionWorker, "stop", begin_and_stop)
    replace(lambda_eval_utils, "execute_lambda_function_integration", invoke_within_limit)
