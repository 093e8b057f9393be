"""The carriers over HTTP: the three provider APIs, and what people, tests and the console use."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.aws_model import AwsError, Json, json_in
from simulator.connections import drop
from simulator.endpoints import Desk, Phones
from simulator.guard import guarded
from simulator.provider import Provider
from simulator.simulator import Carriers, ConnectionDropped

LARGEST_BODY = 64 * 1024 * 1024
_TARGET = "PinpointSMSVoiceV2.SendTextMessage"


def create_app(carriers: Carriers, providers: Mapping[str, Provider]) -> Starlette:
    """The application; it ends what is under way when its server ends."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await carriers.close()

    sms, whatsapp, email = (
        Counter(carriers, providers[channel]) for channel in ("sms", "whatsapp", "email")
    )
    routes = [
        Route("/", sms.by_target, methods=["POST"]),
        Route("/v1/whatsapp/send", whatsapp.by_path, methods=["POST"]),
        Route("/v2/email/outbound-emails", email.by_path, methods=["POST"]),
        *_for_people(carriers),
        Route("/{path:path}", _unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _for_people(carriers: Carriers) -> list[Route]:
    desk, phones = Desk(carriers), Phones(carriers)
    routes = [
        ("GET", "/sent", desk.sent),
        ("DELETE", "/sent", desk.clear),
        ("POST", "/receipts", desk.report),
        ("GET", "/scenarios", desk.scenarios),
        ("GET", "/health", desk.health),
        ("GET", "/recipients", phones.recipients),
        ("GET", "/threads", phones.thread),
        ("GET", "/changes", phones.changes),
        ("POST", "/phones/{provider_id}/{act}", phones.act),
    ]
    return [Route(path, guarded(endpoint), methods=[method]) for method, path, endpoint in routes]


class Counter:
    """Where one provider's API takes calls."""

    def __init__(self, carriers: Carriers, provider: Provider) -> None:
        self._carriers = carriers
        self._provider = provider

    async def by_target(self, request: Request) -> Response:
        """The json protocol: one path for all operations, a header that names one."""
        if request.headers.get("x-amz-target") != _TARGET:
            error = AwsError("UnknownOperationException", "There is no such operation")
            return _error(error, 400, rest=False)
        return await self.by_path(request)

    async def by_path(self, request: Request) -> Response:
        try:
            _check_signed(request)
            body = await _body(request)
            return _answer(await self._carriers.take(self._provider, body))
        except AwsError as error:
            operation = self._provider.operation
            return _error(error, operation.status_of(error.code), rest=operation.rest)
        except ConnectionDropped:
            await drop(request)
            return Response(status_code=500)  # nobody is there to read it


async def _unknown(_: Request) -> Response:
    error = AwsError("UnknownOperationException", "There is no such operation")
    return _error(error, 404, rest=True)


def _check_signed(request: Request) -> None:
    # The signature is not verified: there is no secret here it could be verified against.
    if not request.headers.get("authorization", "").startswith("AWS4-"):
        raise AwsError("MissingAuthenticationTokenException", "The request is not signed")


async def _body(request: Request) -> Json:
    if int(request.headers.get("content-length", "0")) > LARGEST_BODY:
        raise AwsError("RequestEntityTooLarge", f"A request has at most {LARGEST_BODY} bytes")
    try:
        body = json_in(await request.body())
    except ValueError as error:
        raise AwsError("SerializationException", f"The body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise AwsError("SerializationException", "The body is no JSON object")
    return body


def _answer(body: Json) -> Response:
    return JSONResponse(body, headers={"x-amzn-requestid": str(uuid.uuid4())})


def _error(error: AwsError, status: int, *, rest: bool) -> Response:
    """The error as its protocol spells it: rest-json names it in a header, json in the body."""
    headers = {"x-amzn-requestid": str(uuid.uuid4())}
    if rest:
        headers["x-amzn-errortype"] = error.code
        return JSONResponse({"message": error.message} | error.members, status, headers)
    body = {"__type": error.code, "Message": error.message} | error.members
    return JSONResponse(body, status, headers, media_type="application/x-amz-json-1.0")
