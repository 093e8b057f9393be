"""`GET /v1/messages/{id}`: a message with its attempts as a timeline."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging.api import http
from messaging.clients.store import store_to_read as store
from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import MESSAGE_ID
from messaging.logs import function_log

logger = function_log()


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> http.HttpResponse:  # noqa: ARG001 - Lambda's
    message_id = event["pathParameters"]["id"]
    if not MESSAGE_ID.fullmatch(message_id):
        return http.unknown_message()
    try:
        history, request = store().messages.history_and_request(message_id)
    except UnknownMessage:
        return http.unknown_message()
    receipts = store().receipts.of(message_id)
    return http.json_response(HTTPStatus.OK, http.message_document(history, request, receipts))
