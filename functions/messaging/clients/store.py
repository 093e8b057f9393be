"""The store of a deployed function."""

from functools import cache

import boto3

from messaging import settings
from messaging.metrics import StatusMetrics
from messaging.store import Store
from messaging.store.table import UNVALIDATED


@cache
def store() -> Store:
    client = boto3.client("dynamodb", config=UNVALIDATED)
    return Store(client, settings.messages_table(), settings.retention(), StatusMetrics())


@cache
def store_to_read() -> Store:
    """For functions that only read, and so have no setting for the retention."""
    return Store(boto3.client("dynamodb", config=UNVALIDATED), settings.messages_table())
