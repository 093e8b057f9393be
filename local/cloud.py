"""The local AWS: MiniStack, with a bound on the processes that run functions."""

import threading
from collections import defaultdict
from typing import Any

from ministack import app  # type: ignore[import-untyped] # has no types
from ministack.services import lambda_svc  # type: ignore[import-untyped] # as above

# As many as the engine invokes at once; receipts from SNS come without any bound of their own.
PROCESSES_PER_FUNCTION = 4


def main() -> None:
    bound_the_processes()
    app.main()


def bound_the_processes() -> None:
    """MiniStack starts a process for every simultaneous invocation: 200 receipts took 3 GB.

    AWS would run them all; here they take turns, each function for itself so that none waits for
    another one.
    """
    turns: dict[str, threading.Semaphore] = defaultdict(
        lambda: threading.Semaphore(PROCESSES_PER_FUNCTION)
    )
    execute = lambda_svc._execute_function_warm  # noqa: SLF001 - the one place before a process

    def execute_in_turn(function: dict[str, Any], event: object, request_id: str) -> object:
        with turns[function["config"]["FunctionName"]]:
            return execute(function, event, request_id)

    lambda_svc._execute_function_warm = execute_in_turn  # noqa: SLF001 - as above


if __name__ == "__main__":
    main()
