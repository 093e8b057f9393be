"""`POST /v1/messages/{id}/confirm`, `/advance` and `/cancel`: what each is answered."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import control_message
import read_message
from messaging.api import requests
from messaging.domain.messages import AttemptId
from messaging.domain.statuses import MessageStatus
from messaging.store import Store
from tests.support.aws import CONTEXT, TABLE, aws
from tests.support.ports import RecordedStates
from tests.support.request_cases import SENDERS, VALID

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

START = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
WAITS = {"whatsapp": 45, "sms": 120, "email": 300}
MESSAGE_ID = "01KB3Q4Y9V6Z8M2N7R5T1W0XCD"
BODIES: dict[str, object] = {"confirm": {}, "advance": {"step": 1}, "cancel": {}}


@pytest.fixture(scope="module")
def stack() -> Iterator["DynamoDBClient"]:
    with aws():
        yield boto3.client("dynamodb")


@pytest.fixture
def store(stack: "DynamoDBClient") -> Store:
    """A store with one message, whose first attempt was claimed."""
    for item in stack.scan(TableName=TABLE)["Items"]:
        key = {name: item[name] for name in ("pk", "sk")}
        stack.delete_item(TableName=TABLE, Key=key)
    store = Store(stack, TABLE)
    request = requests.check(VALID, SENDERS)
    store.messages.add(request.message(MESSAGE_ID, START, WAITS), request.document)
    store.attempts.claim(AttemptId(MESSAGE_ID, 1), "whatsapp", "token 1", START)
    return store


@pytest.fixture(autouse=True)
def states(monkeypatch: pytest.MonkeyPatch) -> RecordedStates:
    states = RecordedStates()
    monkeypatch.setattr(control_message, "workflow", lambda: states)
    return states


def post(action: str, body: object = None, message_id: str = MESSAGE_ID) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(BODIES[action] if body is None else body)
    event = {
        "resource": f"/messages/{{id}}/{action}",
        "pathParameters": {"id": message_id},
        "body": text,
    }
    return control_message.handler(event, CONTEXT)


def document(answer: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer["body"])
    return body


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("action", BODIES)
def test_the_answer_is_the_message_as_it_is_read(action: str) -> None:
    for _ in range(2):
        answer = post(action)
        read = read_message.handler({"pathParameters": {"id": MESSAGE_ID}}, CONTEXT)

        assert answer == read
        assert answer["statusCode"] == 200


@pytest.mark.usefixtures("store")
def test_an_empty_body_is_an_empty_object() -> None:
    assert post("confirm", "")["statusCode"] == 200
    assert document(post("advance", ""))["errors"] == [
        {"pointer": "/step", "detail": "is required"}
    ]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("end", ["", "/", "%2F"])
def test_a_body_may_come_in_base64_and_a_path_with_a_slash(end: str) -> None:
    event = {
        "path": f"/v1/messages/{MESSAGE_ID}/advance{end}",
        "resource": "/messages/{id}/advance",
        "pathParameters": {"id": MESSAGE_ID},
        "body": base64.b64encode(b'{"step": 1}').decode(),
        "isBase64Encoded": True,
    }

    assert control_message.handler(event, CONTEXT)["statusCode"] == 200


@pytest.mark.parametrize(
    ("action", "body", "problem"),
    [
        ("confirm", {"reason": "none"}, ("/reason", "is not a valid field")),
        ("cancel", {"step": 1}, ("/step", "is not a valid field")),
        ("advance", {"step": "1"}, ("/step", "must be an integer")),
        ("advance", {"step": True}, ("/step", "must be an integer")),
        ("advance", {"step": None}, ("/step", "must not be null")),
        ("advance", {"steps": 1}, ("/steps", "is not a valid field; did you mean `step`?")),
        ("advance", {"step": 0}, ("/step", "is 0; it must be from 1 to 3")),
        ("advance", {"step": 10**30}, ("/step", f"is {10**30}; it must be from 1 to 3")),
        ("advance", [], ("", "must be an object")),
    ],
)
def test_an_invalid_body_changes_nothing_and_its_field_is_named(
    store: Store, states: RecordedStates, action: str, body: object, problem: tuple[str, str]
) -> None:
    answer = post(action, body)

    assert answer["statusCode"] == 400
    assert problem in [(one["pointer"], one["detail"]) for one in document(answer)["errors"]]
    message = store.messages.history(MESSAGE_ID).message
    assert (message.status, message.advanced_to) == (MessageStatus.ACCEPTED, 0)
    assert (states.succeeded, states.failed) == ([], [])


@pytest.mark.usefixtures("store")
def test_a_field_that_utf_8_cannot_encode_is_not_repeated_in_the_answer() -> None:
    answer = post("advance", '{"step\\ud800": 1}')

    assert answer["statusCode"] == 400
    assert answer["body"].encode()


@pytest.mark.parametrize("action", BODIES)
def test_a_body_that_is_not_json_is_invalid(action: str) -> None:
    answer = post(action, "{")

    assert answer["statusCode"] == 400
    assert "is not valid JSON" in document(answer)["errors"][0]["detail"]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("action", BODIES)
@pytest.mark.parametrize("message_id", ["unknown", "m" * 81, "provider#id", f"{MESSAGE_ID}\n"])
def test_an_unknown_message_is_not_found(action: str, message_id: str) -> None:
    answer = post(action, message_id=message_id)

    assert answer["statusCode"] == 404
    assert document(answer)["detail"] == "no message has this id"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("first", ["confirm", "cancel"])
@pytest.mark.parametrize("then", BODIES)
def test_what_comes_too_late_is_told_the_state(first: str, then: str) -> None:
    status = document(post(first))["status"]
    answer = post(then)

    if then == first:
        assert answer["statusCode"] == 200
    else:
        assert answer["statusCode"] == 409
        assert answer["headers"]["Content-Type"] == "application/problem+json"
        problem = document(answer)
        assert (problem["title"], problem["state"]) == ("Conflict", status)
        assert status in problem["detail"]


@pytest.mark.usefixtures("store")
def test_the_timeline_says_which_step_was_asked_for_and_what_was_cancelled() -> None:
    post("advance")
    post("advance", {"step": 2})
    events = document(post("cancel"))["timeline"]

    asked = [(one["event"], one.get("step")) for one in events if one["event"] in TOLD]
    assert asked == [("advanced", 2), ("advanced", 3), ("cancelled", None)]


TOLD = {"advanced", "cancelled"}
