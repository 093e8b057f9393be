"""`POST /v1/messages/{id}/confirm`, `…/advance` and `…/cancel`: a caller's control of a message."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging.api import http, requests
from messaging.api.models import AdvanceRequest, EmptyRequest
from messaging.clients.clock import now
from messaging.clients.counters import counters
from messaging.clients.store import store
from messaging.clients.workflow import workflow
from messaging.codes.guard import record_approval
from messaging.control import Control
from messaging.domain.errors import InvalidRequest, TooLate, UnknownMessage
from messaging.domain.messages import MESSAGE_ID
from messaging.logs import function_log

logger = function_log()


def control() -> Control:
    return Control(store(), workflow(), now, logger)


def confirm(message_id: str, body: bytes) -> None:
    """A confirmed code is an approved one, counted once."""
    requests.check_body(EmptyRequest, body)
    message, new = control().confirm(message_id)
    if new and message.verification:
        record_approval(counters(), message.verification.counted_as, now(), logger)


def advance(message_id: str, body: bytes) -> None:
    step = requests.check_body(AdvanceRequest, body).step
    control().advance(message_id, step)


def cancel(message_id: str, body: bytes) -> None:
    requests.check_body(EmptyRequest, body)
    control().cancel(message_id)


ACTIONS: Mapping[str, Callable[[str, bytes], None]] = {
    "confirm": confirm,
    "advance": advance,
    "cancel": cancel,
}


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> http.HttpResponse:  # noqa: ARG001 - Lambda's
    """The message afterwards, as `GET /v1/messages/{id}` returns it."""
    message_id = event["pathParameters"]["id"]
    if not MESSAGE_ID.fullmatch(message_id):
        return http.unknown_message()
    logger.append_keys(message_id=message_id)
    action = ACTIONS[event["resource"].rpartition("/")[2]]
    try:
        action(message_id, http.request_body(event))
        return _message(message_id)
    except UnknownMessage:
        return http.unknown_message()
    except InvalidRequest as error:
        detail = "the request is invalid; `errors` lists each problem"
        return http.problem_response(HTTPStatus.BAD_REQUEST, detail, error.problems)
    except TooLate as error:
        return http.too_late_response(error)


def _message(message_id: str) -> http.HttpResponse:
    history, request = store().messages.history_and_request(message_id)
    receipts = store().receipts.of(message_id)
    return http.json_response(HTTPStatus.OK, http.message_document(history, request, receipts))
