"""Runs the local AWS or the Step Functions engine and records the calls to it.

`python -m bench.meter RECORD cloud` and `… RECORD engine --port N` run them. The units of DynamoDB
are its response to ReturnConsumedCapacity, which is added to each request.
"""

import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ministack import app  # type: ignore[import-untyped] # has no types
from ministack.services import lambda_svc  # type: ignore[import-untyped] # as above

from bench.usage import AwsCall, Invocation, read_units, written
from local import cloud, engine

METERED = ("dynamodb", "sqs", "sns")
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
READS = frozenset({"GetItem", "Query"})
SECONDS_BETWEEN_FLUSHES = 0.5
SERVE = "make_server"  # by name, because mypy rejects the assignment
HttpResponse = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[HttpResponse]]
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class CallRecord:
    """A file with one line per entry, which many threads write. It is flushed twice a second:
    a flush for each line would take a thirtieth of the local AWS's time.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self._lock = threading.Lock()
        threading.Thread(target=self._flush_regularly, daemon=True).start()

    def add(self, entry: AwsCall | Invocation) -> None:
        with self._lock:
            self._file.write(written(entry))

    def _flush_regularly(self) -> None:
        while True:
            time.sleep(SECONDS_BETWEEN_FLUSHES)
            with self._lock:
                self._file.flush()


def main() -> None:
    path, part, *arguments = sys.argv[1:]
    sys.argv = [part, *arguments]
    record = CallRecord(Path(path))
    if part == "cloud":
        meter_the_calls(record)
        meter_the_functions(record)
        cloud.main()
    else:
        meter_the_server(record)
        engine.main()


def meter_the_calls(record: CallRecord) -> None:
    handlers = app.SERVICE_HANDLERS
    for service in METERED:
        handlers[service] = metered_handler(service, handlers[service], record)


def metered_handler(service: str, handler: Handler, record: CallRecord) -> Handler:
    async def metered(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> HttpResponse:
        action = action_of(headers, body)
        if action in WRITES:
            body = with_consumed_capacity(body)
        response = await handler(method, path, headers, body, query)
        reads, writes = consumed(action, body, response)
        record.add(AwsCall(service, action, reads, writes))
        return response

    return metered


def action_of(headers: Mapping[str, str], body: bytes) -> str:
    """The operation: in a header for the JSON protocols, in the body for the query protocol."""
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    return parse_qs(body.decode()).get("Action", ["?"])[0]


def with_consumed_capacity(body: bytes) -> bytes:
    """The JSON object with one more member, added without parsing it."""
    return body.rstrip().removesuffix(b"}") + b', "ReturnConsumedCapacity": "TOTAL"}'


def consumed(action: str, request: bytes, response: HttpResponse) -> tuple[float, float]:
    """Read and write units of a response of DynamoDB.

    A write whose condition fails is billed as well. Reads are computed from the returned items,
    because MiniStack counts every read as a small one.
    """
    if action in WRITES:
        body = json.loads(response[2])
        return 0, body.get("ConsumedCapacity", {}).get("CapacityUnits", 1)
    if action in READS:
        body = json.loads(response[2])
        items = body.get("Items") or ([body["Item"]] if "Item" in body else [])
        units = read_units(items)
        return units if json.loads(request).get("ConsistentRead") else units / 2, 0
    return 0, 0


def meter_the_functions(record: CallRecord) -> None:
    """Without the wait of `local.cloud`, which does not exist on AWS."""
    execute = lambda_svc._execute_function_warm  # noqa: SLF001 - the function around each invocation

    def metered(function: dict[str, Any], event: object, request_id: str) -> Any:  # noqa: ANN401 - MiniStack's
        start = time.perf_counter()
        result = execute(function, event, request_id)
        passed = (time.perf_counter() - start) * 1000
        name = function["config"]["Handler"].partition(".")[0]
        record.add(Invocation(name, round(passed, 2), len(result.get("log") or "")))
        return result

    lambda_svc._execute_function_warm = metered  # noqa: SLF001 - as above


def meter_the_server(record: CallRecord) -> None:
    serve: Callable[..., object] = getattr(engine, SERVE)

    def serve_metered(host: str, port: int, app: App, **settings: object) -> object:
        return serve(host, port, metered_app(app, record), **settings)

    setattr(engine, SERVE, serve_metered)


def metered_app(app: App, record: CallRecord) -> App:
    def metered(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if target := environ.get("HTTP_X_AMZ_TARGET"):
            record.add(AwsCall("states", target.rpartition(".")[2]))
        return app(environ, start_response)

    return metered


if __name__ == "__main__":
    main()
