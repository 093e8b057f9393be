"""The three doors of one request: the API, the requests queue, a direct StartExecution."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

import accept_message
import start_delivery
from messaging.domain.errors import Refused
from messaging.domain.messages import Message
from messaging.domain.plan import Plan
from messaging.domain.statuses import MessageStatus
from messaging.starts import MAX_DIRECT_BYTES
from tests.support.aws import CONTEXT, ENVIRONMENT
from tests.workflow.conftest import REQUEST, Flow, until

PLANNED_FIRST = ["Choose channel", "Plan message", "Choose channel"]
VALID: dict[str, Any] = {
    "to": REQUEST["to"],
    "content": {"text": "Your code is 123456."},
    "steps": [{"channel": "whatsapp", "wait_seconds": 45}, {"channel": "sms"}],
}
SAMPLE: dict[str, Any] = {
    "use_case": "fallback",
    "fallback_seconds": "60",
    "pc": {
        "channel": "whatsapp",
        "sender": "+12065550101",
        "recipient": "+14255550156",
        "whatsapp": {"message": "Your order is on its way."},
    },
    "fc": {
        "channel": "sms",
        "sender": "+12065550100",
        "recipient": "+14255550156",
        "sms": {
            "message": "Your order is on its way.",
            "message_type": "TRANSACTIONAL",
            "configuration_set": "theirs",
        },
    },
}


def post(body: object) -> dict[str, Any]:
    event = {"body": json.dumps(body), "headers": {}, "requestContext": {}}
    answer = accept_message.handler(event, CONTEXT)
    accepted: dict[str, Any] = json.loads(answer["body"])
    assert answer["statusCode"] == 202, accepted
    return accepted


def run_the_queue() -> list[str]:
    """What the event source mapping does: the queue's messages to the starter."""
    queue = ENVIRONMENT["REQUESTS_QUEUE_URL"]
    sqs = boto3.client("sqs")
    received = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )["Messages"]
    records = [
        {
            "messageId": one["MessageId"],
            "body": one["Body"],
            "messageAttributes": {
                name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
                for name, value in one.get("MessageAttributes", {}).items()
            },
        }
        for one in received
    ]
    assert start_delivery.handler({"Records": records}, CONTEXT) == {"batchItemFailures": []}
    for one in received:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    return [one["MessageId"] for one in received]


def test_a_message_from_the_api_is_planned_already(flow: Flow) -> None:
    flow.follow(post(VALID)["id"])
    run_the_queue()
    flow.receive("whatsapp_delivered")

    assert flow.finish() == ("SUCCEEDED", ["Choose channel", "Send WhatsApp"])


def test_the_execution_of_an_api_message_holds_no_address_and_no_text(flow: Flow) -> None:
    flow.follow(post(VALID)["id"])
    run_the_queue()
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)
    flow.finish()

    history = json.dumps(flow.events(), default=str)
    assert "4255550156" not in history
    assert "123456." not in history


def set_aside() -> list[tuple[str, dict[str, str]]]:
    """Takes what lies in the dead-letter queue: each body with its attributes."""
    queue, url = boto3.client("sqs"), ENVIRONMENT["REQUESTS_DEAD_LETTER_QUEUE_URL"]
    answer = queue.receive_message(QueueUrl=url, MessageAttributeNames=["All"])
    for kept in answer.get("Messages", []):
        queue.delete_message(QueueUrl=url, ReceiptHandle=kept["ReceiptHandle"])
    return [
        (
            kept["Body"],
            {name: one["StringValue"] for name, one in kept["MessageAttributes"].items()},
        )
        for kept in answer.get("Messages", [])
    ]


def test_a_request_delivered_twice_by_the_queue_starts_once(flow: Flow) -> None:
    flow.follow(post(VALID)["id"])
    planned = {"stringValue": flow.message_id, "dataType": "String"}
    run_the_queue()
    body = flow.describe()["input"]
    again = {"messageId": "another", "body": body, "messageAttributes": {"message_id": planned}}
    running = start_delivery.handler({"Records": [again]}, CONTEXT)
    flow.receive("whatsapp_delivered")
    flow.finish()
    ended = start_delivery.handler({"Records": [again]}, CONTEXT)

    assert running == ended == {"batchItemFailures": []}
    assert len(flow.whatsapp.sent) == 1
    assert not set_aside()


@pytest.mark.parametrize("ended", [True, False])
def test_another_request_under_the_same_id_is_set_aside_with_its_reason(
    flow: Flow, *, ended: bool
) -> None:
    flow.follow(post(VALID)["id"])
    run_the_queue()
    if ended:
        flow.receive("whatsapp_delivered")
        flow.finish()
    planned = {"stringValue": flow.message_id, "dataType": "String"}
    other = {"messageId": "q2", "body": '{"to": {}}', "messageAttributes": {"message_id": planned}}
    for _ in range(2):  # as it comes again after a redrive
        answer = start_delivery.handler({"Records": [other]}, CONTEXT)
        assert answer == {"batchItemFailures": []}
        assert set_aside() == [
            (
                '{"to": {}}',
                {
                    "message_id": flow.message_id,
                    "reason": "a different request with this id was started before",
                },
            )
        ]


def test_a_request_that_is_too_large_is_set_aside_with_its_size(flow: Flow) -> None:
    body = json.dumps({**VALID, "metadata": {"x": "é" * 131_072}}, ensure_ascii=False)
    record = {"messageId": "m-too-large", "body": body, "messageAttributes": {}}
    answer = start_delivery.handler({"Records": [record]}, CONTEXT)

    assert answer == {"batchItemFailures": []}
    [(kept, told)] = set_aside()
    size = len(body.encode())
    assert (kept, told["reason"]) == (
        body,
        f"the request has {size} bytes; the maximum is 261120",
    )
    assert not flow.whatsapp.sent


def test_a_lone_surrogate_is_started_or_set_aside_but_does_not_come_again(flow: Flow) -> None:
    raw = {"messageId": "m-raw", "body": '{"text": "\ud800"}', "messageAttributes": {}}
    escaped = {"messageId": "m-escaped", "body": r'{"text": "\ud800"}', "messageAttributes": {}}
    answer = start_delivery.handler({"Records": [raw, escaped]}, CONTEXT)

    assert answer == {"batchItemFailures": []}
    assert not flow.whatsapp.sent


def test_a_request_in_the_queue_is_planned_by_the_workflow(flow: Flow) -> None:
    boto3.client("sqs").send_message(
        QueueUrl=ENVIRONMENT["REQUESTS_QUEUE_URL"], MessageBody=json.dumps(VALID)
    )
    [message_id] = run_the_queue()
    flow.follow(message_id)
    until(lambda: flow.whatsapp.sent)
    flow.receive("whatsapp_delivered")

    assert flow.finish() == ("SUCCEEDED", [*PLANNED_FIRST, "Send WhatsApp"])


def test_what_is_no_request_is_set_aside_with_its_reason(flow: Flow) -> None:
    record = {"messageId": "m-not-json", "body": "hello", "messageAttributes": {}}
    answer = start_delivery.handler({"Records": [record]}, CONTEXT)

    assert answer == {"batchItemFailures": []}
    assert not flow.whatsapp.sent
    assert set_aside() == [
        ("hello", {"message_id": "m-not-json", "reason": "InvalidExecutionInput"})
    ]


def test_a_direct_start_is_planned_first(flow: Flow) -> None:
    flow.execute(VALID)
    until(lambda: flow.whatsapp.sent)
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    sends = ["Send WhatsApp", "Fall back", "Send SMS"]
    assert flow.finish() == ("SUCCEEDED", [*PLANNED_FIRST, *sends])
    assert flow.history().message.plan.attempts[1].wait_seconds == 120
    assert flow.sms.sent[0].content.text == "Your code is 123456."


INVALID: list[tuple[object, str]] = [
    ({}, "/steps"),
    ([], ""),
    ("hello", ""),
    ({**VALID, "steps": []}, "/steps"),
    ({**VALID, "steps": [{"channel": "pigeon"}]}, "/steps/0/channel"),
    ({**VALID, "channel": "sms"}, "/channel"),
    ({**VALID, "to": {}}, "/to/whatsapp"),
    ({"channel": "sms"}, "/steps"),
    ({"channel": "pigeon", "message_id": "m1"}, "/steps"),
    ({"channel": "none", "message_id": "m1"}, "/steps"),
    ({**VALID, "content": {"text": "x\ud800"}}, "/content/text"),
    ({**VALID, "metadata": {"\udfff": "x"}}, "/metadata/\ufffd"),
]


@pytest.mark.parametrize(("request_", "pointer"), INVALID)
def test_an_invalid_direct_start_ends_with_its_reasons(
    flow: Flow, request_: object, pointer: str
) -> None:
    flow.execute(request_)

    assert flow.finish() == ("FAILED", [*PLANNED_FIRST, "Invalid request"])
    assert flow.describe()["error"] == "InvalidRequest"
    pointers = [one["pointer"] for one in json.loads(flow.describe()["cause"])["errors"]]
    assert pointer in pointers
    assert flow.history().message.status is MessageStatus.REJECTED


def test_a_step_that_fails_at_once_leaves_its_time_to_the_next(flow: Flow) -> None:
    flow.whatsapp.script = [Refused("ValidationException")]
    steps = [{"channel": "whatsapp", "wait_seconds": 60}, {"channel": "sms"}]
    flow.execute({**VALID, "steps": steps, "expires_in_seconds": 60})
    until(lambda: flow.sms.sent)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    sends = ["Send WhatsApp", "Fall back", "Send SMS"]
    assert flow.finish() == ("SUCCEEDED", [*PLANNED_FIRST, *sends])
    assert [one.wait_seconds for one in flow.history().message.plan.attempts] == [60, 60]
    assert 50 < flow.sms.sent[0].valid_seconds < 60


def test_the_id_of_a_message_that_was_rejected_is_not_planned_again(flow: Flow) -> None:
    now = datetime.now(UTC)
    rejected = Message(flow.message_id, now, Plan(), status=MessageStatus.REJECTED)
    flow.store.messages.add(rejected)
    flow.execute(VALID)

    assert flow.finish() == ("FAILED", [*PLANNED_FIRST, "Invalid request"])
    assert "is the id of a message that is rejected" in flow.describe()["cause"]


def _with_size(size: int) -> dict[str, Any]:
    """A request whose JSON has so many bytes."""
    body = {**VALID, "content": {"text": "Hi", "html": ""}}
    return {**body, "content": {"text": "Hi", "html": "x" * (size - len(json.dumps(body)))}}


def test_the_largest_direct_start_is_delivered(flow: Flow) -> None:
    flow.execute(_with_size(MAX_DIRECT_BYTES))
    until(lambda: flow.whatsapp.sent)
    flow.receive("whatsapp_delivered")

    assert flow.finish() == ("SUCCEEDED", [*PLANNED_FIRST, "Send WhatsApp"])


def test_a_direct_start_near_256_kib_is_rejected_in_words(flow: Flow) -> None:
    flow.execute(_with_size(262_100))
    rejected = ["Reject large request", "Choose channel", "Invalid request"]

    assert flow.finish() == ("FAILED", ["Choose channel", "Plan message", *rejected])
    [problem] = json.loads(flow.describe()["cause"])["errors"]
    detail = "is too large; the maximum for a direct start is 261120 bytes"
    assert problem == {"pointer": "", "detail": detail}
    assert flow.history().message.status is MessageStatus.REJECTED
    assert flow.history().message.problems == (problem,)


def test_a_name_that_cannot_be_a_message_id_is_refused(flow: Flow) -> None:
    flow.execute(VALID, name=f"{flow.message_id}.with.dots")

    assert flow.finish()[1] == [*PLANNED_FIRST, "Invalid request"]
    assert "the execution's name" in flow.describe()["cause"]


def test_the_body_of_the_sample_falls_back(flow: Flow) -> None:
    flow.follow(post(SAMPLE)["id"])
    run_the_queue()
    flow.receive("whatsapp_failed_131026")
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    assert flow.finish() == (
        "SUCCEEDED",
        ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"],
    )
    [whatsapp], [sms] = flow.whatsapp.sent, flow.sms.sent
    assert (whatsapp.to, whatsapp.valid_seconds) == ("+14255550156", 60)
    assert (sms.sender, sms.content.text) == ("+12065550100", "Your order is on its way.")


def test_the_body_of_the_sample_broadcasts(flow: Flow) -> None:
    flow.follow(post({**SAMPLE, "use_case": "broadcast"})["id"])
    run_the_queue()
    flow.receive("whatsapp_delivered", attempt=1)
    flow.receive("sms_TEXT_DELIVERED", attempt=2)

    status, entered = flow.finish()
    assert (status, entered[:2]) == ("SUCCEEDED", ["Choose channel", "Broadcast"])
    assert flow.output()["outcomes"]["email"]["status"] == "not_requested"
