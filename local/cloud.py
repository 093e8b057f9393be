"""The local AWS: MiniStack, with the differences from AWS that would lose or hide something.

Functions take turns, events are tried again, and executions may tell of their end.
"""

import functools
import json
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypercorn.asyncio
import uvicorn
from ministack import app  # type: ignore[import-untyped] # has no types
from ministack.core import iam_evaluator  # type: ignore[import-untyped] # as above
from ministack.services import (  # type: ignore[import-untyped] # as above
    dynamodb,
    eventbridge,
    lambda_svc,
    sns,
)

from local.addresses import HOST
from local.workers import speak_with_functions_directly

# As many as the engine invokes at once; receipts from SNS come without any bound of their own.
PROCESSES_PER_FUNCTION = 3
# A warm invocation takes 20 ms, a new process a second: waiting for a turn is mostly faster.
SECONDS_OF_PATIENCE = 0.3
# More texts than the stack's own code makes; a person's own calls may make any number.
MANY_TEXTS = 1_000


class InvocationTurns:
    """Lets invocations of one function take turns; more at once only when a turn is long in coming.

    MiniStack starts a process for each one that runs beside another, and keeps it.
    """

    def __init__(self) -> None:
        self._free = threading.Semaphore()
        self._lock = threading.Lock()
        self._processes = 1

    @contextmanager
    def one(self) -> Iterator[None]:
        self._take()
        try:
            yield
        finally:
            self._free.release()

    def _take(self) -> None:
        """Patience is for as long as a process more may come of it: of the thousand invocations
        that wait in a burst, each would else look again three times a second.
        """
        while self._processes < PROCESSES_PER_FUNCTION:
            if self._free.acquire(timeout=SECONDS_OF_PATIENCE) or self._one_more():
                return
        self._free.acquire()

    def _one_more(self) -> bool:
        with self._lock:
            grown = self._processes < PROCESSES_PER_FUNCTION
            self._processes += grown
            return grown


def main() -> None:
    bound_the_processes()
    speak_with_functions_directly()
    read_each_expression_once()
    try_events_again()
    let_executions_tell_of_their_end()
    serve_with_uvicorn()
    app.main()


def serve_with_uvicorn() -> None:
    """MiniStack's own server parses HTTP in Python, which takes half of all its time; ours in C."""

    async def serve(application: Callable[..., Any], _: object) -> None:
        config = uvicorn.Config(
            application,
            host=HOST,
            port=int(os.environ["GATEWAY_PORT"]),
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            log_level="warning",
            # A warm function keeps its connection between two messages.
            timeout_keep_alive=600,
        )
        await uvicorn.Server(config).serve()

    setattr(hypercorn.asyncio, "serve", serve)  # noqa: B010 - a type checker forbids it plainly


def read_each_expression_once() -> None:
    """MiniStack parses a role's policies and a condition's text anew for every call to the table,
    a tenth of its time; both are text that says the same each time.
    """
    parse = iam_evaluator.parse_policy_document
    parse_text = functools.lru_cache(MANY_TEXTS)(parse)

    def parse_policy_document(document: object) -> object:
        return parse_text(document) if isinstance(document, str) else parse(document)

    iam_evaluator.parse_policy_document = parse_policy_document
    tokens_of = functools.lru_cache(MANY_TEXTS)(dynamodb._tokenize)  # noqa: SLF001 - has no other name
    dynamodb._tokenize = lambda text: [*tokens_of(text)]  # noqa: SLF001 - as above
    dynamodb._condition_syntax_error = functools.lru_cache(MANY_TEXTS)(  # noqa: SLF001 - as above
        dynamodb._condition_syntax_error  # noqa: SLF001 - as above
    )


def bound_the_processes() -> None:
    """MiniStack starts a process for every simultaneous invocation: 200 receipts took 3 GB.

    AWS would run them all; here they take turns, each function for itself so that none waits for
    another one.
    """
    turns: dict[str, InvocationTurns] = defaultdict(InvocationTurns)
    execute = lambda_svc._execute_function_warm  # noqa: SLF001 - the one place before a process

    def execute_in_turn(function: dict[str, Any], event: object, request_id: str) -> object:
        with turns[function["config"]["FunctionName"]].one():
            return execute(function, event, request_id)

    lambda_svc._execute_function_warm = execute_in_turn  # noqa: SLF001 - as above


def try_events_again() -> None:
    """An event of SNS or EventBridge that its function fails on is tried twice more, then kept.

    MiniStack would drop it after the first try. Its pauses are 1 and 2 seconds, not minutes.
    """

    def deliver_receipt(
        arn: str, envelope: str, _topic: str, subscription: str, *_: object
    ) -> None:
        record = {
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription,
            "EventSource": "aws:sns",
            "Sns": json.loads(envelope),
        }
        hand_over(arn, {"Records": [record]})

    sns._deliver_to_lambda = deliver_receipt  # noqa: SLF001 - the one place before the function
    eventbridge._dispatch_to_lambda = lambda arn, event: hand_over(arn, json.loads(event))  # noqa: SLF001 - as above


def hand_over(arn: str, event: object) -> None:
    """Puts an event on a function's own queue, as `Invoke` with the type `Event` does."""
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)  # noqa: SLF001 - has no other name
    lambda_svc.invoke_async_with_retry(
        lambda_svc._execution_record_for_config(function, config),  # noqa: SLF001 - as above
        event,
    )


def let_executions_tell_of_their_end() -> None:
    """On AWS only Step Functions itself publishes events of `aws.states`; here it is the engine."""
    eventbridge._put_events = functools.partial(  # noqa: SLF001 - what `PutEvents` calls
        eventbridge._put_events,  # noqa: SLF001 - as above
        allow_aws_source=True,
    )


if __name__ == "__main__":
    main()
