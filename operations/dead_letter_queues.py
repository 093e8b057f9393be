"""The stack's dead-letter queues: how a message in each is read, and how it is sent again."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import boto3

from messaging.channels import receipts
from messaging.domain.messages import Receipt

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MAX_REASON_LENGTH = 160
NO_ID = "no message id in it"
# A message id as the API creates it, a ULID; for an event that cannot be parsed.
_MESSAGE_ID = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJKMNP-TV-Z]{26}(?![0-9A-Za-z])")
_PRIVATE = re.compile(r"\S+@\S+|\+?\d[\d -]{6,}|[\w+/=-]{40,}")


@dataclass(frozen=True)
class AwsClients:
    """The clients that the commands use."""

    queues: "SQSClient"
    topics: "SNSClient"
    functions: "LambdaClient"

    @classmethod
    def create(cls) -> Self:
        return cls(boto3.client("sqs"), boto3.client("sns"), boto3.client("lambda"))


@dataclass(frozen=True)
class DeadLetter:
    """One message of a dead-letter queue."""

    queue_url: str
    handle: str
    sqs_id: str
    at: datetime
    body: str
    attributes: Mapping[str, str]

    @classmethod
    def of(cls, queue_url: str, message: "MessageTypeDef") -> Self:
        named = message.get("MessageAttributes", {})
        return cls(
            queue_url=queue_url,
            handle=message["ReceiptHandle"],
            sqs_id=message["MessageId"],
            at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
            body=message["Body"],
            attributes={name: one.get("StringValue", "") for name, one in named.items()},
        )


@dataclass(frozen=True)
class RedrivableQueue:
    """What one of the queues contains, how its messages are read, and how they are redriven."""

    output: str
    contains: str
    message_id: Callable[[DeadLetter], str]
    reason: Callable[[DeadLetter], str]
    redrive: Callable[[AwsClients, Mapping[str, str], DeadLetter], None]

    def is_about(self, letter: DeadLetter, message_id: str) -> bool:
        """Whether it belongs to the message; where no id can be read, whether it mentions the id,
        because a message that was started directly can have any name.
        """
        named = self.message_id(letter)
        mentioned = rf"(?<![0-9A-Za-z_-]){re.escape(message_id)}(?![0-9A-Za-z_-])"
        return named == message_id or (named == NO_ID and bool(re.search(mentioned, letter.body)))


def _request_id(letter: DeadLetter) -> str:
    """The name of its execution; a request without one is named after its SQS message."""
    return letter.attributes.get("message_id") or letter.sqs_id


def _start_failure(letter: DeadLetter) -> str:
    reason = letter.attributes.get("reason")
    return _redacted(reason or "not started in time: see start_delivery's log")


def _start_again(clients: AwsClients, outputs: Mapping[str, str], letter: DeadLetter) -> None:
    """Under the same name, so that a request which was started after all is not started twice."""
    name = _request_id(letter)
    clients.queues.send_message(
        QueueUrl=outputs["RequestsQueueUrl"],
        MessageBody=letter.body,
        MessageAttributes={"message_id": {"DataType": "String", "StringValue": name}},
    )


def _receipt_id(letter: DeadLetter) -> str:
    ids = (_message_id(event) for event in _events(letter))
    return next(filter(None, ids), NO_ID)


def _message_id(event: str) -> str | None:
    """The message that a provider's event is about, also where the event cannot be parsed."""
    for item in receipts.parse(event):
        if isinstance(item, Receipt) and item.echo:
            return item.echo.message_id
    found = _MESSAGE_ID.search(event)
    return found.group() if found else None


def _events(letter: DeadLetter) -> list[str]:
    """The providers' events in it, whether SNS or Lambda moved it to the queue."""
    envelope = json.loads(letter.body)
    records = envelope.get("requestPayload", {}).get("Records") or [{"Sns": envelope}]
    return [record["Sns"]["Message"] for record in records]


def _sns_failure(letter: DeadLetter) -> str:
    code, text = (letter.attributes.get(name, "") for name in ("ErrorCode", "ErrorMessage"))
    return _redacted(f"{code} {text}".strip() or "SNS gives no reason")


def _function_failure(letter: DeadLetter) -> str:
    response = json.loads(letter.body).get("responsePayload") or {}
    text = f"{response.get('errorType', '')} {response.get('errorMessage', '')}"
    return _redacted(text.strip())


def _publish_again(clients: AwsClients, outputs: Mapping[str, str], letter: DeadLetter) -> None:
    for event in _events(letter):
        clients.topics.publish(TopicArn=outputs["ReceiptsTopicArn"], Message=event)


def _execution_name(letter: DeadLetter) -> str:
    return str(json.loads(letter.body)["requestPayload"]["message_id"])


def _close_again(clients: AwsClients, _: Mapping[str, str], letter: DeadLetter) -> None:
    envelope: dict[str, Any] = json.loads(letter.body)
    clients.functions.invoke(
        FunctionName=envelope["requestContext"]["functionArn"],
        InvocationType="Event",
        Payload=json.dumps(envelope["requestPayload"]),
    )


def _redacted(reason: str) -> str:
    """One line without anything that looks like an address, a number or a token."""
    line = " ".join(_PRIVATE.sub("…", reason).split())
    return line if len(line) <= MAX_REASON_LENGTH else f"{line[:MAX_REASON_LENGTH]}…"


DEAD_LETTER_QUEUES = (
    RedrivableQueue(
        output="RequestsDeadLetterQueueUrl",
        contains="requests that could not be started",
        message_id=_request_id,
        reason=_start_failure,
        redrive=_start_again,
    ),
    RedrivableQueue(
        output="ReceiptsDeadLetterQueueUrl",
        contains="receipts that SNS could not deliver",
        message_id=_receipt_id,
        reason=_sns_failure,
        redrive=_publish_again,
    ),
    RedrivableQueue(
        output="UnrecordedReceiptsQueueUrl",
        contains="receipts that could not be recorded",
        message_id=_receipt_id,
        reason=_function_failure,
        redrive=_publish_again,
    ),
    RedrivableQueue(
        output="UnclosedMessagesQueueUrl",
        contains="ends of executions whose message could not be closed",
        message_id=_execution_name,
        reason=_function_failure,
        redrive=_close_again,
    ),
)
