"""`POST /v1/messages`: checks and plans the request, stores the message, queues it for delivery."""

import hashlib
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from ulid import ULID

from messaging import settings
from messaging.api import http, requests
from messaging.channels.catalog import channels
from messaging.clients.clock import now
from messaging.clients.queue import requests_queue
from messaging.clients.store import store
from messaging.domain.errors import InvalidRequest, NotQueued
from messaging.domain.messages import Message
from messaging.intake import Intake
from messaging.logs import function_log
from messaging.metrics import Metric, count
from messaging.store.idempotency import Reserved

logger = function_log()

# The header Retry-After, in seconds, of a request that could not be queued or is in progress.
RETRY_AFTER = 5


def intake() -> Intake:
    return Intake(store(), tuple(channels()), now, logger)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> http.HttpResponse:  # noqa: ARG001 - Lambda's
    body = http.request_body(event)
    if len(body) > requests.MAX_BYTES:
        return http.problem_response(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the request body has {len(body)} bytes; the maximum is {requests.MAX_BYTES}",
        )
    try:
        request = requests.check(requests.read(body), settings.senders(channels()))
    except InvalidRequest as error:
        count(Metric.MESSAGE_REJECTED)
        detail = "the request is invalid; `errors` lists each problem"
        return http.problem_response(HTTPStatus.BAD_REQUEST, detail, error.problems)
    waits = settings.default_waits(channels())
    message = request.message(str(ULID()), now(), waits)
    try:
        return _accept(event, request, message, body)
    except NotQueued as error:
        return http.problem_response(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"{error} and nothing will be sent; retry the request",
            Retry_After=str(RETRY_AFTER),
        )


def _accept(
    event: dict[str, Any], request: requests.Request, message: Message, body: bytes
) -> http.HttpResponse:
    key = http.header(event, http.KEY_HEADER)
    if key is None:
        return _accepted(event, intake().accept(message, request.document, requests_queue()))
    if not http.KEY.fullmatch(key):
        return http.malformed_key_response()
    return _accept_once(event, request, message, http.hash_of_key(event, key), body)


def _accept_once(
    event: dict[str, Any], request: requests.Request, message: Message, key: str, body: bytes
) -> http.HttpResponse:
    reservation = intake().reserve(key, hashlib.sha256(body).hexdigest(), message)
    match reservation.state:
        case Reserved.OTHER_BODY:
            detail = "this Idempotency-Key was already used with a different body"
            return http.problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
        case Reserved.IN_PROGRESS:
            detail = "a request with this Idempotency-Key is in progress; retry after a short time"
            return http.problem_response(HTTPStatus.CONFLICT, detail, Retry_After=str(RETRY_AFTER))
        case Reserved.DONE:
            first = store().messages.history(reservation.message_id).message
            return _accepted(event, first, Idempotent_Replayed="true")
        case Reserved.ACQUIRED:
            accepted = intake().accept_reserved(
                key, message, reservation, request.document, requests_queue()
            )
            return _accepted(event, accepted)


def _accepted(event: dict[str, Any], message: Message, **headers: str) -> http.HttpResponse:
    url = http.status_url(event, message.message_id)
    body = http.accepted_document(message, url)
    return http.json_response(HTTPStatus.ACCEPTED, body, Location=url, **headers)
