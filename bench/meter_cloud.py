"""Runs the local AWS and records the calls to it: `python -m bench.meter_cloud RECORD`.

The units of DynamoDB are its response to ReturnConsumedCapacity, which is added to each request.
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ministack import app  # type: ignore[import-untyped] # has no types
from ministack.services import lambda_svc  # type: ignore[import-untyped] # as above

from bench.call_record import CallRecord
from bench.usage import AwsCall, Invocation, metrics_in, read_units, write_units
from local import cloud

METERED = ("dynamodb", "sqs", "sns", "kms")
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
READS = frozenset({"GetItem", "Query"})
HttpResponse = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[HttpResponse]]


def main() -> None:
    record = CallRecord(Path(sys.argv.pop(1)))
    meter_the_calls(record)
    meter_the_functions(record)
    cloud.main()


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
    """Read and write units of a request to DynamoDB.

    A write whose condition fails is billed as well, by the size of the item. Reads are computed
    from the returned items, because MiniStack counts every read as a small one.
    """
    if action in WRITES:
        body = json.loads(response[2])
        if capacity := body.get("ConsumedCapacity"):
            return 0, capacity["CapacityUnits"]
        return 0, write_units(body.get("Item", {}), {})
    if action in READS:
        body = json.loads(response[2])
        items = body.get("Items") or ([body["Item"]] if "Item" in body else [])
        consistent = bool(json.loads(request).get("ConsistentRead"))
        return read_units(items, consistent=consistent), 0
    if action == "BatchGetItem":
        return batch_units(json.loads(request), json.loads(response[2])), 0
    return 0, 0


def batch_units(request: Mapping[str, Any], response: Mapping[str, Any]) -> float:
    """Each key is read by itself, also that of no item."""
    found = response.get("Responses", {})
    units = 0.0
    for table, asked in request["RequestItems"].items():
        items = found.get(table, [])
        consistent = bool(asked.get("ConsistentRead"))
        missing: list[Mapping[str, Any]] = [{}] * (len(asked["Keys"]) - len(items))
        units += sum(read_units([one], consistent=consistent) for one in [*items, *missing])
    return units


def meter_the_functions(record: CallRecord) -> None:
    """Without the wait of `local.cloud`, which does not exist on AWS."""
    execute = lambda_svc._execute_function_warm  # noqa: SLF001 - the function around each invocation

    def metered(function: dict[str, Any], event: object, request_id: str) -> Any:  # noqa: ANN401 - MiniStack's
        start = time.perf_counter()
        result = execute(function, event, request_id)
        passed = (time.perf_counter() - start) * 1000
        name = function["config"]["Handler"].partition(".")[0]
        log = result.get("log") or ""
        record.add(Invocation(name, round(passed, 2), len(log), metrics_in(log)))
        return result

    lambda_svc._execute_function_warm = metered  # noqa: SLF001 - as above


if __name__ == "__main__":
    main()
