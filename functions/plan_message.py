"""The state `Plan message`: checks, stores and plans the request of a direct StartExecution."""

import json
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging import settings
from messaging.api import requests
from messaging.channels.catalog import channels
from messaging.clients.clock import now
from messaging.clients.store import store
from messaging.domain.errors import InvalidRequest, Problem
from messaging.intake import Intake
from messaging.logs import function_log
from messaging.starts import MAX_DIRECT_BYTES
from messaging.workflow import MAX_CAUSE

logger = function_log()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's
    """The first node of the route, or a node `invalid` with the problems as its cause."""
    message_id, started_at = event["message_id"], datetime.fromisoformat(event["started_at"])
    logger.append_keys(message_id=message_id)
    intake = Intake(store(), tuple(channels()), now, logger)
    try:
        requests.check_message_id(message_id)
        request = requests.check(_request(event), settings.senders(channels()))
    except InvalidRequest as error:
        intake.reject(message_id, started_at, error.problems)
        logger.warning("request is invalid")
        return _invalid(message_id, error.problems)
    message = request.message(message_id, started_at, settings.default_waits(channels()))
    stored, node = intake.plan(message, request.document)
    if not stored.plan.steps:
        ended = Problem("the execution's name", f"is the id of a message that is {stored.status}")
        return _invalid(message_id, [ended])
    logger.info("message planned")
    return node


def _request(event: dict[str, Any]) -> object:
    """The request, which is absent if it and its envelope exceed the maximum input of a state."""
    if "request" not in event:
        detail = f"is too large; the maximum for a direct start is {MAX_DIRECT_BYTES} bytes"
        raise InvalidRequest([Problem("", detail)])
    return event["request"]


def _invalid(message_id: str, problems: list[Problem]) -> dict[str, Any]:
    cause = json.dumps({"errors": [one.document for one in problems]}, ensure_ascii=False)
    return {"message_id": message_id, "channel": "invalid", "cause": cause[:MAX_CAUSE]}
