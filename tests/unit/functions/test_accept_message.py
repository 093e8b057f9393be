"""`POST /v1/messages`, from the gateway's event to its answer."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import accept_message
from messaging import intake
from messaging.clients.queue import sqs
from messaging.queue import Queue
from tests.support.aws import CONTEXT, ENVIRONMENT, TABLE, aws
from tests.support.faults import Died, dies
from tests.support.request_cases import SAMPLE, SENDERS, VALID, but

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOST = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
LIMIT = 262_144
QUEUE = ENVIRONMENT["REQUESTS_QUEUE_URL"]
NOT_THERE = QUEUE.replace("Requests", "Gone")


@pytest.fixture(scope="module")
def stack() -> Iterator["DynamoDBClient"]:
    with aws():
        yield boto3.client("dynamodb")


@pytest.fixture(autouse=True)
def table(stack: "DynamoDBClient") -> "DynamoDBClient":
    """Nothing stored and nothing queued."""
    for item in stack.scan(TableName=TABLE)["Items"]:
        key = {name: item[name] for name in ("pk", "sk")}
        stack.delete_item(TableName=TABLE, Key=key)
    while queued():
        pass
    return stack


def event(body: str, key: str | None = None, caller: str = "caller-1") -> dict[str, Any]:
    """What API Gateway hands to the function."""
    return {
        "body": body,
        "isBase64Encoded": False,
        "headers": {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {}),
        "requestContext": {
            "domainName": HOST,
            "path": "/v1/messages",
            "identity": {"apiKeyId": caller},
        },
    }


def post(body: Any, key: str | None = None, caller: str = "caller-1") -> dict[str, Any]:
    return accept_message.handler(event(json.dumps(body), key, caller), CONTEXT)


def body_of(answer: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer["body"])
    return body


def queued() -> list[dict[str, Any]]:
    """The routes in the queue with the names of their messages; they are taken out."""
    received = sqs().receive_message(
        QueueUrl=QUEUE, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    routes = received.get("Messages", [])
    for one in routes:
        sqs().delete_message(QueueUrl=QUEUE, ReceiptHandle=one["ReceiptHandle"])
    return [
        {**json.loads(one["Body"]), "name": one["MessageAttributes"]["message_id"]["StringValue"]}
        for one in routes
    ]


def stored(table: "DynamoDBClient") -> list[str]:
    """The ids of the messages in the table."""
    items = table.scan(TableName=TABLE)["Items"]
    return [item["pk"]["S"] for item in items if item["sk"]["S"] == "message"]


def sized(size: int) -> str:
    """A right request of so many bytes."""
    body = but(VALID, {"/steps": [{"channel": "email"}], "/content/html": "é"})
    missing = size - len(json.dumps(body, ensure_ascii=False).encode())
    return json.dumps(but(body, {"/content/html": "é" + "x" * missing}), ensure_ascii=False)


# ---- taken


def test_a_message_is_taken_with_its_plan() -> None:
    answer = post(but(VALID, {"/expires_in_seconds": 600}))
    body = body_of(answer)

    assert answer["statusCode"] == 202
    assert body["status"] == "accepted"
    assert [tuple(one.values()) for one in body["plan"]] == [
        (1, 1, "whatsapp", 45, "delivered"),
        (2, 2, "sms", 120, "delivered"),
        (3, 3, "sms", 120, "delivered"),
        (4, 3, "email", 300, "delivered"),
    ]
    assert body["accepted_at"] < body["expires_at"]


def test_a_message_is_stored_and_its_route_queued_under_its_id(table: "DynamoDBClient") -> None:
    message_id = body_of(post(VALID))["id"]

    assert stored(table) == [message_id]
    [route] = queued()
    assert (route["name"], route["message_id"], route["channel"]) == (
        message_id,
        message_id,
        "whatsapp",
    )


def test_the_queue_is_told_no_address_and_no_text() -> None:
    post(VALID)

    text = json.dumps(queued())
    assert "2065550142" not in text
    assert "987654" not in text


def test_ids_are_names_of_executions_and_sort_by_time() -> None:
    first, second = body_of(post(VALID))["id"], body_of(post(VALID))["id"]

    assert len(first) == 26
    assert first[:10] <= second[:10]
    assert first != second


def test_the_status_url_is_whole_where_the_host_is_known() -> None:
    answer = post(VALID)
    body = body_of(answer)

    assert body["status_url"] == f"https://{HOST}/v1/messages/{body['id']}"
    assert answer["headers"]["Location"] == body["status_url"]


def test_the_status_url_is_relative_where_the_host_is_not_known() -> None:
    answer = accept_message.handler(
        {"body": json.dumps(VALID), "headers": None, "requestContext": {}}, CONTEXT
    )

    assert body_of(answer)["status_url"] == f"messages/{body_of(answer)['id']}"


def test_a_body_may_come_in_base64() -> None:
    encoded = base64.b64encode(json.dumps(VALID).encode()).decode()
    answer = accept_message.handler({**event(encoded), "isBase64Encoded": True}, CONTEXT)

    assert answer["statusCode"] == 202


@pytest.mark.parametrize("use_case", ["fallback", "broadcast"])
def test_the_body_of_the_sample_is_taken(use_case: str) -> None:
    answer = post({**SAMPLE, "use_case": use_case})

    assert answer["statusCode"] == 202
    assert [one["channel"] for one in body_of(answer)["plan"]] == ["whatsapp", "sms"]


def test_a_message_of_just_the_largest_size_is_taken() -> None:
    body = sized(LIMIT)

    assert len(body.encode()) == LIMIT
    assert accept_message.handler(event(body), CONTEXT)["statusCode"] == 202


# ---- refused


def test_a_message_too_large_is_refused(table: "DynamoDBClient") -> None:
    answer = accept_message.handler(event(sized(LIMIT + 1)), CONTEXT)

    assert answer["statusCode"] == 413
    assert body_of(answer)["detail"] == "the request body has 262145 bytes; the maximum is 262144"
    assert stored(table) == []


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"n": NaN}', "[" * 100_000])
def test_what_is_no_request_is_refused(body: str) -> None:
    answer = accept_message.handler(event(body), CONTEXT)

    assert answer["statusCode"] == 400
    assert [one["pointer"] for one in body_of(answer)["errors"]] == [""]


def test_a_refusal_is_a_problem_document_with_one_entry_per_wrong_field(
    table: "DynamoDBClient",
) -> None:
    answer = post(but(VALID, {"/to/sms": "0425", "/steps/0/wait_seconds": 2}))

    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert body_of(answer) == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "the request is invalid; `errors` lists each problem",
        "errors": [
            {
                "pointer": "/to/sms",
                "detail": "must be a phone number in E.164 format, for example +14255550156",
            },
            {"pointer": "/steps/0/wait_seconds", "detail": "is 2; it must be from 5 to 86400"},
        ],
    }
    assert stored(table) == []
    assert queued() == []


def test_a_stack_without_senders_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for channel in SENDERS:
        monkeypatch.setenv(f"{channel.upper()}_SENDER", "")
    answer = post(but(VALID, {"/steps": [{"channel": "email"}]}))

    assert [one["pointer"] for one in body_of(answer)["errors"]] == ["/from/email"]


@pytest.mark.parametrize("key", ["two words", "k" * 256, "schlüssel", "tab\t"])
def test_a_malformed_key_is_refused(table: "DynamoDBClient", key: str) -> None:
    answer = post(VALID, key)

    assert answer["statusCode"] == 400
    assert body_of(answer)["detail"] == "Idempotency-Key must be 1 to 255 visible ASCII characters"
    assert stored(table) == []


def test_an_empty_key_is_malformed() -> None:
    asked = event(json.dumps(VALID))
    asked["headers"]["Idempotency-Key"] = ""

    assert accept_message.handler(asked, CONTEXT)["statusCode"] == 400


# ---- once only


def test_without_a_key_a_repetition_is_another_message(table: "DynamoDBClient") -> None:
    assert body_of(post(VALID))["id"] != body_of(post(VALID))["id"]
    assert len(stored(table)) == 2


def test_the_same_key_and_body_get_the_first_answer_again() -> None:
    first, second = post(VALID, "k" * 255), post(VALID, "k" * 255)

    assert (second["statusCode"], second["body"]) == (202, first["body"])
    assert "Idempotent-Replayed" not in first["headers"]
    assert second["headers"] == {**first["headers"], "Idempotent-Replayed": "true"}
    assert len(queued()) == 1


def test_the_name_of_the_header_has_no_case() -> None:
    asked = event(json.dumps(VALID))
    asked["headers"]["idempotency-key"] = "order-42"
    first = accept_message.handler(asked, CONTEXT)

    assert body_of(post(VALID, "order-42"))["id"] == body_of(first)["id"]


def test_the_same_key_with_another_body_is_refused(table: "DynamoDBClient") -> None:
    post(VALID, "order-42")
    answer = post({**VALID, "category": "marketing"}, "order-42")

    assert answer["statusCode"] == 422
    assert (
        body_of(answer)["detail"] == "this Idempotency-Key was already used with a different body"
    )
    assert len(stored(table)) == 1


def test_the_same_key_of_another_caller_is_another_key() -> None:
    first, second = post(VALID, "order-42", "caller-1"), post(VALID, "order-42", "caller-2")

    assert (first["statusCode"], second["statusCode"]) == (202, 202)
    assert body_of(first)["id"] != body_of(second)["id"]


def test_an_idempotency_key_is_stored_as_its_hash(table: "DynamoDBClient") -> None:
    post(VALID, "order-42-of-somebody")

    everything = str(table.scan(TableName=TABLE)["Items"])
    assert "idempotency#" in everything
    assert "order-42-of-somebody" not in everything


def test_a_refused_request_leaves_its_key_free() -> None:
    assert post({}, "order-42")["statusCode"] == 400
    assert post(VALID, "order-42")["statusCode"] == 202


def test_a_key_in_progress_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _dies_before_the_queue(monkeypatch)
    answer = post(VALID, "order-42")

    assert answer["statusCode"] == 409
    assert answer["headers"]["Retry-After"] == "5"
    assert "is in progress" in body_of(answer)["detail"]
    assert queued() == []


def test_who_comes_after_the_lock_goes_on_with_the_same_message(
    table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    _dies_before_the_queue(monkeypatch, lock=timedelta(seconds=-1))
    [left] = stored(table)
    answer = post(VALID, "order-42")

    assert (answer["statusCode"], body_of(answer)["id"]) == (202, left)
    assert "Idempotent-Replayed" not in answer["headers"]
    assert [one["message_id"] for one in queued()] == [left]
    assert stored(table) == [left]
    assert post(VALID, "order-42")["headers"]["Idempotent-Replayed"] == "true"


def test_another_body_after_the_lock_is_refused_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _dies_before_the_queue(monkeypatch, lock=timedelta(seconds=-1))

    assert post({**VALID, "category": "marketing"}, "order-42")["statusCode"] == 422


def _dies_before_the_queue(monkeypatch: pytest.MonkeyPatch, lock: timedelta = intake.LOCK) -> None:
    """A first request that is stored but never queued, and holds its key for so long."""
    with monkeypatch.context() as broken:
        broken.setattr(Queue, "put", dies)
        broken.setattr(intake, "LOCK", lock)
        with pytest.raises(Died):
            post(VALID, "order-42")
