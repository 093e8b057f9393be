"""A function is killed, SQS delivers twice: nothing goes out twice, all comes to its end."""

import json
import os
import signal
import uuid
from pathlib import Path
from typing import Any

from tests.chaos.faulty import FaultyStack
from tests.chaos.invariants import settled
from tests.local.conftest import eventually, readable

REACHED = "+12065550104"
ANSWERS_LATE = "+12065550143"


def text_to(number: str) -> dict[str, Any]:
    return {
        "to": {"sms": number, "email": "ana@example.com"},
        "content": {"text": "Hello.", "subject": "Hello"},
        "steps": [{"channel": "sms", "wait_seconds": 10}, {"channel": "email"}],
    }


def workers(stack: FaultyStack, handler: str) -> list[int]:
    """The processes of this stack that run a function."""
    ours = f"http://127.0.0.1:{stack.faults.addresses.base_port + 3}".encode()
    environments = {folder: readable(folder / "environ") for folder in Path("/proc").glob("[0-9]*")}
    return [
        int(folder.name)
        for folder, environment in environments.items()
        if ours in environment and handler.encode() in environment
    ]


def test_a_function_killed_during_its_call_sends_nothing_twice(stack: FaultyStack) -> None:
    message_id = stack.throughline.send(text_to(ANSWERS_LATE))
    eventually(lambda: stack.throughline.calls(message_id))
    killed = workers(stack, "send_message.handler") or workers(stack, "SendMessage")
    for process in killed:
        os.kill(process, signal.SIGKILL)
    assert killed
    assert settled(stack.throughline, [message_id]) == {}
    assert stack.throughline.get(message_id).body["status"] == "delivered"


def test_a_request_that_sqs_delivers_twice_is_sent_once(stack: FaultyStack) -> None:
    name = f"order-{uuid.uuid4().hex}"
    for _ in range(2):
        stack.throughline.queues.send_message(
            QueueUrl=stack.throughline.environment["REQUESTS_QUEUE_URL"],
            MessageBody=json.dumps(text_to(REACHED)),
            MessageAttributes={"message_id": {"DataType": "String", "StringValue": name}},
        )
    eventually(lambda: stack.throughline.get(name).status == 200)
    assert settled(stack.throughline, [name]) == {}
    assert stack.throughline.sent(name) == ["sms"]
