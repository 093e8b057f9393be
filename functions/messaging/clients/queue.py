"""The queues of a deployed function."""

from functools import cache
from typing import TYPE_CHECKING

import boto3

from messaging import settings
from messaging.queue import Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@cache
def sqs() -> "SQSClient":
    return boto3.client("sqs")


def requests_queue() -> Queue:
    return Queue(sqs(), settings.requests_queue_url())


def requests_dead_letter_queue() -> Queue:
    return Queue(sqs(), settings.requests_dead_letter_queue_url())
