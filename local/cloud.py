"""The local AWS: MiniStack, with a bound on the processes that run functions."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ministack import app  # type: ignore[import-untyped] # has no types
from ministack.services import lambda_svc  # type: ignore[import-untyped] # as above

# As many as the engine invokes at once; receipts from SNS come without any bound of their own.
PROCESSES_PER_FUNCTION = 4
# A warm invocation takes 20 ms, a new process a second: waiting for a turn is mostly faster.
SECONDS_OF_PATIENCE = 0.3


class Turns:
    """Lets invocations of one function take turns; more at once only when a turn is long in coming.

    MiniStack starts a process for each one that runs beside another, and keeps it.
    """

    def __init__(self) -> None:
        self._free = threading.Semaphore()
        self._lock = threading.Lock()
        self._processes = 1

    @contextmanager
    def one(self) -> Iterator[None]:
        while not self._free.acquire(timeout=SECONDS_OF_PATIENCE):
            if self._one_more():
                break
        try:
            yield
        finally:
            self._free.release()

    def _one_more(self) -> bool:
        with self._lock:
            grown = self._processes < PROCESSES_PER_FUNCTION
            self._processes += grown
            return grown


def main() -> None:
    bound_the_processes()
    app.main()


def bound_the_processes() -> None:
    """MiniStack starts a process for every simultaneous invocation: 200 receipts took 3 GB.

    AWS would run them all; here they take turns, each function for itself so that none waits for
    another one.
    """
    turns: dict[str, Turns] = defaultdict(Turns)
    execute = lambda_svc._execute_function_warm  # noqa: SLF001 - the one place before a process

    def execute_in_turn(function: dict[str, Any], event: object, request_id: str) -> object:
        with turns[function["config"]["FunctionName"]].one():
            return execute(function, event, request_id)

    lambda_svc._execute_function_warm = execute_in_turn  # noqa: SLF001 - as above


if __name__ == "__main__":
    main()
