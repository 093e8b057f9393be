"""The Step Functions engine answers callbacks and starts as AWS does."""

import json

import pytest

from tests.e2e.conftest import Throughline, eventually

SILENT = "+14255550130"


def waiting(throughline: Throughline) -> tuple[str, str]:
    """A message whose SMS is never heard of again, and the task token that its state waits with."""
    body = {"to": {"sms": SILENT}, "content": {"text": "Hello."}, "steps": [{"channel": "sms"}]}
    message_id = throughline.send(body)

    def look() -> str | None:
        key = {"pk": {"S": message_id}, "sk": {"S": "attempt#01"}}
        found = throughline.table.get_item(
            TableName=throughline.environment["MESSAGES_TABLE"], Key=key
        )
        return found.get("Item", {}).get("task_token", {}).get("S")

    return message_id, eventually(look)


def test_the_first_answer_counts(throughline: Throughline) -> None:
    message_id, token = waiting(throughline)
    engine = throughline.engine
    engine.send_task_failure(taskToken=token, error="Failed", cause="the phone is off")
    with pytest.raises(engine.exceptions.TaskTimedOut):
        engine.send_task_success(taskToken=token, output="{}")
    assert throughline.finished(message_id)["status"] == "undelivered"


def test_the_cause_of_a_failure_is_kept(throughline: Throughline) -> None:
    message_id, token = waiting(throughline)
    throughline.engine.send_task_failure(taskToken=token, error="Failed", cause="the phone is off")
    throughline.finished(message_id)
    events = throughline.engine.get_execution_history(
        executionArn=throughline.execution(message_id)
    )["events"]
    failed = [event["taskFailedEventDetails"] for event in events if event["type"] == "TaskFailed"]
    assert [(one["error"], one["cause"]) for one in failed] == [("Failed", "the phone is off")]


def test_an_unknown_token_is_invalid(throughline: Throughline) -> None:
    engine = throughline.engine
    with pytest.raises(engine.exceptions.InvalidToken):
        engine.send_task_success(taskToken="nobody waits with this", output="{}")


def test_a_nameless_start_gets_a_name_of_its_own(throughline: Throughline) -> None:
    started = [
        throughline.engine.start_execution(
            stateMachineArn=throughline.environment["STATE_MACHINE_ARN"],
            input=json.dumps({"channel": "invalid", "cause": "for a test"}),
        )["executionArn"]
        for _ in range(2)
    ]
    assert started[0] != started[1]
    assert not any(arn.endswith(":None") for arn in started)
