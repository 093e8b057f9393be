"""The queues of a deployed function."""

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from messaging import settings
from messaging.queue import Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# A call that fails must fail before the function ends, so that the failure can be answered.
WITHIN_THE_FUNCTIONS_TIME = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=2, read_timeout=5
)


@cache
def sqs() -> "SQSClient":
    return boto3.client("sqs", config=WITHIN_THE_FUNCTIONS_TIME)


def requests_queue() -> Queue:
    return Queue(sqs(), settings.requests_queue_url())


def requests_dead_letter_queue() -> Queue:
    return Queue(sqs(), settings.requests_dead_letter_queue_url())
