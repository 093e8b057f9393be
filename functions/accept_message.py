"""`POST /v1/messages`: checks and plans the request, stores the message, puts it on its way."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from ulid import ULID

from messaging import settings
from messaging.api import http, requests
from messaging.domain import plan as planning
from messaging.domain.errors import InvalidRequest
from messaging.domain.messages import Message
from messaging.metrics import Counter, Metric, count
from messaging.store import UNCHECKED, Reserved, Store

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = Logger()

# Longer than this function may run, so that whoever comes after it finds it finished or dead.
LOCK = timedelta(seconds=60)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@cache
def store() -> Store:
    client = boto3.client("dynamodb", config=UNCHECKED)
    return Store(client, settings.messages_table(), settings.retention(), Counter())


@cache
def queue() -> "SQSClient":
    return boto3.client("sqs")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> http.Answer:  # noqa: ARG001 - Lambda's
    body = http.body_of(event)
    if len(body) > requests.MAX_BYTES:
        return http.problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the request has {len(body)} bytes; it may have at most {requests.MAX_BYTES}",
        )
    try:
        request = requests.check(requests.read(body), settings.senders())
    except InvalidRequest as error:
        count(Metric.MESSAGE_REJECTED)
        detail = "the request cannot be taken; `errors` names each wrong field"
        return http.problem(HTTPStatus.BAD_REQUEST, detail, error.problems)
    message = request.message(str(ULID()), datetime.now(UTC), settings.default_waits())
    key = http.header(event, "Idempotency-Key")
    if key is None:
        return _accepted(event, _deliver(request, message))
    return _once(event, request, message, key, body)


def _deliver(request: requests.Request, message: Message) -> Message:
    """The message as it is stored, now on the queue. Doing it again delivers nothing twice, because
    the execution is named after the message.
    """
    if not store().add(message):
        message = store().history(message.message_id).message
    route = planning.route(message.message_id, message.plan, request.broadcasts)
    queue().send_message(
        QueueUrl=settings.requests_queue_url(),
        MessageBody=json.dumps(route),
        MessageAttributes={"message_id": {"DataType": "String", "StringValue": message.message_id}},
    )
    logger.info("message accepted", message_id=message.message_id)
    return message


def _once(
    event: dict[str, Any], request: requests.Request, message: Message, key: str, body: bytes
) -> http.Answer:
    """The answer under an idempotency key, which belongs to the caller's API key."""
    if not _KEY.fullmatch(key):
        return http.problem(
            HTTPStatus.BAD_REQUEST, "Idempotency-Key must be 1 to 255 visible ASCII characters"
        )
    caller = event["requestContext"].get("identity", {}).get("apiKeyId")
    hashed = hashlib.sha256(f"{caller} {key}".encode()).hexdigest()
    reservation = store().reserve(
        hashed, hashlib.sha256(body).hexdigest(), message.message_id, message.accepted_at, LOCK
    )
    match reservation.state:
        case Reserved.OTHER_BODY:
            detail = "this Idempotency-Key came with another body before"
            return http.problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
        case Reserved.IN_PROGRESS:
            detail = "a request with this Idempotency-Key is in progress; repeat it in a moment"
            return http.problem(HTTPStatus.CONFLICT, detail)
        case Reserved.DONE:
            first = store().history(reservation.message_id).message
            return _accepted(event, first, Idempotent_Replayed="true")
        case Reserved.OURS:
            mine = replace(message, message_id=reservation.message_id)
            first = _deliver(request, mine)
            store().finish(hashed)
            return _accepted(event, first)


def _accepted(event: dict[str, Any], message: Message, **headers: str) -> http.Answer:
    url = http.url_of(event, message.message_id)
    body = http.accepted(message, url)
    return http.answer(HTTPStatus.ACCEPTED, body, Location=url, **headers)
