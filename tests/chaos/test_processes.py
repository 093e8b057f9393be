"""A function is killed, SQS delivers twice: nothing goes out twice, all comes to its end."""

import json
import os
import signal
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.calls import REACHED, put, put_on_the_queue, update
from tests.chaos.faulty import FaultyStack
from tests.chaos.invariants import settled
from tests.e2e.conftest import eventually, readable

ANSWERS_LATE = "+12065550143"
HELD_MILLISECONDS = 300_000
# No receipt is that late, however busy the machine is.
LONG_WAIT = 240


def text_to(number: str, success: str = "delivered", wait: int = LONG_WAIT) -> dict[str, Any]:
    return {
        "to": {"sms": number, "email": "ana@example.com"},
        "content": {"text": "Hello.", "subject": "Hello"},
        "steps": [
            {"channel": "sms", "wait_seconds": wait, "success": success},
            {"channel": "email"},
        ],
    }


def workers(stack: FaultyStack, function: str) -> list[int]:
    """The processes of this stack that run a function."""
    ours = f"AWS_ENDPOINT_URL={stack.faults.addresses.cloud_faults}".encode()
    named = f"AWS_SDK_UA_APP_ID={function}".encode()
    environments = {
        folder: readable(folder / "environ").split(b"\0") for folder in Path("/proc").glob("[0-9]*")
    }
    return [
        int(folder.name)
        for folder, environment in environments.items()
        if ours in environment and named in environment
    ]


def kill(stack: FaultyStack, function: str) -> None:
    killed = workers(stack, function)
    for process in killed:
        os.kill(process, signal.SIGKILL)
    assert killed


@dataclass(frozen=True)
class Moment:
    """Just before a call, which is held and never made."""

    between: str
    function: str
    call: tuple[str, str, str]
    # By which channels the message is handed over in the end.
    sent: tuple[str, ...]
    success: str = "delivered"
    wait: int = LONG_WAIT

    def __str__(self) -> str:
        return f"{self.function} {self.between}"


MOMENTS = [
    Moment(
        "between claim and send",
        "send_message",
        ("dynamodb", "Query", "ConsistentRead"),
        ("email",),
        wait=10,
    ),
    Moment(
        "between send and note",
        "send_message",
        put("starts_with(Item.pk.S, 'provider')"),
        ("sms",),
    ),
    Moment("between link and note", "send_message", update("sent_at"), ("sms",)),
    Moment(
        "between note and answer",
        "send_message",
        ("stepfunctions", "SendTaskSuccess", ""),
        ("sms",),
        success="sent",
    ),
    Moment("before its note", "record_receipt", update("delivered_at"), ("sms",)),
    Moment(
        "between note and answer",
        "record_receipt",
        ("stepfunctions", "SendTaskSuccess", ""),
        ("sms",),
    ),
    Moment("before its start", "start_delivery", ("stepfunctions", "StartExecution", ""), ("sms",)),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_function_killed_between_two_calls_sends_nothing_twice(
    stack: FaultyStack, moment: Moment
) -> None:
    name = f"order-{uuid.uuid4().hex}"
    service, operation, where = moment.call
    ours = f"contains(to_string(@), '{name}')"
    held = stack.faults.add(
        {
            "service": service,
            "operation": operation,
            "headers": {"User-Agent": f"app/{moment.function}"},
            "body": f"{ours} && {where}" if where else ours,
            "times": 1,
            "timeout_ms": HELD_MILLISECONDS,
        }
    )
    put_on_the_queue(
        stack.throughline, name, json.dumps(text_to(REACHED, moment.success, moment.wait))
    )
    eventually(lambda: held.struck)
    kill(stack, moment.function)
    assert settled(stack.throughline, [name]) == {}
    assert tuple(stack.throughline.sent(name)) == moment.sent
    assert stack.throughline.get(name).body["status"] == "delivered"


def test_a_function_killed_while_its_provider_has_the_call_sends_nothing_twice(
    stack: FaultyStack,
) -> None:
    message_id = stack.throughline.send(text_to(ANSWERS_LATE))
    eventually(lambda: stack.throughline.calls(message_id))
    kill(stack, "send_message")
    assert settled(stack.throughline, [message_id]) == {}
    assert stack.throughline.get(message_id).body["status"] == "delivered"


def test_a_request_that_sqs_delivers_twice_is_sent_once(stack: FaultyStack) -> None:
    name = f"order-{uuid.uuid4().hex}"
    for _ in range(2):
        put_on_the_queue(stack.throughline, name, json.dumps(text_to(REACHED)))
    eventually(lambda: stack.throughline.get(name).status == 200)
    assert settled(stack.throughline, [name]) == {}
    assert stack.throughline.sent(name) == ["sms"]
