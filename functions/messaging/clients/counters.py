"""The counters of a deployed function."""

from functools import cache

import boto3
from botocore.config import Config

from messaging import settings
from messaging.store.counters import Counters
from messaging.store.table import UNVALIDATED, Table

# Counting must not delay a code: the SDK's own ten attempts, each of up to a minute, would.
AT_ONCE = UNVALIDATED.merge(
    Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=1, read_timeout=1)
)


@cache
def counters() -> Counters:
    return Counters(Table(boto3.client("dynamodb", config=AT_ONCE), settings.messages_table()))
