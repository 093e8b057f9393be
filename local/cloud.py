"""The local AWS: MiniStack, with corrections where it would lose events or exhaust the machine.

Invocations wait for their turn, events are retried, and executions can publish status changes.
"""

import functools
import json
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hypercorn.asyncio
import uvicorn
from ministack import app  # type: ignore[import-untyped] # has no types
from ministack.core import (  # type: ignore[import-untyped] # as above
    iam_evaluator,
    lambda_runtime,
)
from ministack.services import (  # type: ignore[import-untyped] # as above
    cloudwatch_logs,
    dynamodb,
    eventbridge,
    lambda_svc,
    sns,
)

from local.addresses import HOST
from local.workers import use_direct_workers

# As many as the engine invokes at once; SNS delivers receipts without a limit of its own.
PROCESSES_PER_FUNCTION = 3
# A warm invocation takes 20 ms. The engine makes three at once, so behind one busy process none
# waits for much longer than two of them.
SECONDS_BEFORE_ANOTHER_PROCESS = 0.05
# More expressions than the functions use; other callers may use any number.
MAX_EXPRESSIONS = 1_000
# The log streams of a group; each invocation writes one of 4 KB.
MAX_LOG_STREAMS = 1_000


class InvocationSlots:
    """Limits the processes of one function; another one starts only after a wait.

    MiniStack starts a process for each concurrent invocation, and keeps it.
    """

    def __init__(self) -> None:
        self._free = threading.Semaphore()
        self._lock = threading.Lock()
        self.processes = 1

    @contextmanager
    def one(self) -> Iterator[None]:
        self._take()
        try:
            yield
        finally:
            self._free.release()

    def _take(self) -> None:
        """Waits with a timeout only while another process may start. Otherwise each of a thousand
        waiting invocations of a burst would wake up three times a second.
        """
        while self.processes < PROCESSES_PER_FUNCTION:
            if self._free.acquire(timeout=SECONDS_BEFORE_ANOTHER_PROCESS) or self._add_process():
                return
        self._free.acquire()

    def count_ended_process(self) -> None:
        """The next one starts only after a wait again."""
        with self._lock:
            if self.processes > 1 and self._free.acquire(blocking=False):
                self.processes -= 1

    def _add_process(self) -> bool:
        with self._lock:
            added = self.processes < PROCESSES_PER_FUNCTION
            self.processes += added
            return added


def main() -> None:
    limit_processes()
    use_direct_workers()
    cache_expressions()
    retry_events()
    allow_execution_events()
    keep_the_newest_logs()
    serve_with_uvicorn()
    app.main()


def serve_with_uvicorn() -> None:
    """MiniStack's own server parses HTTP in Python, which takes half of its time; uvicorn in C."""

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
            # A warm function keeps its connection between two invocations.
            timeout_keep_alive=600,
        )
        await uvicorn.Server(config).serve()

    setattr(hypercorn.asyncio, "serve", serve)  # noqa: B010 - mypy rejects the assignment


def cache_expressions() -> None:
    """MiniStack parses the policies of a role and the expressions of a request on every call to the
    table, which takes a tenth of its time; the result depends on the text alone.
    """
    parse = iam_evaluator.parse_policy_document
    parse_text = functools.lru_cache(MAX_EXPRESSIONS)(parse)

    def parse_policy_document(document: object) -> object:
        return parse_text(document) if isinstance(document, str) else parse(document)

    iam_evaluator.parse_policy_document = parse_policy_document
    tokens_of = functools.lru_cache(MAX_EXPRESSIONS)(dynamodb._tokenize)  # noqa: SLF001 - there is no public name
    dynamodb._tokenize = lambda text: [*tokens_of(text)]  # noqa: SLF001 - as above
    dynamodb._condition_syntax_error = functools.lru_cache(MAX_EXPRESSIONS)(  # noqa: SLF001 - as above
        dynamodb._condition_syntax_error  # noqa: SLF001 - as above
    )


def limit_processes() -> None:
    """MiniStack starts a process for every concurrent invocation: 200 receipts took 3 GB.

    AWS would run all of them. Here each function has its own limit, so that no function waits for
    another one.
    """
    slots: dict[str, InvocationSlots] = defaultdict(InvocationSlots)
    execute = lambda_svc._execute_function_warm  # noqa: SLF001 - called before a process starts

    def execute_within_limit(function: dict[str, Any], event: object, request_id: str) -> object:
        with slots[function["config"]["FunctionName"]].one():
            return execute(function, event, request_id)

    lambda_svc._execute_function_warm = execute_within_limit  # noqa: SLF001 - as above
    end = lambda_runtime.kill_workers

    def end_and_count(workers: Sequence[lambda_runtime.Worker]) -> None:
        end(workers)
        for worker in workers:
            slots[worker.func_name].count_ended_process()

    lambda_runtime.kill_workers = end_and_count


def retry_events() -> None:
    """Retries an event of SNS or EventBridge twice when its function fails, then moves it to the
    function's dead-letter queue.

    MiniStack would drop it after the first try. The delays are 1 and 2 seconds instead of minutes.
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
        invoke_asynchronously(arn, {"Records": [record]})

    def deliver_event(arn: str, event: str) -> None:
        invoke_asynchronously(arn, json.loads(event))

    sns._deliver_to_lambda = deliver_receipt  # noqa: SLF001 - called for each delivery
    eventbridge._dispatch_to_lambda = deliver_event  # noqa: SLF001 - as above


def invoke_asynchronously(arn: str, event: object) -> None:
    """Invokes a function as `Invoke` with the invocation type `Event` does."""
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)  # noqa: SLF001 - there is no public name
    lambda_svc.invoke_async_with_retry(
        lambda_svc._execution_record_for_config(function, config),  # noqa: SLF001 - as above
        event,
    )


def allow_execution_events() -> None:
    """MiniStack rejects events with the source `aws.states`; here the engine publishes them."""
    eventbridge._put_events = functools.partial(  # noqa: SLF001 - what `PutEvents` calls
        eventbridge._put_events,  # noqa: SLF001 - as above
        allow_aws_source=True,
    )


def keep_the_newest_logs() -> None:
    """MiniStack creates a log stream for each invocation and keeps all of them, for any retention.

    Here each log group keeps its newest ones.
    """
    write = lambda_svc._emit_lambda_logs  # noqa: SLF001 - called after each invocation
    lock = threading.Lock()

    def write_and_delete_oldest(*log: object, **about: object) -> None:
        write(*log, **about)
        with lock:
            for _, group in cloudwatch_logs._log_groups.all_items():  # noqa: SLF001 - as above
                delete_oldest(group["streams"], MAX_LOG_STREAMS)

    lambda_svc._emit_lambda_logs = write_and_delete_oldest  # noqa: SLF001 - as above


def delete_oldest(entries: dict[str, object], limit: int) -> None:
    """Deletes the entries that were added first, so that at most so many remain."""
    while len(entries) > limit:
        del entries[next(iter(entries))]


if __name__ == "__main__":
    main()
