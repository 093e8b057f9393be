"""`GET /v1/verifications/{id}`: a verification with its sends and checks."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging import settings
from messaging.api import http, verifications
from messaging.clients.clock import now
from messaging.clients.store import store_to_read as store
from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import MESSAGE_ID
from messaging.logs import function_log

logger = function_log()


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> http.HttpResponse:  # noqa: ARG001 - Lambda's
    message_id = event["pathParameters"]["id"]
    if not MESSAGE_ID.fullmatch(message_id):
        return verifications.unknown_response()
    try:
        history, request = store().messages.history_and_request(message_id)
    except UnknownMessage:
        return verifications.unknown_response()
    if history.message.verification is None:
        return verifications.unknown_response()
    document = verifications.full_document(
        event, history, request, now(), settings.codes_cool_down()
    )
    return http.json_response(HTTPStatus.OK, document)
