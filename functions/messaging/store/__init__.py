"""Everything that is stored about a message, in one DynamoDB table: a file per aggregate.

A status only rises in rank. Items are deleted only by DynamoDB's TTL on `retained_until`, and by
`Erasure` on request.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from messaging.store.attempts import AttemptObserver, Attempts
from messaging.store.erasure import Erasure
from messaging.store.idempotency import IdempotencyKeys
from messaging.store.messages import MessageObserver, Messages
from messaging.store.receipts import Receipts
from messaging.store.table import Table
from messaging.store.verifications import Verifications

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class StatusObserver(MessageObserver, AttemptObserver, Protocol):
    """Is called each time the status of a message or an attempt rises."""


class Store:
    """The aggregates of one table. The client is given; `retention` is how long items are kept,
    None: they are kept indefinitely, or the caller only reads.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table_name: str,
        retention: timedelta | None = None,
        observer: StatusObserver | None = None,
    ) -> None:
        table = Table(client, table_name, retention)
        self.messages = Messages(table, observer)
        self.receipts = Receipts(table)
        self.attempts = Attempts(table, self.receipts, observer)
        self.idempotency = IdempotencyKeys(table)
        self.verifications = Verifications(table)
        self.erasure = Erasure(table)
