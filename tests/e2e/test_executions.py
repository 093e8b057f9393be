"""Executions that end without their workflow's doing leave no message on its way for ever."""

import json
import uuid
from typing import Any

import pytest

from tests.e2e.conftest import Throughline, eventually, execution_status

SILENT = "+14255550130"
TEXT = {"to": {"sms": SILENT}, "content": {"text": "Hello."}, "steps": [{"channel": "sms"}]}


def in_progress(throughline: Throughline) -> str:
    """A message whose SMS is never heard of again."""
    message_id = throughline.send(TEXT)
    eventually(lambda: statuses(throughline.get(message_id).body) == ["sent"])
    return message_id


def statuses(message: dict[str, Any]) -> list[str]:
    return [attempt["status"] for attempt in message.get("attempts", [])]


def closed(throughline: Throughline, message_id: str) -> dict[str, Any]:
    """The message once it is final, and its attempts too: they are closed after it."""

    def look() -> dict[str, Any] | None:
        answer = throughline.get(message_id)
        message: dict[str, Any] = answer.body
        if answer.status != 200 or message["status"] in {"accepted", "in_progress"}:
            return None
        return None if "sent" in statuses(message) else message

    return eventually(look)


def test_a_stopped_execution_leaves_its_message_undelivered(throughline: Throughline) -> None:
    message_id = in_progress(throughline)
    throughline.engine.stop_execution(executionArn=throughline.execution(message_id))
    message = closed(throughline, message_id)
    assert (message["status"], message["reason"]) == ("undelivered", "the execution was stopped")
    (attempt,) = message["attempts"]
    assert (attempt["status"], attempt["reason"]) == ("timed_out", "the execution was stopped")
    assert execution_status(throughline, throughline.execution(message_id)) == "ABORTED"


def test_an_execution_that_fails_by_itself_leaves_its_message_undelivered(
    throughline: Throughline,
) -> None:
    message_id = throughline.send(TEXT | {"steps": [{"channel": "sms", "success": "sent"}]})
    throughline.finished(message_id)
    name = f"order-{uuid.uuid4().hex}"
    throughline.engine.start_execution(
        stateMachineArn=throughline.environment["STATE_MACHINE_ARN"],
        name=name,
        # A node of a route without its wait: Step Functions itself ends that in States.Runtime.
        input=json.dumps({"message_id": message_id, "attempt": 1, "channel": "sms"}),
    )
    message = closed(throughline, name)
    assert (message["status"], message["reason"]) == ("undelivered", "the execution failed")
    assert throughline.get(message_id).body["status"] == "sent"


def test_a_late_success_still_counts_after_the_stop(throughline: Throughline) -> None:
    message_id = in_progress(throughline)
    throughline.engine.stop_execution(executionArn=throughline.execution(message_id))
    provider_id = closed(throughline, message_id)["attempts"][0]["provider_id"]
    throughline.report(provider_id, "TEXT_DELIVERED")
    eventually(lambda: throughline.get(message_id).body["status"] == "delivered")
    assert throughline.get(message_id).body["reason"] is None


@pytest.mark.parametrize(
    ("end", "closes"),
    [
        ({"status": "ABORTED", "error": None}, True),
        ({"status": "ABORTED", "error": "Undelivered"}, True),
        ({"status": "TIMED_OUT", "error": "States.Timeout"}, True),
        ({"status": "FAILED", "error": "States.Runtime"}, True),
        ({"status": "FAILED", "error": "InvalidRequest"}, True),
        ({"status": "FAILED", "error": "InvalidRoute"}, True),
        ({"status": "FAILED", "error": None}, True),
        ({"status": "FAILED"}, True),
        ({"status": "FAILED", "error": "Undelivered"}, False),
        ({"status": "FAILED", "error": "Expired"}, False),
        ({"status": "SUCCEEDED", "error": None}, False),
        ({"status": "RUNNING", "error": None}, False),
    ],
)
def test_only_an_end_that_did_not_close_its_message_has_it_closed(
    throughline: Throughline, end: dict[str, str | None], *, closes: bool
) -> None:
    events = throughline.session.client(
        "events", endpoint_url=throughline.environment["AWS_ENDPOINT_URL"]
    )
    (rule,) = events.list_rules()["Rules"]
    event = {
        "id": "1",
        "account": "123456789012",
        "source": "aws.states",
        "time": "2026-01-02T03:04:05Z",
        "region": throughline.environment["AWS_REGION"],
        "resources": [],
        "detail-type": "Step Functions Execution Status Change",
        "detail": {"stateMachineArn": throughline.environment["STATE_MACHINE_ARN"], **end},
    }
    answer = events.test_event_pattern(EventPattern=rule["EventPattern"], Event=json.dumps(event))
    assert answer["Result"] == closes
