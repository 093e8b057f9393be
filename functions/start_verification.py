"""`POST /v1/verifications`: starts a verification, or sends the pending one again."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from ulid import ULID

from messaging import settings
from messaging.api import http, requests, verification_requests, verifications
from messaging.channels.catalog import channels
from messaging.clients.clock import now
from messaging.clients.counters import counters
from messaging.clients.queue import requests_queue
from messaging.clients.store import store
from messaging.clients.workflow import workflow
from messaging.codes.guard import Guard
from messaging.codes.resending import Resending
from messaging.codes.starting import RequestedVerification, Starting
from messaging.control import Control
from messaging.domain.errors import Blocked, InvalidRequest, NotQueued
from messaging.intake import Intake
from messaging.logs import function_log
from messaging.metrics import Metric, count

logger = function_log()

# The header Retry-After, in seconds, of a request that could not be queued.
RETRY_AFTER = 5


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> http.HttpResponse:  # noqa: ARG001 - Lambda's
    defaults = verification_requests.CodeDefaults(
        settings.senders(channels()), settings.code_channels(), settings.codes_brand()
    )
    try:
        body = requests.read(http.request_body(event))
        request = verification_requests.check(body, defaults)
    except InvalidRequest as error:
        count(Metric.MESSAGE_REJECTED)
        detail = "the request is invalid; `errors` lists each problem"
        return http.problem_response(HTTPStatus.BAD_REQUEST, detail, error.problems)
    try:
        return _start(event, request)
    except Blocked as error:
        return verifications.blocked_response(error)
    except NotQueued as error:
        return http.problem_response(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"{error}; retry the request",
            Retry_After=str(RETRY_AFTER),
        )


def _start(event: dict[str, Any], request: RequestedVerification) -> http.HttpResponse:
    message = request.message(str(ULID()), now(), settings.default_waits(channels()))
    started = _starting().start(request, message)
    document = verifications.verification_document(
        event, started.history, now(), settings.codes_cool_down()
    )
    status = HTTPStatus.ACCEPTED if started.new else HTTPStatus.OK
    return http.json_response(status, document, Location=document["status_url"])


def _starting() -> Starting:
    control = Control(store(), workflow(), now, logger)
    guard = Guard(counters(), settings.code_limits(), now, logger)
    resending = Resending(store(), control, guard, settings.codes_cool_down(), now)
    intake = Intake(store(), tuple(channels()), now, logger)
    return Starting(store(), intake, resending, guard, requests_queue(), now)
