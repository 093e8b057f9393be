"""The simulator's own HTTP endpoints, for people, tests and the console: plain JSON."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.actions import (
    ACTIONS,
    ActionNotAllowed,
    UnsupportedAction,
    allowed_actions,
    check_action,
    check_refusal,
)
from simulator.aws_model import Json, parse_json
from simulator.call_log import CallFilter
from simulator.changes import MAX_WAIT_SECONDS
from simulator.guard import error_response
from simulator.provider import AcceptedMessage, check_receipt_type
from simulator.provider_call import ProviderCall
from simulator.simulator import RecipientActionResult, Simulator, now

_BODIES = {
    "refuse": "The body must be {} or {receipt}, a string",
    "reply": "The body must be {text}, a string that is not blank",
}
_NO_BODY = "The body must be {}"
_MAX_DIGITS = 18


class MalformedRequest(ValueError):
    """A query or body that is not valid; the message says what is."""


class CallEndpoints:
    """The calls, the scenarios in force, the health, and receipts on demand."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def sent(self, request: Request) -> Response:
        query = request.query_params
        try:
            limit = _limit(query, 1000)
        except MalformedRequest as error:
            return error_response(400, str(error))
        filter_ = CallFilter(query.get("channel"), _to(query), query.get("message_id"))
        calls = self._simulator.calls.newest(filter_, limit)
        return JSONResponse([call.as_json() for call in calls])

    async def clear(self, _: Request) -> Response:
        self._simulator.clear()
        return Response(status_code=204)

    async def publish_receipt(self, request: Request) -> Response:
        """Publishes a receipt for a message now."""
        match await _body(request):
            case {"provider_id": str(provider_id), "receipt": str(receipt_type)}:
                return await self._publish_receipt(provider_id, receipt_type)
        return error_response(400, "The body must be {provider_id, receipt}, both strings")

    async def _publish_receipt(self, provider_id: str, receipt_type: str) -> Response:
        call = self._simulator.calls.find(provider_id)
        if call is None or call.message is None:
            return _unknown_message(provider_id)
        if call.no_receipts_reason:
            return error_response(409, call.no_receipts_reason)
        try:
            check_receipt_type(call.provider, receipt_type)
        except ValueError as error:
            return error_response(400, str(error))
        receipt = await self._simulator.publish_receipt(call, call.message, receipt_type)
        return JSONResponse(receipt.as_json(), status_code=502 if receipt.failure else 200)

    async def scenarios(self, _: Request) -> Response:
        return JSONResponse(self._simulator.scenarios.as_json())

    async def health(self, _: Request) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "under_way": self._simulator.in_progress,
                "unpublished": self._simulator.unpublished,
                "change": self._simulator.changes.newest,
            }
        )


class PhoneEndpoints:
    """The recipients' phones: the messages on them, and what a recipient does with a message."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def recipients(self, request: Request) -> Response:
        """Who received messages on which channel, newest first."""
        try:
            limit = _limit(request.query_params, 100)
        except MalformedRequest as error:
            return error_response(400, str(error))
        threads = self._simulator.calls.newest_threads(limit)
        return JSONResponse([thread.summary() for thread in threads])

    async def thread(self, request: Request) -> Response:
        query = request.query_params
        to, channel = _to(query), query.get("channel")
        if to is None or channel is None:
            return error_response(400, "The parameters to and channel are required")
        try:
            limit = _limit(query, 100)
        except MalformedRequest as error:
            return error_response(400, str(error))
        thread = self._simulator.calls.thread(channel, to)
        if thread is None:
            return error_response(404, f"No message was sent to '{to}' on channel '{channel}'")
        return JSONResponse(
            thread.as_json(limit, now()) | {"change": self._simulator.changes.newest}
        )

    async def changes(self, request: Request) -> Response:
        """The number of the newest change, as soon as it differs from the number given."""
        query = request.query_params
        try:
            known, seconds = _known_change(query), _wait_seconds(query)
        except MalformedRequest as error:
            return error_response(400, str(error))
        newest = await self._simulator.changes.wait_for_change(known, seconds)
        return JSONResponse({"change": newest})

    async def act(self, request: Request) -> Response:
        """Does with a message what its recipient does with it on the phone."""
        provider_id, action = request.path_params["provider_id"], request.path_params["act"]
        call = self._simulator.calls.find(provider_id)
        if call is None or call.message is None:
            return _unknown_message(provider_id)
        if action not in ACTIONS:
            actions = ", ".join(ACTIONS)
            return error_response(404, f"There is no action '{action}'; the actions are {actions}")
        body = await _body(request)
        try:
            argument = _argument(action, body)
            check_action(call, action, now())
            result = await self._act(call, call.message, action, argument)
        except (MalformedRequest, UnsupportedAction) as error:
            return error_response(400, str(error))
        except ActionNotAllowed as error:
            return error_response(409, str(error))
        return self._action_response(call, result)

    async def _act(
        self, call: ProviderCall, message: AcceptedMessage, action: str, argument: str | None
    ) -> RecipientActionResult:
        receipt_types = ACTIONS[action].receipt_types(call)
        two_way = call.provider.two_way
        if action == "reply" and two_way and argument:
            _check_length(argument, two_way.max_length)
            return await self._simulator.reply(call, message, two_way, receipt_types, argument)
        if argument:
            check_refusal(call, argument)
            receipt_types = [argument]
        return await self._simulator.act(call, message, receipt_types, silent=action == "silence")

    def _action_response(self, call: ProviderCall, result: RecipientActionResult) -> Response:
        provider_id = call.provider_id or ""
        body: Json = {
            "provider_id": provider_id,
            "state": call.state,
            "receipts": [receipt.as_json() for receipt in result.receipts],
            "cancelled": [receipt.receipt_type for receipt in result.cancelled],
            "reply": None if result.inbound is None else result.inbound.as_json(provider_id),
            "may": allowed_actions(call, now()),
            "change": self._simulator.changes.newest,
        }
        if result.failure is None:
            return JSONResponse(body)
        return JSONResponse(body | {"detail": result.failure}, 502)


def _unknown_message(provider_id: str) -> Response:
    return error_response(404, f"No message has the provider ID '{provider_id}'")


async def _body(request: Request) -> object:
    """The JSON of the body; None, which is no valid body, if it is not JSON."""
    try:
        return parse_json(await request.body())
    except ValueError:
        return None


def _argument(action: str, body: object) -> str | None:
    """The one string that an action can have: a reply's text, or a refusal's receipt type."""
    match action, body:
        case "reply", {"text": str(text), **rest} if text.strip() and not rest:
            return text
        case "refuse", {"receipt": str(receipt_type), **rest} if not rest:
            return receipt_type
        case "reply", _:
            pass
        case _, {**members} if not members:
            return None
    raise MalformedRequest(_BODIES.get(action, _NO_BODY))


def _check_length(text: str, max_length: int) -> None:
    if len(text) > max_length:
        raise MalformedRequest(f"A reply on this channel can have at most {max_length} characters")


def _limit(query: Mapping[str, str], default: int) -> int:
    limit = query.get("limit", str(default))
    if not _is_number(limit) or int(limit) == 0:
        raise MalformedRequest("The parameter limit must be a positive integer")
    return int(limit)


def _to(query: Mapping[str, str]) -> str | None:
    # An unescaped + of a number arrives as a space.
    to = query.get("to")
    return None if to is None else to.replace(" ", "+")


def _known_change(query: Mapping[str, str]) -> int:
    after = query.get("after", "0")
    if not _is_number(after):
        raise MalformedRequest("The parameter after must be the number of a change")
    return int(after)


def _wait_seconds(query: Mapping[str, str]) -> float:
    try:
        seconds = float(query.get("wait", "0"))
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= MAX_WAIT_SECONDS:
        raise MalformedRequest(f"The parameter wait must be 0 to {MAX_WAIT_SECONDS} seconds")
    return seconds


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
