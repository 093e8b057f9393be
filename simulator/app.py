"""The simulator over HTTP: the channels' provider APIs, and its own endpoints for people."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.aws_model import AwsError, AwsOperation, Json, parse_json
from simulator.channels import create_message_operations
from simulator.connections import drop
from simulator.endpoints import CallEndpoints, PhoneEndpoints
from simulator.guard import guarded
from simulator.simulator import ConnectionDropped, Simulator

MAX_BODY_BYTES = 64 * 1024 * 1024


def create_app(simulator: Simulator) -> Starlette:
    """The application; it cancels what is in progress when its server stops."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await simulator.close()

    routes = [
        *_provider_routes(simulator),
        *_own_routes(simulator),
        Route("/{path:path}", _unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _provider_routes(simulator: Simulator) -> list[Route]:
    """One route for each method and path; several operations can share one."""
    by_address: dict[tuple[str, str], dict[str | None, ServedOperation]] = {}
    for served in _served_operations(simulator):
        operation = served.operation
        by_target = by_address.setdefault((operation.method, operation.path), {})
        by_target[operation.target] = served
    return [
        Route(path, ProviderEndpoint(by_target).handle, methods=[method])
        for (method, path), by_target in by_address.items()
    ]


def _served_operations(simulator: Simulator) -> Iterator["ServedOperation"]:
    for provider in simulator.providers:
        yield ServedOperation(provider.operation, partial(simulator.handle, provider))
    for one in create_message_operations():
        yield ServedOperation(one.operation, partial(simulator.operate, one))


def _own_routes(simulator: Simulator) -> list[Route]:
    calls, phones = CallEndpoints(simulator), PhoneEndpoints(simulator)
    routes = [
        ("GET", "/sent", calls.sent),
        ("DELETE", "/sent", calls.clear),
        ("POST", "/receipts", calls.publish_receipt),
        ("GET", "/scenarios", calls.scenarios),
        ("GET", "/health", calls.health),
        ("GET", "/recipients", phones.recipients),
        ("GET", "/threads", phones.thread),
        ("GET", "/changes", phones.changes),
        ("POST", "/phones/{provider_id}/{act}", phones.act),
    ]
    return [Route(path, guarded(endpoint), methods=[method]) for method, path, endpoint in routes]


@dataclass(frozen=True)
class ServedOperation:
    """An API operation, and what returns its response to a body or raises its error."""

    operation: AwsOperation
    respond: Callable[[Json], Awaitable[Json]]


class ProviderEndpoint:
    """One address of the provider APIs: of one REST operation, or of the JSON protocol's
    operations, which X-Amz-Target tells apart.
    """

    def __init__(self, by_target: Mapping[str | None, ServedOperation]) -> None:
        self._by_target = by_target

    async def handle(self, request: Request) -> Response:
        target = request.headers.get("x-amz-target")
        served = self._by_target.get(target) or self._by_target.get(None)
        if served is None:
            error = AwsError("UnknownOperationException", "There is no such operation")
            return _error(error, 400, rest=False)
        return await self._call(served, request)

    async def _call(self, served: ServedOperation, request: Request) -> Response:
        try:
            _check_signed(request)
            body = await _body(request)
            return _success(await served.respond(body))
        except AwsError as error:
            operation = served.operation
            return _error(error, operation.status_of(error.code), rest=operation.rest)
        except ConnectionDropped:
            await drop(request)
            return Response(status_code=500)  # The connection is closed.


async def _unknown(_: Request) -> Response:
    error = AwsError("UnknownOperationException", "There is no such operation")
    return _error(error, 404, rest=True)


def _check_signed(request: Request) -> None:
    # The signature is not verified: the simulator has no secret key to verify it with.
    if not request.headers.get("authorization", "").startswith("AWS4-"):
        raise AwsError("MissingAuthenticationTokenException", "The request is not signed")


async def _body(request: Request) -> Json:
    if int(request.headers.get("content-length", "0")) > MAX_BODY_BYTES:
        raise AwsError(
            "RequestEntityTooLarge", f"A request can have at most {MAX_BODY_BYTES} bytes"
        )
    try:
        body = parse_json(await request.body())
    except ValueError as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise AwsError("SerializationException", "The body is not a JSON object")
    return body


def _success(body: Json) -> Response:
    return JSONResponse(body, headers={"x-amzn-requestid": str(uuid.uuid4())})


def _error(error: AwsError, status: int, *, rest: bool) -> Response:
    """The error as its protocol returns it: rest-json names it in a header, json in the body."""
    headers = {"x-amzn-requestid": str(uuid.uuid4())}
    if rest:
        headers["x-amzn-errortype"] = error.code
        return JSONResponse({"message": error.message} | error.members, status, headers)
    body = {"__type": error.code, "Message": error.message} | error.members
    return JSONResponse(body, status, headers, media_type="application/x-amz-json-1.0")
