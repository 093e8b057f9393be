"""Verifications, from the gateway's events to the answers: start, check, resend, cancel, read."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import check_verification
import control_verification
import read_verification
import send_message
import start_verification
from messaging.clients.queue import sqs
from messaging.codes.derivation import code_from, mac_message
from messaging.domain.content import Delivery
from messaging.store import Store
from messaging.workflow import Workflow
from tests.support.aws import CONTEXT, ENVIRONMENT, TABLE, aws
from tests.support.plans import send_event

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOST = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
QUEUE = ENVIRONMENT["REQUESTS_QUEUE_URL"]
TO = {"sms": "+14255550156", "email": "ana@example.com"}
JANUARY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PAYMENT = {"payee": "Example Books", "amount": "12.50 EUR"}


class Clock:
    """What time it is in every function."""

    def __init__(self) -> None:
        self.now = JANUARY

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class HashedMacs:
    """MACs without KMS: any function of the message will do."""

    def generate(self, message: bytes) -> bytes:
        return message[::-1]


class Provider:
    """Takes everything."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []

    def send(self, delivery: Delivery) -> str:
        self.sent.append(delivery)
        return f"provider-{delivery.attempt_id}"


class States:
    """Step Functions, which waits with every token until it is answered."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str]] = []
        none = type("None", (Exception,), {})
        names = ("TaskTimedOut", "TaskDoesNotExist")
        self.exceptions = type("Errors", (), dict.fromkeys(names, none))

    def send_task_success(self, **answer: str) -> None:
        self.answers.append((answer["taskToken"], json.loads(answer["output"])["status"]))

    def send_task_failure(self, **answer: str) -> None:
        self.answers.append((answer["taskToken"], answer["error"]))


@pytest.fixture(scope="module")
def stack() -> Iterator["DynamoDBClient"]:
    with aws():
        yield boto3.client("dynamodb")


@pytest.fixture
def table(stack: "DynamoDBClient") -> "DynamoDBClient":
    for item in stack.scan(TableName=TABLE)["Items"]:
        stack.delete_item(TableName=TABLE, Key={name: item[name] for name in ("pk", "sk")})
    queued()
    return stack


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for function in (start_verification, check_verification, control_verification):
        monkeypatch.setattr(function, "now", clock)
    monkeypatch.setattr(read_verification, "now", clock)
    monkeypatch.setattr(send_message, "now", clock)
    return clock


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> States:
    states: Any = States()
    for function in (start_verification, check_verification, control_verification, send_message):
        monkeypatch.setattr(function, "workflow", lambda: Workflow(states))
    return states


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    provider = Provider()
    monkeypatch.setattr(send_message, "channel", lambda _: provider)
    monkeypatch.setattr("messaging.clients.mac.macs", HashedMacs)
    monkeypatch.setattr(check_verification, "macs", HashedMacs)
    return provider


pytestmark = pytest.mark.usefixtures("table", "clock", "states", "provider")


def event(path: str, body: object = None, message_id: str = "", key: str = "") -> dict[str, Any]:
    return {
        "body": None if body is None else json.dumps(body),
        "headers": {"Idempotency-Key": key} if key else {},
        "resource": path,
        "pathParameters": {"id": message_id},
        "requestContext": {
            "domainName": HOST,
            "path": f"/v1{path}",
            "identity": {"apiKeyId": "caller-1"},
        },
    }


def start(**changes: Any) -> dict[str, Any]:
    request = {"to": TO, **changes}
    return start_verification.handler(event("/verifications", request), CONTEXT)


def started(**changes: Any) -> dict[str, Any]:
    answer = start(**changes)
    assert answer["statusCode"] in {200, 202}, answer
    return body_of(answer)


def check(message_id: str, code: str, key: str = "", **payment: str) -> dict[str, Any]:
    asked = event(f"/verifications/{message_id}/check", {"code": code, **payment}, message_id, key)
    return check_verification.handler(asked, CONTEXT)


def control(message_id: str, action: str) -> dict[str, Any]:
    asked = event(f"/verifications/{{id}}/{action}", None, message_id)
    return control_verification.handler(asked, CONTEXT)


def read(message_id: str) -> dict[str, Any]:
    answer = read_verification.handler(event("/verifications/{id}", None, message_id), CONTEXT)
    assert answer["statusCode"] == 200
    return body_of(answer)


def body_of(answer: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer["body"])
    return body


def queued() -> list[str]:
    """The ids of the messages in the queue; they are taken out."""
    found = []
    while received := sqs().receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10).get("Messages"):
        for one in received:
            sqs().delete_message(QueueUrl=QUEUE, ReceiptHandle=one["ReceiptHandle"])
            found.append(json.loads(one["Body"])["message_id"])
    return found


def stored() -> Store:
    return Store(boto3.client("dynamodb"), TABLE)


def sent(message_id: str, attempt: int = 1) -> None:
    """The attempt, as the workflow has it sent."""
    planned = stored().messages.history(message_id).message.plan.attempt(attempt)
    now = send_message.now()
    send_message.handler(send_event(message_id, planned, f"token {attempt}", now), CONTEXT)


def right_code(message_id: str, **payment: str) -> str:
    verification = stored().messages.history(message_id).message.verification
    assert verification
    message = mac_message(message_id, verification, payment.get("payee"), payment.get("amount"))
    mac = HashedMacs().generate(message)
    return code_from(mac, verification.length, verification.alphabet)


def wrong_code(message_id: str) -> str:
    right = right_code(message_id)
    return ("1" if right[0] == "0" else "0") + right[1:]


# ---- the whole path


def test_a_code_is_started_sent_checked_and_approved(provider: Provider, states: States) -> None:
    answer = start()
    body = body_of(answer)
    sent(body["id"])

    assert answer["statusCode"] == 202
    assert queued() == [body["id"]]
    code = right_code(body["id"])
    assert code in str(provider.sent[0].content.text)

    assert body_of(check(body["id"], wrong_code(body["id"]))) == {
        "id": body["id"],
        "status": "pending",
        "checks_left": 4,
    }
    assert body_of(check(body["id"], code))["status"] == "approved"
    assert states.answers == [("token 1", "confirmed")]
    assert read(body["id"])["status"] == "approved"
