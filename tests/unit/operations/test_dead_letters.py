"""`make dlq` and `make redrive`, against queues in memory."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from operations.dead_letter_queues import DEAD_LETTER_QUEUES, AwsClients
from operations.dead_letters import erase, redrive, show
from tests.support.aws import ACCOUNT, REGION, aws, event_text, sns

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

ID = "01JEXAMPLE0000000000000001"
SECRETS = ("+14255550156", "ana@example.com", "Your code is 123456.", "t" * 60)
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:close:$LATEST"


class Functions:
    """What `Invoke` was asked."""

    def __init__(self) -> None:
        self.invoked: list[dict[str, Any]] = []

    def invoke(self, **asked: Any) -> None:
        self.invoked.append(asked)


class Post:
    """The four queues, the two ways back, and what came out of them."""

    def __init__(self) -> None:
        self.queues = boto3.client("sqs")
        topic = boto3.client("sns").create_topic(Name="Receipts")["TopicArn"]
        self.outputs = {queue.output: self._queue(queue.output) for queue in DEAD_LETTER_QUEUES} | {
            "RequestsQueueUrl": self._queue("Requests"),
            "ReceiptsTopicArn": topic,
        }
        self.published = self._queue("Published")
        boto3.client("sns").subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:Published",
            Attributes={"RawMessageDelivery": "true"},
        )
        self.functions = Functions()
        clients: Any = self.queues, boto3.client("sns"), self.functions
        self.clients = AwsClients(*clients)

    def _queue(self, name: str) -> str:
        return self.queues.create_queue(QueueName=name)["QueueUrl"]

    def put(self, output: str, body: object, **attributes: str) -> str:
        """The id of a letter that now lies in the queue."""
        text = body if isinstance(body, str) else json.dumps(body)
        return self.queues.send_message(
            QueueUrl=self.outputs[output],
            MessageBody=text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )["MessageId"]

    def taken(self, url: str) -> list["MessageTypeDef"]:
        answer = self.queues.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return answer.get("Messages", [])

    def shown(self) -> str:
        return "\n".join(show(self.clients, self.outputs))

    def redriven(self) -> list[str]:
        return list(redrive(self.clients, self.outputs))


def failed(payload: object, error: str = "Unmatched", text: str = "no attempt") -> dict[str, Any]:
    """What Lambda puts into the queue for an event that its function failed on."""
    return {
        "requestContext": {"functionArn": FUNCTION, "condition": "RetriesExhausted"},
        "requestPayload": payload,
        "responsePayload": {"errorType": error, "errorMessage": text},
    }


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    monkeypatch.setattr("operations.dead_letters.POLL_SECONDS", 0)
    with aws():
        yield Post()


def test_empty_queues_are_said_to_be_empty(post: Post) -> None:
    assert [line.split(" (")[0] for line in post.shown().splitlines()] == [
        "RequestsDeadLetterQueueUrl: 0",
        "ReceiptsDeadLetterQueueUrl: 0",
        "UnrecordedReceiptsQueueUrl: 0",
        "UnclosedMessagesQueueUrl: 0",
    ]


def test_a_request_shows_its_message_and_its_reason(post: Post) -> None:
    post.put("RequestsDeadLetterQueueUrl", {}, message_id=ID, reason="InvalidName")
    assert f"{ID}  InvalidName" in post.shown()


def test_what_is_shown_stays_where_it_is(post: Post) -> None:
    post.put("RequestsDeadLetterQueueUrl", {}, message_id=ID)
    assert post.shown() == post.shown()
    assert ID in post.shown()


def test_what_is_about_a_message_is_erased_and_all_else_stays(post: Post) -> None:
    post.put("RequestsDeadLetterQueueUrl", {}, message_id=ID)
    post.put("RequestsDeadLetterQueueUrl", {}, message_id="another")
    post.put("UnrecordedReceiptsQueueUrl", failed(sns(event_text("sms_TEXT_DELIVERED"))))
    post.put(
        "UnrecordedReceiptsQueueUrl", failed(sns(event_text("sms_eventbridge_TEXT_DELIVERED")))
    )

    assert erase(post.clients, post.outputs, ID) == 2
    assert ID not in post.shown()
    assert post.shown().count("another") == 1
    assert "UnrecordedReceiptsQueueUrl: 1" in post.shown()


@pytest.mark.parametrize(("named", "erased"), [("order-7", 1), ("order-70", 0)])
def test_an_event_that_cannot_be_read_is_erased_with_the_message_it_mentions(
    post: Post, named: str, erased: int
) -> None:
    unreadable = json.dumps({"messageStatus": 1, "context": {"message_id": named}})
    post.put("UnrecordedReceiptsQueueUrl", {"requestPayload": sns(unreadable)})

    assert erase(post.clients, post.outputs, "order-7") == erased


def test_a_request_goes_back_under_the_name_it_had(post: Post) -> None:
    nameless = post.put("RequestsDeadLetterQueueUrl", {"to": {}})
    post.put("RequestsDeadLetterQueueUrl", {"message_id": ID}, message_id=ID)
    assert post.redriven()[0] == "RequestsDeadLetterQueueUrl: 2 redriven"
    back = {
        one["MessageAttributes"]["message_id"]["StringValue"]: json.loads(one["Body"])
        for one in post.taken(post.outputs["RequestsQueueUrl"])
    }
    assert back == {nameless: {"to": {}}, ID: {"message_id": ID}}
    assert "RequestsDeadLetterQueueUrl: 0" in post.shown()


@pytest.mark.parametrize(
    "event", ["sms_TEXT_DELIVERED", "ses_Delivery", "whatsapp_delivered", "whatsapp_failed_131026"]
)
def test_a_receipt_shows_its_message_and_is_published_again(post: Post, event: str) -> None:
    text = event_text(event)
    post.put("UnrecordedReceiptsQueueUrl", failed(sns(text)))
    assert f"{ID}  Unmatched no attempt" in post.shown()
    assert post.redriven()[2] == "UnrecordedReceiptsQueueUrl: 1 redriven"
    assert [one["Body"] for one in post.taken(post.published)] == [text]


def test_a_receipt_that_sns_could_not_hand_over_is_published_again(post: Post) -> None:
    text = event_text("sms_TEXT_DELIVERED")
    post.put("ReceiptsDeadLetterQueueUrl", {"Message": text}, ErrorCode="403", ErrorMessage="no")
    assert f"{ID}  403 no" in post.shown()
    post.redriven()
    assert [one["Body"] for one in post.taken(post.published)] == [text]


def test_the_end_of_an_execution_is_told_again(post: Post) -> None:
    ended = {"message_id": ID, "execution_status": "ABORTED", "started_at": 0}
    post.put("UnclosedMessagesQueueUrl", failed(ended, "ClientError", "busy"))
    assert f"{ID}  ClientError busy" in post.shown()
    post.redriven()
    assert post.functions.invoked == [
        {"FunctionName": FUNCTION, "InvocationType": "Event", "Payload": json.dumps(ended)}
    ]


def test_nothing_private_is_shown(post: Post) -> None:
    text = json.dumps({"to": SECRETS[0], "text": SECRETS[2]})
    post.put("RequestsDeadLetterQueueUrl", text, message_id=ID, reason=f"for {SECRETS[1]}")
    post.put("ReceiptsDeadLetterQueueUrl", {"Message": text}, ErrorMessage=f"to {SECRETS[0]}")
    post.put("UnrecordedReceiptsQueueUrl", failed(sns(text), text=f"token {SECRETS[3]}"))
    shown = post.shown()
    assert shown.count("\n") == 6
    assert not [secret for secret in SECRETS if secret in shown]


def test_what_comes_back_meanwhile_is_left_for_the_next_time(post: Post) -> None:
    post.put("UnclosedMessagesQueueUrl", failed({"message_id": ID}))
    put_again = post.functions.invoke

    def fails_again(**asked: Any) -> None:
        put_again(**asked)
        post.put("UnclosedMessagesQueueUrl", failed({"message_id": ID}))

    post.functions.invoke = fails_again  # type: ignore[method-assign] # a function that fails again
    assert post.redriven()[3] == "UnclosedMessagesQueueUrl: 1 redriven"
    assert len(post.functions.invoked) == 1


def test_what_comes_while_looking_is_seen_by_the_next_look(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = post.put("RequestsDeadLetterQueueUrl", "{}", reason="InvalidName")
    with monkeypatch.context() as patch:
        patch.setattr("operations.dead_letters.time.time", lambda: 0.0)
        assert message_id not in "".join(show(post.clients, post.outputs))

    assert message_id in "".join(show(post.clients, post.outputs))
