"""A start of a verification that the limits refuse, or that could not be counted, and an approval
that is counted.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import control_message
import start_verification
from messaging.clients.counters import counters
from messaging.clients.queue import sqs
from messaging.codes.guard import LIMITS
from messaging.store.counters import Counters
from messaging.store.table import Table
from tests.support.aws import CONTEXT, ENVIRONMENT, TABLE, aws

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NUMBER = "+14255550156"
PURPOSES = ("sign-in", "sign-up", "payment", "reset", "address")


@pytest.fixture(scope="module")
def stack() -> Iterator["DynamoDBClient"]:
    with aws():
        yield boto3.client("dynamodb")


@pytest.fixture(autouse=True)
def table(stack: "DynamoDBClient") -> "DynamoDBClient":
    for item in stack.scan(TableName=TABLE)["Items"]:
        stack.delete_item(TableName=TABLE, Key={name: item[name] for name in ("pk", "sk")})
    counters.cache_clear()
    return stack


def event(path: str, body: object, message_id: str = "") -> dict[str, Any]:
    return {
        "resource": path,
        "body": json.dumps(body),
        "headers": {},
        "pathParameters": {"id": message_id},
        "requestContext": {
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "path": f"/v1{path}",
        },
    }


def start(**changes: Any) -> dict[str, Any]:
    request = {"to": {"sms": NUMBER}, "client_ip": "198.51.100.7", **changes}
    return start_verification.handler(event("/verifications", request), CONTEXT)


def items(table: "DynamoDBClient") -> list[dict[str, Any]]:
    return sorted(map(dict, table.scan(TableName=TABLE)["Items"]), key=lambda item: str(item["pk"]))


def queued() -> str:
    found = sqs().get_queue_attributes(
        QueueUrl=ENVIRONMENT["REQUESTS_QUEUE_URL"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return found["Attributes"]["ApproximateNumberOfMessages"]


def test_a_refused_start_is_answered_with_its_limit_and_leaves_nothing(
    table: "DynamoDBClient",
) -> None:
    for purpose in PURPOSES:
        assert start(purpose=purpose)["statusCode"] == 202
    before = items(table), queued()

    answer = start(purpose="another")
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["limit"]) == (429, "recipient")
    assert 3_590 <= int(answer["headers"]["Retry-After"]) <= 3_600
    assert LIMITS["recipient"] in body["detail"]
    assert (items(table), queued()) == before


def test_a_denied_country_is_403_and_leaves_nothing(
    table: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODES_COUNTRIES_DENIED", "GB,US")
    before = queued()

    answer = start()
    assert (answer["statusCode"], json.loads(answer["body"])["limit"]) == (403, "country")
    assert "Retry-After" not in answer["headers"]
    assert (items(table), queued()) == ([], before)


def test_a_code_is_sent_while_counting_is_down(
    stack: "DynamoDBClient",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nowhere = Counters(Table(stack, "a table that does not exist"))
    monkeypatch.setattr(start_verification, "counters", lambda: nowhere)

    assert start()["statusCode"] == 202
    assert '"CodesUncounted":[1.0]' in capsys.readouterr().out


def test_the_counters_are_called_briefly_and_twice_at_most() -> None:
    """The SDK's defaults would hold a code back for longer than its caller waits."""
    config: Any = counters()._table.client.meta.config  # noqa: SLF001 - there is no other way to see it

    assert (config.connect_timeout, config.read_timeout) == (1, 1)
    assert config.retries == {"mode": "standard", "total_max_attempts": 2}


def test_a_confirmed_code_of_the_callers_own_is_an_approved_one(table: "DynamoDBClient") -> None:
    started = json.loads(start(code="482913")["body"])
    confirmed = event("/messages/{id}/confirm", {}, started["id"]) | {"body": None}

    assert control_message.handler(confirmed, CONTEXT)["statusCode"] == 200
    counted = items(table)
    assert control_message.handler(confirmed, CONTEXT)["statusCode"] == 200
    assert items(table) == counted
    approved = [item["pk"]["S"].split("#")[1] for item in items(table) if "approved_at" in item]
    assert approved == ["country", "prefix", "recipient"]
