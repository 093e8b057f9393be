"""A queue of requests: adds a request, and delays its next delivery."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from messaging.domain.errors import NotQueued

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Queue:
    """The operations of Amazon SQS that requests need."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, body: str, attributes: Mapping[str, str]) -> None:
        """Raises `NotQueued` if SQS did not confirm the request."""
        try:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise NotQueued(type(error).__name__) from error

    def delay(self, messages: Sequence[tuple[str, int]]) -> None:
        """Hides up to 10 received messages, given as receipt handle and seconds. Raises `NotQueued`
        if SQS did not confirm the change: then the queue's visibility timeout applies.
        """
        entries: list[Any] = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            for number, (handle, seconds) in enumerate(messages)
        ]
        if not entries:
            return
        try:
            self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            raise NotQueued(type(error).__name__) from error
