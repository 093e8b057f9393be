"""Inventing a route on the running stack: nobody's message is changed, and nothing is sent."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tests.e2e.conftest import Throughline, eventually, execution_status

SILENT = "+14255550130"
MESSAGE = {
    "to": {"whatsapp": SILENT, "sms": SILENT},
    "content": {"text": "Hello."},
    "steps": [{"channel": "whatsapp", "wait_seconds": 600}, {"channel": "sms"}],
}


def waiting(throughline: Throughline) -> str:
    """A message that waits for its WhatsApp receipt."""
    message_id = throughline.send(MESSAGE)
    eventually(
        lambda: [one["status"] for one in throughline.get(message_id).body["attempts"]] == ["sent"]
    )
    return message_id


def invented(message_id: str) -> list[dict[str, Any]]:
    """Closes it; takes its token; sends a step early, or by another channel; a number outside."""
    nodes = [(1, "whatsapp", 600), (2, "sms", 120), (2, "whatsapp", 120), (3, "sms", 120)]
    none = {"message_id": message_id, "channel": "none"}
    return [
        none,
        *(
            {**none, "attempt": number, "channel": channel, "wait_seconds": wait, "otherwise": none}
            for number, channel, wait in [*nodes, (-1, "sms", 120)]
        ),
    ]


def stored(throughline: Throughline, message_id: str) -> Sequence[Mapping[str, Any]]:
    return throughline.table.query(
        TableName=throughline.environment["MESSAGES_TABLE"],
        KeyConditionExpression="pk = :id",
        ExpressionAttributeValues={":id": {"S": message_id}},
        ConsistentRead=True,
    )["Items"]


def start(throughline: Throughline, route: dict[str, Any]) -> str:
    name = f"invented-{uuid.uuid4().hex}"
    throughline.engine.start_execution(
        stateMachineArn=throughline.environment["STATE_MACHINE_ARN"],
        name=name,
        input=json.dumps(route),
    )
    return name


def enqueue(throughline: Throughline, route: dict[str, Any], name: str) -> None:
    throughline.queues.send_message(
        QueueUrl=throughline.environment["REQUESTS_QUEUE_URL"],
        MessageBody=json.dumps(route),
        MessageAttributes={"message_id": {"DataType": "String", "StringValue": name}},
    )


def take_dead_letters(throughline: Throughline, message_id: str, count: int) -> list[str]:
    """The reasons of the dead letters under this id, which are then deleted."""
    url = throughline.environment["REQUESTS_DEAD_LETTER_QUEUE_URL"]
    reasons: list[str] = []

    def taken() -> bool:
        answer = throughline.queues.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=1
        )
        for letter in answer.get("Messages", []):
            attributes = letter["MessageAttributes"]
            if attributes["message_id"]["StringValue"] == message_id:
                reasons.append(attributes["reason"]["StringValue"])
                throughline.queues.delete_message(
                    QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"]
                )
        return len(reasons) >= count

    eventually(taken)
    return reasons


def failed(throughline: Throughline, name: str) -> str:
    """The error of an execution that must fail."""
    execution = throughline.execution(name)
    eventually(lambda: execution_status(throughline, execution) == "FAILED")
    return throughline.engine.describe_execution(executionArn=execution)["error"]


def test_a_waiting_message_is_neither_closed_nor_sent_by_another_execution(
    throughline: Throughline,
) -> None:
    message_id = waiting(throughline)
    before = stored(throughline, message_id)
    started = [start(throughline, route) for route in invented(message_id)]
    queued = [f"invented-{uuid.uuid4().hex}" for _ in started]
    for route, name in zip(invented(message_id), queued, strict=True):
        enqueue(throughline, route, name)
        enqueue(throughline, route, message_id)

    for names in (started, queued):
        errors = [failed(throughline, name) for name in names]
        assert errors == ["InvalidRequest", *["InvalidRoute"] * (len(names) - 1)]
    reasons = take_dead_letters(throughline, message_id, len(queued))
    assert reasons == ["a different request with this id was started before"] * len(queued)
    assert stored(throughline, message_id) == before
    assert throughline.sent(message_id) == ["whatsapp"]

    [attempt] = throughline.get(message_id).body["attempts"]
    throughline.report(attempt["provider_id"], "delivered")
    assert throughline.finished(message_id)["status"] == "delivered"
    assert throughline.states(message_id) == ["Choose channel", "Send WhatsApp"]

    again = [start(throughline, route) for route in invented(message_id)]
    assert {failed(throughline, name) for name in again} == {"InvalidRequest", "InvalidRoute"}
    assert throughline.get(message_id).body["status"] == "delivered"
    assert throughline.sent(message_id) == ["whatsapp"]


def test_a_route_without_a_message_stores_no_attempt(throughline: Throughline) -> None:
    name = start(throughline, invented("order-42")[1])

    assert failed(throughline, name) == "InvalidRoute"
    message = eventually(lambda: throughline.get(name).body if stored(throughline, name) else None)
    assert (message["status"], message["reason"]) == ("undelivered", "the execution failed")
    assert message["attempts"] == []
    assert throughline.sent(name) == []


def test_an_attempt_outside_the_plan_breaks_no_reader(throughline: Throughline) -> None:
    """An earlier version stored whatever number an execution's input had."""
    message_id = waiting(throughline)
    [item] = [one for one in stored(throughline, message_id) if one["sk"]["S"] == "attempt#01"]
    for number in ("-1", "00", "03"):
        stray = {**item, "sk": {"S": f"attempt#{number}"}}
        throughline.table.put_item(TableName=throughline.environment["MESSAGES_TABLE"], Item=stray)

    answer = throughline.get(message_id)
    assert (answer.status, [one["attempt"] for one in answer.body["attempts"]]) == (200, [1])
    throughline.report(answer.body["attempts"][0]["provider_id"], "delivered")
    assert throughline.finished(message_id)["status"] == "delivered"
