"""An event that keeps failing is in its queue with its reason, and succeeds after a redrive."""

import json
import uuid

from tests.chaos.calls import put_on_the_queue
from tests.chaos.faulty import FaultyStack
from tests.chaos.invariants import settled
from tests.e2e.conftest import eventually
from tests.e2e.test_dead_letters import REACHED, operate, text_to

SILENT = "+14255550130"
DENIED = {"error": {"code": "AccessDeniedException", "status": 400}}


def test_an_end_that_cannot_be_noted_is_kept_and_noted_later(stack: FaultyStack) -> None:
    throughline = stack.throughline
    message_id = throughline.send(text_to(SILENT))
    eventually(lambda: throughline.sent(message_id))
    ours = f"contains(to_string(@), '{message_id}') && contains(UpdateExpression, 'concluded_at')"
    stack.faults.add({"service": "dynamodb", "operation": "UpdateItem", "body": ours, **DENIED})
    throughline.engine.stop_execution(executionArn=throughline.execution(message_id))
    (line,) = eventually(
        lambda: [one for one in operate(throughline, "show").splitlines() if message_id in one]
    )
    assert "AccessDeniedException" in line
    stack.faults.clear()
    assert "UnclosedMessagesQueueUrl: 1 redriven" in operate(throughline, "redrive")
    eventually(lambda: throughline.get(message_id).body["status"] == "undelivered")
    assert settled(throughline, [message_id]) == {}


def test_a_receipt_that_cannot_be_recorded_is_kept_and_recorded_later(stack: FaultyStack) -> None:
    throughline = stack.throughline
    name = f"order-{uuid.uuid4().hex}"
    ours = f"contains(to_string(@), '{name}')"
    recording = {"operation": "UpdateItem", "headers": {"User-Agent": "app/record_receipt"}}
    stack.faults.add({"service": "dynamodb", **recording, "body": ours, **DENIED})
    soon_over = {"steps": [{"channel": "sms", "wait_seconds": 5}]}
    put_on_the_queue(throughline, name, json.dumps(text_to(REACHED) | soon_over))
    (line,) = eventually(
        lambda: [one for one in operate(throughline, "show").splitlines() if name in one]
    )
    assert "AccessDeniedException" in line
    assert settled(throughline, [name]) == {}
    stack.faults.clear()
    operate(throughline, "redrive")
    eventually(lambda: throughline.get(name).body["status"] == "delivered")
    assert throughline.sent(name) == ["sms"]
