"""Sends the first message of `make run`, follows its execution, and checks the result."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from local.addresses import CREDENTIALS, Addresses
from local.deploy import Deployment
from local.http_client import http_client
from local.processes import until

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import HistoryEventTypeDef

# A fictitious recipient with a phone number that is not on WhatsApp.
RECIPIENT = "+14255550156"
REQUEST = {
    "to": {"whatsapp": RECIPIENT, "sms": RECIPIENT},
    "content": {"text": "Your table for two is booked for eight o'clock."},
    "steps": [{"channel": "whatsapp"}, {"channel": "sms"}],
}
# Its own senders: the stack may have none, or one that sends templates only.
SENDERS = {
    "whatsapp": "phone-number-id-00000000000000000000000000000001",
    "sms": "+12065550100",
}
NOT_ON_WHATSAPP = "131026"
WITH_A_FALLBACK = ["Choose channel", "Send WhatsApp", "Fall back", "Send SMS"]
SECONDS_TO_ARRIVE = 60


@dataclass(frozen=True)
class ExecutionEvent:
    """An event of the execution: a state was entered, or an attempt ended."""

    at: datetime
    text: str
    state_entered: bool = False
    succeeded: bool = False


@dataclass(frozen=True)
class FirstMessage:
    """A message that the API accepted."""

    message_id: str
    at: datetime


def send(deployment: Deployment) -> FirstMessage:
    at = datetime.now(UTC)
    body = json.dumps(REQUEST | {"from": SENDERS}).encode()
    response = call_api(deployment, deployment.api_url, body)
    return FirstMessage(response["id"], at)


def call_api(deployment: Deployment, url: str, body: bytes | None = None) -> dict[str, Any]:
    """The JSON response to a GET, or to a POST of the body.

    Raises httpx.HTTPStatusError for a response that is an error.
    """
    headers = {"X-Api-Key": deployment.api_key, "Content-Type": "application/json"}
    method = "GET" if body is None else "POST"
    response = http_client().request(method, url, content=body, headers=headers)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def follow(
    addresses: Addresses, deployment: Deployment, message: FirstMessage
) -> Iterator[ExecutionEvent]:
    """Yields the events of the execution until it has ended, for a minute at most."""
    engine = engine_client(addresses)
    machine = deployment.outputs["StateMachineArn"]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{message.message_id}"
    seen = 0
    for _ in until(SECONDS_TO_ARRIVE, step=0.1):
        events = history(engine, execution)
        yield from read_events(events[seen:])
        seen = len(events)
        if events and events[-1]["type"] in {"ExecutionSucceeded", "ExecutionFailed"}:
            return


def engine_client(addresses: Addresses) -> "SFNClient":
    return boto3.client(
        "stepfunctions",
        endpoint_url=addresses.engine,
        region_name=CREDENTIALS["AWS_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def history(engine: "SFNClient", execution: str) -> "Sequence[HistoryEventTypeDef]":
    try:
        return engine.get_execution_history(executionArn=execution)["events"]
    except engine.exceptions.ExecutionDoesNotExist:
        return []  # the request is still in the queue


def read_events(events: "Sequence[HistoryEventTypeDef]") -> Iterator[ExecutionEvent]:
    for event in events:
        at = event["timestamp"]
        if entered := event.get("stateEnteredEventDetails"):
            yield ExecutionEvent(at, entered["name"], state_entered=True)
        elif failed := event.get("taskFailedEventDetails"):
            yield ExecutionEvent(at, f"{failed['error'].lower()}: {failed.get('cause', '')}")
        elif event["type"] == "TaskTimedOut":
            yield ExecutionEvent(at, "no receipt in time")
        elif success := event.get("taskSucceededEventDetails"):
            yield ExecutionEvent(at, json.loads(success["output"])["status"], succeeded=True)


def fell_back_to_sms(states: Sequence[str], message: dict[str, Any]) -> bool:
    """Whether WhatsApp failed with 131026 and SMS then delivered, by the execution and the API."""
    attempts = [(one["channel"], one["status"]) for one in message["attempts"]]
    return (
        states == WITH_A_FALLBACK
        and attempts == [("whatsapp", "failed"), ("sms", "delivered")]
        and NOT_ON_WHATSAPP in message["attempts"][0]["reason"]
        and message["status"] == "delivered"
    )
