"""The requests queue: starts one execution per message, named after it."""

from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from messaging import settings
from messaging.workflow import Workflow

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@cache
def workflow() -> Workflow:
    return Workflow(boto3.client("stepfunctions"))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:  # noqa: ANN401 - Powertools' answer
    return process_partial_response(event, start, processor, context)


def start(record: SQSRecord) -> None:
    """A message that was planned already says its id; any other is a request, named after its
    queue message, which stays the same when SQS delivers it again.
    """
    planned = record.message_attributes["message_id"]
    name = (planned.string_value if planned else None) or record.message_id
    started = workflow().start(settings.state_machine_arn(), name, record.body)
    logger.info("delivery started" if started else "delivery was started before", message_id=name)
