"""The carriers over HTTP: the three provider APIs, and what people and tests look at."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.carriers.aws_model import AwsError, Json, json_in
from local.carriers.carriers import Carriers, ConnectionDropped
from local.carriers.connections import drop
from local.carriers.provider import Provider
from local.carriers.sent import Filter

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
    desk = Desk(carriers)
    routes = [
        Route("/", sms.by_target, methods=["POST"]),
        Route("/v1/whatsapp/send", whatsapp.by_path, methods=["POST"]),
        Route("/v2/email/outbound-emails", email.by_path, methods=["POST"]),
        Route("/sent", desk.sent, methods=["GET"]),
        Route("/sent", desk.clear, methods=["DELETE"]),
        Route("/receipts", desk.report, methods=["POST"]),
        Route("/scenarios", desk.scenarios, methods=["GET"]),
        Route("/health", desk.health, methods=["GET"]),
        Route("/{path:path}", _unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


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


class Desk:
    """What people and tests ask the carriers, in plain JSON."""

    def __init__(self, carriers: Carriers) -> None:
        self._carriers = carriers

    async def sent(self, request: Request) -> Response:
        query = request.query_params
        limit = query.get("limit", "1000")
        if not limit.isdigit() or int(limit) == 0:
            return _problem(400, "limit is a number from 1")
        to = query.get("to")
        # An unescaped + of a number arrives as a blank.
        to = None if to is None else to.replace(" ", "+")
        wanted = Filter(query.get("channel"), to, query.get("message_id"))
        calls = self._carriers.sent.newest(wanted, int(limit))
        return JSONResponse([call.as_json() for call in calls])

    async def clear(self, _: Request) -> Response:
        self._carriers.sent.clear()
        return Response(status_code=204)

    async def report(self, request: Request) -> Response:
        """Makes the recipient of a message produce a receipt now."""
        try:
            asked = json_in(await request.body())
        except ValueError:
            asked = None
        match asked:
            case {"provider_id": str(provider_id), "receipt": str(word)}:
                return await self._report(provider_id, word)
        return _problem(400, "the body is {provider_id, receipt}, both texts")

    async def _report(self, provider_id: str, word: str) -> Response:
        call = self._carriers.sent.find(provider_id)
        if call is None or call.taken is None:
            return _problem(404, f"no message went out as '{provider_id}'")
        if call.note:
            return _problem(409, call.note)
        try:
            call.provider.check_receipt(word)
        except ValueError as error:
            return _problem(400, str(error))
        receipt = await self._carriers.report(call, call.taken, word)
        return JSONResponse(receipt.as_json(), status_code=502 if receipt.failure else 200)

    async def scenarios(self, _: Request) -> Response:
        return JSONResponse(self._carriers.scenarios.model_dump(mode="json"))

    async def health(self, _: Request) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "under_way": self._carriers.under_way,
                "unpublished": self._carriers.unpublished,
            }
        )


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


def _problem(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status)
