"""`make dlq` and `make redrive`: what could not be done, why, and how it gets its next chance.

It shows which message, when and why; never an address, a text or a task token.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import boto3

from operations import stack

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# Long enough to list and to put back; what is only looked at becomes visible again at once.
HELD_SECONDS = 60
# A long poll asks every server of the queue, a short one only some.
POLL_SECONDS = 1
SHOWN = 100
LONGEST_REASON = 160
# The fields in which providers return the attempt id; Meta's is in a JSON text inside the event.
_ECHO = re.compile(
    r'(?:message_id|biz_opaque_callback_data)[\\"]*\s*:\s*\[?\s*[\\"]*([0-9A-Za-z_-]{1,80})'
)
_PRIVATE = re.compile(r"\S+@\S+|\+?\d[\d -]{6,}|[\w+/=-]{40,}")


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
class AwsClients:
    queues: "SQSClient"
    topics: "SNSClient"
    functions: "LambdaClient"

    @classmethod
    def made(cls) -> Self:
        return cls(boto3.client("sqs"), boto3.client("sns"), boto3.client("lambda"))


def main() -> None:
    command = {"show": show, "redrive": redrive}[sys.argv[1]]
    stack.tell(lambda: command(AwsClients.made(), stack.outputs()))


def show(clients: AwsClients, outputs: Mapping[str, str]) -> Iterator[str]:
    """A line for each queue, and one for each of its letters; they stay where they are."""
    for kind in KINDS:
        letters = list(_letters(clients.queues, outputs[kind.output], SHOWN))
        for letter in letters:
            _let_go(clients.queues, letter)
        more = f", the first {SHOWN}" if len(letters) == SHOWN else ""
        yield f"{kind.output}: {len(letters)}{more} ({kind.holds})"
        for letter in sorted(letters, key=lambda one: one.at):
            yield f"  {letter.at:%Y-%m-%d %H:%M:%S}  {kind.message_id(letter)}  {kind.why(letter)}"


def redrive(clients: AwsClients, outputs: Mapping[str, str]) -> Iterator[str]:
    """Puts every letter back where it came from, and only then takes it off its queue."""
    for kind in KINDS:
        count = 0
        for letter in _letters(clients.queues, outputs[kind.output]):
            kind.put_back(clients, outputs, letter)
            clients.queues.delete_message(QueueUrl=letter.queue_url, ReceiptHandle=letter.handle)
            count += 1
        yield f"{kind.output}: {count} put back"


def erase(clients: AwsClients, outputs: Mapping[str, str], message_id: str) -> int:
    """How many letters about a message there were; they are gone, all others stay."""
    count = 0
    for kind in KINDS:
        for letter in list(_letters(clients.queues, outputs[kind.output])):
            if kind.message_id(letter) == message_id:
                clients.queues.delete_message(
                    QueueUrl=letter.queue_url, ReceiptHandle=letter.handle
                )
                count += 1
            else:
                _let_go(clients.queues, letter)
    return count


def _letters(queues: "SQSClient", url: str, limit: int | None = None) -> Iterator[DeadLetter]:
    """What lies in the queue now; what comes back meanwhile is left for the next time."""
    started, given = time.time(), 0
    while limit is None or given < limit:
        messages = queues.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HELD_SECONDS,
            WaitTimeSeconds=POLL_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        letters = [DeadLetter.of(url, message) for message in messages]
        old = [letter for letter in letters if letter.at.timestamp() <= started]
        for young in letters:
            if young not in old:
                _let_go(queues, young)
        if not old:
            return
        given += len(old)
        yield from old


def _let_go(queues: "SQSClient", letter: DeadLetter) -> None:
    """It stays in its queue, and whoever looks next sees it."""
    queues.change_message_visibility(
        QueueUrl=letter.queue_url, ReceiptHandle=letter.handle, VisibilityTimeout=0
    )


# ---- the four kinds


@dataclass(frozen=True)
class DeadLetterQueue:
    """What lies in one of the queues, how it is read, and how it is put back."""

    output: str
    holds: str
    message_id: Callable[[DeadLetter], str]
    why: Callable[[DeadLetter], str]
    put_back: Callable[[AwsClients, Mapping[str, str], DeadLetter], None]


def _request_id(letter: DeadLetter) -> str:
    """Its execution's name: a request that has no name yet goes by that of its queue message."""
    return letter.attributes.get("message_id") or letter.sqs_id


def _why_not_started(letter: DeadLetter) -> str:
    return _bare(letter.attributes.get("reason") or "not started in time: see start_delivery's log")


def _start_again(clients: AwsClients, outputs: Mapping[str, str], letter: DeadLetter) -> None:
    """Under the same name, so that one which was started after all is not started twice."""
    name = _request_id(letter)
    clients.queues.send_message(
        QueueUrl=outputs["RequestsQueueUrl"],
        MessageBody=letter.body,
        MessageAttributes={"message_id": {"DataType": "String", "StringValue": name}},
    )


def _receipt_id(letter: DeadLetter) -> str:
    echo = _ECHO.search(" ".join(_events(letter)))
    return echo.group(1) if echo else "no message's id in it"


def _events(letter: DeadLetter) -> list[str]:
    """The providers' events in it, whether SNS has put it there or Lambda."""
    envelope = json.loads(letter.body)
    records = envelope.get("requestPayload", {}).get("Records") or [{"Sns": envelope}]
    return [record["Sns"]["Message"] for record in records]


def _why_not_handed_over(letter: DeadLetter) -> str:
    code, text = (letter.attributes.get(name, "") for name in ("ErrorCode", "ErrorMessage"))
    return _bare(f"{code} {text}".strip() or "SNS does not say why")


def _why_it_failed(letter: DeadLetter) -> str:
    answer = json.loads(letter.body).get("responsePayload") or {}
    return _bare(f"{answer.get('errorType', '')} {answer.get('errorMessage', '')}".strip())


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


KINDS = (
    DeadLetterQueue(
        output="RequestsDeadLetterQueueUrl",
        holds="requests that could not be started",
        message_id=_request_id,
        why=_why_not_started,
        put_back=_start_again,
    ),
    DeadLetterQueue(
        output="ReceiptsDeadLetterQueueUrl",
        holds="receipts that SNS could not hand over",
        message_id=_receipt_id,
        why=_why_not_handed_over,
        put_back=_publish_again,
    ),
    DeadLetterQueue(
        output="UnrecordedReceiptsQueueUrl",
        holds="receipts that could not be recorded",
        message_id=_receipt_id,
        why=_why_it_failed,
        put_back=_publish_again,
    ),
    DeadLetterQueue(
        output="UnclosedMessagesQueueUrl",
        holds="ends of executions whose message could not be closed",
        message_id=_execution_name,
        why=_why_it_failed,
        put_back=_close_again,
    ),
)


def _bare(reason: str) -> str:
    """One line without anything that looks like an address, a number or a token."""
    line = " ".join(_PRIVATE.sub("…", reason).split())
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}…"


if __name__ == "__main__":
    main()
