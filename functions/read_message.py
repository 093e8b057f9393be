"""`GET /v1/messages/{id}`: a message with its attempts as a timeline."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging import settings
from messaging.api import http
from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import MESSAGE_ID
from messaging.store import UNCHECKED, Store

logger = Logger()


@cache
def store() -> Store:
    return Store(boto3.client("dynamodb", config=UNCHECKED), settings.messages_table())


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> http.Answer:  # noqa: ARG001 - Lambda's
    message_id = event["pathParameters"]["id"]
    if not MESSAGE_ID.fullmatch(message_id):
        return _unknown()
    try:
        story = store().history(message_id)
    except UnknownMessage:
        return _unknown()
    return http.answer(HTTPStatus.OK, http.told(story, store().receipts(message_id)))


def _unknown() -> http.Answer:
    return http.problem(HTTPStatus.NOT_FOUND, "there is no message of this id")
