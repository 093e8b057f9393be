"""The requests queue: starts one execution per message, named after it, at the stack's rate."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from messaging import settings
from messaging.clients.queue import requests_dead_letter_queue, requests_queue
from messaging.domain.errors import NotQueued
from messaging.logs import function_log
from messaging.starts import QueuedRequest, Starter, StartPace
from messaging.workflow import Workflow

logger = function_log()

# A failed start is retried from the queue, not here; a second start of the same name has no effect.
QUICKLY = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=5
)


@cache
def workflow() -> Workflow:
    return Workflow(boto3.client("stepfunctions", config=QUICKLY))


@cache
def pace() -> StartPace:
    return StartPace(settings.start_interval())


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's
    """The requests of the batch that SQS delivers again; the others are done."""
    start = partial(workflow().start, settings.state_machine_arn())
    starter = Starter(start, requests_dead_letter_queue(), pace(), logger)
    again = starter.not_started([QueuedRequest.from_record(one) for one in event["Records"]])
    _delay(again)
    return {"batchItemFailures": [{"itemIdentifier": one.queue_id} for one in again]}


def _delay(requests: list[QueuedRequest]) -> None:
    """Delays the requests by their back-off; else the queue's visibility timeout applies."""
    try:
        requests_queue().delay([(one.receipt_handle, one.back_off) for one in requests])
    except NotQueued as error:
        logger.warning("not delayed, the queue's visibility timeout applies", error=str(error))
