"""The state `Plan message`: does for a direct StartExecution what the API does for a request."""

import json
from datetime import datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging import settings
from messaging.api import requests
from messaging.domain import plan as planning
from messaging.domain.errors import InvalidRequest, Problem
from messaging.domain.messages import MESSAGE_ID, Message, Plan
from messaging.domain.statuses import MessageStatus
from messaging.metrics import Counter
from messaging.store import UNCHECKED, Store
from messaging.workflow import MAX_CAUSE

logger = Logger()


@cache
def store() -> Store:
    client = boto3.client("dynamodb", config=UNCHECKED)
    return Store(client, settings.messages_table(), settings.retention(), Counter())


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's
    """The first node of the route, or a node `invalid` with the reasons as its cause."""
    message_id, started_at = event["message_id"], datetime.fromisoformat(event["started_at"])
    logger.append_keys(message_id=message_id)
    try:
        request = _checked(message_id, event["request"])
    except InvalidRequest as error:
        return _rejected(message_id, started_at, error)
    message = request.message(message_id, started_at, settings.default_waits())
    if not store().add(message):
        message = store().history(message_id).message
    logger.info("message planned")
    return planning.route(message_id, message.plan, request.broadcasts)


def _checked(message_id: str, request: object) -> requests.Request:
    if not MESSAGE_ID.fullmatch(message_id):
        detail = "may hold only 0-9, A-Z, a-z, _ and -: it becomes the message's id"
        raise InvalidRequest([Problem("the execution's name", detail)])
    return requests.check(request, settings.senders())


def _rejected(message_id: str, at: datetime, error: InvalidRequest) -> dict[str, Any]:
    problems = [{"pointer": one.pointer, "detail": one.detail} for one in error.problems]
    store().add(
        Message(
            message_id=message_id,
            accepted_at=at,
            request={},
            plan=Plan(()),
            status=MessageStatus.REJECTED,
            problems=tuple(problems),
        )
    )
    logger.warning("request is invalid")
    cause = json.dumps({"errors": problems}, ensure_ascii=False)
    return {"message_id": message_id, "channel": "invalid", "cause": cause[:MAX_CAUSE]}
