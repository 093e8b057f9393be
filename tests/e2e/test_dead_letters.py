"""A message in a dead-letter queue is shown, redriven and then processed."""

import json
import os
import re
import subprocess
import sys
import uuid
from typing import Any

from tests.e2e.conftest import ROOT, Throughline, eventually

# The provider's call fails with a 500, so the attempt waits without a provider id.
UNCONFIRMED = "+14255550145"
REACHED = "+12065550104"


def text_to(number: str) -> dict[str, Any]:
    return {"to": {"sms": number}, "content": {"text": "Hello."}, "steps": [{"channel": "sms"}]}


def operate(throughline: Throughline, command: str) -> str:
    """What `make dlq` or `make redrive` prints in a shell that points to the stack."""
    return subprocess.run(
        [sys.executable, "-m", "operations.dead_letters", command],
        cwd=ROOT,
        env={**os.environ, **throughline.environment, "PYTHONPATH": "functions"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_request_that_is_put_back_is_delivered(throughline: Throughline) -> None:
    queued = throughline.queues.send_message(
        QueueUrl=throughline.environment["REQUESTS_DEAD_LETTER_QUEUE_URL"],
        MessageBody=json.dumps(text_to(REACHED)),
    )["MessageId"]
    shown = operate(throughline, "show")
    assert f"{queued}  not started" in shown
    assert REACHED not in shown
    assert "RequestsDeadLetterQueueUrl: 1 redriven" in operate(throughline, "redrive")
    assert throughline.finished(queued)["status"] == "delivered"


def test_a_receipt_without_its_message_is_kept_until_it_can_be_recorded(
    throughline: Throughline,
) -> None:
    name = f"order-{uuid.uuid4().hex}"
    throughline.publish("sms_TEXT_DELIVERED", name)
    eventually(lambda: name in operate(throughline, "show"))
    throughline.engine.start_execution(
        stateMachineArn=throughline.environment["STATE_MACHINE_ARN"],
        name=name,
        input=json.dumps(text_to(UNCONFIRMED)),
    )
    eventually(lambda: throughline.get(name).body.get("attempts"))
    assert re.search(
        r"UnrecordedReceiptsQueueUrl: [1-9]\d* redriven", operate(throughline, "redrive")
    )
    assert throughline.finished(name)["status"] == "delivered"
    assert name not in operate(throughline, "show")
