"""`POST /v1/verifications/{id}/resend` and `/cancel`: sends a code again, or ends its life."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging import settings
from messaging.api import http, verifications
from messaging.clients.clock import now
from messaging.clients.counters import counters
from messaging.clients.store import store
from messaging.clients.workflow import workflow
from messaging.codes.cancelling import cancel
from messaging.codes.guard import Guard
from messaging.codes.resending import Resending
from messaging.control import Control
from messaging.domain.errors import Blocked, TooLate, UnknownMessage
from messaging.domain.messages import MESSAGE_ID
from messaging.logs import function_log

logger = function_log()


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> http.HttpResponse:  # noqa: ARG001 - Lambda's
    message_id = event["pathParameters"]["id"]
    if not MESSAGE_ID.fullmatch(message_id):
        return verifications.unknown_response()
    logger.append_keys(message_id=message_id)
    control = Control(store(), workflow(), now, logger)
    try:
        if event["resource"].endswith("/cancel"):
            cancel(store(), control, message_id, now())
        else:
            _resend(control, message_id)
    except UnknownMessage:
        return verifications.unknown_response()
    except TooLate as error:
        return http.too_late_response(error)
    except Blocked as error:
        return verifications.blocked_response(error)
    history, request = store().messages.history_and_request(message_id)
    document = verifications.full_document(
        event, history, request, now(), settings.codes_cool_down()
    )
    return http.json_response(HTTPStatus.OK, document)


def _resend(control: Control, message_id: str) -> None:
    history, request = store().messages.history_and_request(message_id)
    guard = Guard(counters(), settings.code_limits(), now, logger)
    cool_down = settings.codes_cool_down()
    Resending(store(), control, guard, cool_down, now).resend(history, request)
