"""`POST /v1/verifications/{id}/check`: whether a code is the one that was sent, counted first."""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from messaging.control import Control

from messaging.api import http, verifications
from messaging.clients.clock import now
from messaging.clients.counters import counters
from messaging.clients.mac import macs
from messaging.clients.store import store
from messaging.clients.workflow import workflow
from messaging.codes.checking import Checking, CodeCheck
from messaging.codes.guard import record_approval
from messaging.domain.errors import InvalidRequest, TooLate, UnknownMessage
from messaging.domain.messages import MESSAGE_ID
from messaging.domain.verifications import Verification
from messaging.logs import function_log

logger = function_log()


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> http.HttpResponse:  # noqa: ARG001 - Lambda's
    message_id = event["pathParameters"]["id"]
    if not MESSAGE_ID.fullmatch(message_id):
        return verifications.unknown_response()
    logger.append_keys(message_id=message_id)
    try:
        code, payee, amount = verifications.read_check(http.request_body(event))
        check = CodeCheck(code, payee, amount, _hash_of_key(event))
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
    return Checking(store(), control, macs(), _count_approval, now, logger)


def _count_approval(verification: Verification) -> None:
    record_approval(counters(), verification.counted_as, now(), logger)


def _hash_of_key(event: Mapping[str, Any]) -> str | None:
    key = http.header(event, "Idempotency-Key")
    if key is None:
        return None
    caller = event["requestContext"].get("identity", {}).get("apiKeyId")
    return hashlib.sha256(f"{caller} {key}".encode()).hexdigest()
