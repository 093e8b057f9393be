"""Verifications, from the gateway's events to the answers: start, check, resend, cancel, read."""

import json
from collections.abc import Iterator
from dataclasses import replace
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
from messaging.domain.statuses import MessageStatus
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
    states = States()
    client: Any = states
    for function in (start_verification, check_verification, control_verification, send_message):
        monkeypatch.setattr(function, "workflow", lambda: Workflow(client))
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
    now: datetime = vars(send_message)["now"]()
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


# ---- start


def test_a_start_tells_what_the_caller_needs_and_no_address() -> None:
    answer = start(purpose="pay", expires_in_seconds=60)
    body = body_of(answer)

    assert answer["headers"]["Location"] == body["status_url"]
    assert body == {
        "id": body["id"],
        "status": "pending",
        "status_url": f"https://{HOST}/v1/verifications/{body['id']}",
        "message_url": f"https://{HOST}/v1/messages/{body['id']}",
        "purpose": "pay",
        "length": 6,
        "alphabet": "digits",
        "brand": "Acme",
        "language": "en",
        "own_code": False,
        "started_at": "2026-01-02T03:04:05.000Z",
        "expires_at": "2026-01-02T03:05:05.000Z",
        "checks_left": 5,
        "sends_left": 5,
        "next_resend_at": "2026-01-02T03:04:35.000Z",
        "plan": body["plan"],
    }
    assert [one["channel"] for one in body["plan"]] == ["sms", *["email"] * 4]


def test_the_same_start_is_the_same_verification() -> None:
    first, second = start(), start()

    assert (first["statusCode"], second["statusCode"]) == (202, 200)
    assert body_of(first)["id"] == body_of(second)["id"]
    assert first["headers"]["Location"] == second["headers"]["Location"]


def test_an_invalid_start_names_every_field() -> None:
    answer = start(length=3, lenght=6)

    assert answer["statusCode"] == 400
    assert [one["pointer"] for one in body_of(answer)["errors"]] == ["/length", "/lenght"]


@pytest.mark.parametrize(
    ("setting", "value", "status", "limit"),
    [
        ("CODES_COUNTRIES_DENIED", "US", 403, "country"),
        ("CODES_PER_RECIPIENT_HOUR", "1", 429, "recipient"),
    ],
)
def test_a_refused_start_names_its_limit(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, status: int, limit: str
) -> None:
    monkeypatch.setenv(setting, value)
    start(purpose="first")
    queued()
    answer = start(purpose="second")

    assert (answer["statusCode"], body_of(answer)["limit"]) == (status, limit)
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert ("Retry-After" in answer["headers"]) == (status == 429)
    assert queued() == []


def test_a_start_that_cannot_be_queued_may_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setenv("REQUESTS_QUEUE_URL", QUEUE.replace("Requests", "Gone"))
        answer = start()

    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "5")
    assert start()["statusCode"] == 202


# ---- read


def test_a_verification_has_its_sends_and_checks(clock: Clock) -> None:
    message_id = started(metadata={"user": "42"})["id"]
    sent(message_id)
    clock.pass_time(5)
    check(message_id, wrong_code(message_id))
    body = read(message_id)

    assert (body["status"], body["checks_left"], body["sends_left"]) == ("pending", 4, 4)
    assert body["metadata"] == {"user": "42"}
    assert body["checks"] == [{"at": "2026-01-02T03:04:10.000Z"}]
    assert body["sends"] == [
        {
            "attempt": 1,
            "channel": "sms",
            "status": "sent",
            "reason": None,
            "at": "2026-01-02T03:04:05.000Z",
        }
    ]


def test_neither_code_nor_address_is_in_an_answer_or_in_the_table(table: "DynamoDBClient") -> None:
    message_id = started()["id"]
    sent(message_id)
    code = right_code(message_id)
    answers = [check(message_id, code), {"body": json.dumps(read(message_id))}, start()]

    assert not [one for one in answers if code in one["body"] or TO["sms"] in one["body"]]
    assert code not in str(table.scan(TableName=TABLE)["Items"])


def test_what_ended_has_nothing_left() -> None:
    message_id = started()["id"]
    control(message_id, "cancel")
    body = read(message_id)

    assert (body["status"], body["checks_left"], body["sends_left"]) == ("cancelled", 0, 0)
    assert body["next_resend_at"] is None


def test_a_code_of_the_caller_is_sent_and_not_checked(provider: Provider) -> None:
    body = started(code="7421")
    sent(body["id"])
    answer = check(body["id"], "7421")

    assert (body["own_code"], body["length"], body["checks_left"]) == (True, 4, None)
    assert "7421" in str(provider.sent[0].content.text)
    assert (answer["statusCode"], body_of(answer)["state"]) == (409, "pending")
    assert "confirms the message" in body_of(answer)["detail"]


# ---- check


@pytest.mark.parametrize("form", ["{}", "{0[0]} {0[1]} {0[2]}-{0[3]}{0[4]}{0[5]} ", "{}\n"])
def test_how_a_person_groups_the_characters_does_not_matter(form: str) -> None:
    message_id = started()["id"]

    assert body_of(check(message_id, form.format(right_code(message_id))))["status"] == "approved"


def test_letters_have_no_case() -> None:
    message_id = started(alphabet="letters", length=8)["id"]

    answer = check(message_id, right_code(message_id).lower())
    assert body_of(answer)["status"] == "approved"


def test_each_end_is_told_apart(clock: Clock) -> None:
    approved, cancelled, used_up = (started(purpose=name)["id"] for name in "abc")
    check(approved, right_code(approved))
    control(cancelled, "cancel")
    for _ in range(5):
        last = check(used_up, wrong_code(used_up))
    expired = started(purpose="d", expires_in_seconds=60)["id"]
    clock.pass_time(60)
    answers = [check(one, right_code(one)) for one in (approved, cancelled, used_up, expired)]

    assert body_of(last)["status"] == "max_checks_reached"
    assert {one["statusCode"] for one in answers} == {409}
    assert [body_of(one)["state"] for one in answers] == [
        "approved",
        "cancelled",
        "max_checks_reached",
        "expired",
    ]


def test_the_same_idempotency_key_gets_the_same_approval() -> None:
    message_id = started()["id"]
    answers = [check(message_id, right_code(message_id), key) for key in ("k1", "k1", "k2")]

    assert [one["statusCode"] for one in answers] == [200, 200, 409]
    assert answers[0]["body"] == answers[1]["body"]
    assert check(message_id, "1", "two words")["statusCode"] == 400


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ("{", [""]),
        ("[]", [""]),
        ("[" * 100_000, [""]),
        ("{}", ["/code"]),
        ('{"code": 123456}', ["/code"]),
        ('{"code": ""}', ["/code"]),
        (json.dumps({"code": "1" * 65}), ["/code"]),
        ('{"kode": "1", "payee": "Shop"}', ["/kode", "/code", "/amount"]),
        ('{"code": "1", "payee": "Shop", "amount": "5"}', ["/payee", "/amount"]),
    ],
)
def test_an_invalid_check_is_not_counted(body: str, pointers: list[str]) -> None:
    message_id = started()["id"]
    asked = event("/check", None, message_id) | {"body": body}
    answer = check_verification.handler(asked, CONTEXT)

    assert answer["statusCode"] == 400
    assert [one["pointer"] for one in body_of(answer)["errors"]] == pointers
    assert read(message_id)["checks_left"] == 5


def test_another_payment_is_a_wrong_code() -> None:
    message_id = started(**PAYMENT)["id"]
    code = right_code(message_id, **PAYMENT)

    assert body_of(check(message_id, code, **PAYMENT | {"amount": "99 EUR"}))["status"] == "pending"
    assert body_of(check(message_id, code, **PAYMENT))["status"] == "approved"


# ---- resend and cancel


def test_a_resend_is_answered_with_the_verification(clock: Clock, states: States) -> None:
    message_id = started()["id"]
    sent(message_id)
    early = control(message_id, "resend")
    clock.pass_time(30)
    answer = control(message_id, "resend")

    assert (early["statusCode"], early["headers"]["Retry-After"]) == (429, "30")
    assert body_of(early)["limit"] == "resend_cooldown"
    assert answer["statusCode"] == 200
    assert body_of(answer)["next_resend_at"] == "2026-01-02T03:05:05.000Z"
    assert states.answers == [("token 1", "Advanced")]


def test_every_send_has_the_same_code(clock: Clock, provider: Provider) -> None:
    message_id = started()["id"]
    code = right_code(message_id)
    for attempt in range(1, 4):
        sent(message_id, attempt)
        clock.pass_time(30)
        control(message_id, "resend")

    assert [one.attempt_id.number for one in provider.sent] == [1, 2, 3]
    assert all(code in str(one.content.text) for one in provider.sent)


def test_a_cancelled_verification_sends_and_approves_nothing(clock: Clock, states: States) -> None:
    message_id = started()["id"]
    sent(message_id)
    answers = [control(message_id, "cancel") for _ in range(2)]
    clock.pass_time(30)
    resend = control(message_id, "resend")

    assert [one["statusCode"] for one in answers] == [200, 200]
    assert [body_of(one)["status"] for one in answers] == ["cancelled"] * 2
    assert states.answers[0] == ("token 1", "Cancelled")
    assert (resend["statusCode"], body_of(resend)["state"]) == (409, "cancelled")


def test_a_verification_is_cancelled_after_its_message_ended() -> None:
    message_id = started()["id"]
    stored().messages.update_status(message_id, MessageStatus.UNDELIVERED, JANUARY)
    answer = control(message_id, "cancel")
    late = check(message_id, right_code(message_id))

    assert (answer["statusCode"], body_of(answer)["status"]) == (200, "cancelled")
    assert (late["statusCode"], body_of(late)["state"]) == (409, "cancelled")
    assert stored().messages.history(message_id).message.status is MessageStatus.UNDELIVERED


def test_what_is_no_longer_sent_has_no_time_of_a_resend() -> None:
    message_id = started()["id"]
    stored().messages.update_status(message_id, MessageStatus.UNDELIVERED, JANUARY)
    body, resend = read(message_id), control(message_id, "resend")

    assert (body["status"], body["sends_left"], body["next_resend_at"]) == ("pending", 0, None)
    assert (resend["statusCode"], body_of(resend)["state"]) == (409, "pending")


def test_an_approved_verification_is_not_cancelled() -> None:
    message_id = started()["id"]
    check(message_id, right_code(message_id))
    answer = control(message_id, "cancel")

    assert (answer["statusCode"], body_of(answer)["state"]) == (409, "approved")


# ---- unknown


@pytest.mark.parametrize("message_id", ["unknown", "not an id"])
def test_an_unknown_verification_is_not_found(message_id: str) -> None:
    read_answer = read_verification.handler(event("/{id}", None, message_id), CONTEXT)
    answers = [
        read_answer,
        check(message_id, "123456"),
        control(message_id, "resend"),
        control(message_id, "cancel"),
    ]

    assert [one["statusCode"] for one in answers] == [404] * 4


def test_a_message_without_a_code_is_no_verification() -> None:
    message_id = started()["id"]
    history = stored().messages.history(message_id)
    stored().messages.add(replace(history.message, message_id="m1", verification=None), {})
    read_answer = read_verification.handler(event("/{id}", None, "m1"), CONTEXT)

    assert read_answer["statusCode"] == 404
    assert [control("m1", one)["statusCode"] for one in ("resend", "cancel")] == [404, 404]
    assert check("m1", "123456")["statusCode"] == 404
