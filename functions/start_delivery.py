"""The requests queue: starts one execution per message, named after it, at the stack's pace."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from messaging import settings
from messaging.domain.errors import Throttled, Unstartable
from messaging.metrics import Metric, count
from messaging.workflow import Workflow

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = Logger()

# What is not taken waits in the queue, not in here; starting the same again starts it once.
QUICKLY = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=5
)
# Seconds until a request comes again: doubled with each time that it came, up to the longest.
FIRST_BACK_OFF, LONGEST_BACK_OFF = 5, 300


@cache
def workflow() -> Workflow:
    return Workflow(boto3.client("stepfunctions", config=QUICKLY))


@cache
def queue() -> "SQSClient":
    return boto3.client("sqs")


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's
    """Which requests of the batch come again; the others are done."""
    again = [record for record in event["Records"] if not _done(record)]
    _hide(again)
    return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in again]}


def _done(record: Mapping[str, Any]) -> bool:
    """A message that was planned already says its id; any other is a request, named after its
    queue message, which stays the same when SQS delivers it again.
    """
    planned = record["messageAttributes"].get("message_id", {}).get("stringValue")
    name, body = planned or record["messageId"], record["body"]
    with logger.append_context_keys(message_id=name):
        try:
            _start_or_set_aside(name, body)
        except (Throttled, ClientError, BotoCoreError) as error:
            logger.warning("not started, it waits in the queue", error=type(error).__name__)
            return False
    return True


def _start_or_set_aside(name: str, body: str) -> None:
    try:
        _start(name, body)
    except Unstartable as error:
        _set_aside(name, body, str(error))
        logger.warning("can never be started, set aside", reason=str(error))


def _start(name: str, body: str) -> None:
    try:
        with _paced():
            started = workflow().start(settings.state_machine_arn(), name, body)
    except Throttled:
        count(Metric.START_THROTTLED)
        raise
    logger.info("delivery started" if started else "delivery was started before")


@contextmanager
def _paced() -> Iterator[None]:
    """Lasts for the interval at least. So many batches run at once and no more, so that together
    they stay below the share of StartExecution that the stack may use, whatever a container knows
    of the others.
    """
    ends = time.monotonic() + settings.start_interval()
    try:
        yield
    finally:
        time.sleep(max(0.0, ends - time.monotonic()))


def _set_aside(name: str, body: str, reason: str) -> None:
    """To the dead letters at once, with its reason, and with its name for when it is put back."""
    attributes = {"message_id": name, "reason": reason}
    queue().send_message(
        QueueUrl=settings.requests_dead_letter_queue_url(),
        MessageBody=body,
        MessageAttributes={
            key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()
        },
    )


def _hide(records: Iterable[Mapping[str, Any]]) -> None:
    """Until their back-off is over; where that cannot be said, the queue's own time holds."""
    entries: list[Any] = [
        {
            "Id": str(number),
            "ReceiptHandle": record["receiptHandle"],
            "VisibilityTimeout": _back_off(int(record["attributes"]["ApproximateReceiveCount"])),
        }
        for number, record in enumerate(records)
    ]
    if not entries:
        return
    try:
        queue().change_message_visibility_batch(
            QueueUrl=settings.requests_queue_url(), Entries=entries
        )
    except (ClientError, BotoCoreError) as error:
        logger.warning("not hidden, the queue's own time holds", error=type(error).__name__)


def _back_off(times: int) -> int:
    return min(FIRST_BACK_OFF << min(times - 1, 10), LONGEST_BACK_OFF)
