"""`POST /v1/verifications/{id}/check`: whether a code is the one that was sent, counted first."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from messaging.api import http, verifications
from messaging.clients.clock import now
from messaging.clients.counters import counters
from messaging.clients.mac import macs
from messaging.clients.store import store
from messaging.clients.workflow import workflow
from messaging.codes.checking import Checking, CodeCheck
from messaging.codes.feedback import report_received
from messaging.codes.guard import record_approval
from messaging.control import Control
from messaging.domain.errors import InvalidRequest, TooLate, UnknownMessage
from messaging.domain.messages import MESSAGE_ID, Message
from messaging.logs import function_log

logger = function_log()

# The caller waits for what only AWS's statistics need.
BRIEFLY = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=1)


@cache
def client(service: Any) -> Any:  # noqa: ANN401 - which one, the channel says
    """The client of a service that asks for feedback."""
    return boto3.client(service, config=BRIEFLY)


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> http.HttpResponse:  # noqa: ARG001 - Lambda's
    message_id = event["pathParameters"]["id"]
    if not MESSAGE_ID.fullmatch(message_id):
        return verifications.unknown_response()
    logger.append_keys(message_id=message_id)
    key = http.header(event, http.KEY_HEADER)
    if key is not None and not http.KEY.fullmatch(key):
        return http.malformed_key_response()
    try:
        code, payee, amount = verifications.read_check(http.request_body(event))
        check = CodeCheck(code, payee, amount, key and http.hash_of_key(event, key))
        result = _checking().check(message_id, check)
    except InvalidRequest as error:
        detail = "the check is invalid and was not counted; `errors` lists each problem"
        return http.problem_response(HTTPStatus.BAD_REQUEST, detail, error.problems)
    except UnknownMessage:
        return verifications.unknown_response()
    except TooLate as error:
        return http.too_late_response(error)
    document = {"id": message_id, "status": result.status, "checks_left": result.checks_left}
    return http.json_response(HTTPStatus.OK, document)


def _checking() -> Checking:
    control = Control(store(), workflow(), now, logger)
    return Checking(store(), control, macs(), _approved, now, logger)


def _approved(message: Message) -> None:
    if message.verification:
        record_approval(counters(), message.verification.counted_as, now(), logger)
    report_received(message.message_id, store(), client, logger)
