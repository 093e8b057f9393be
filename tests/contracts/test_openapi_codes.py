"""openapi.yaml agrees with the functions of verifications, and with the control of a message."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

import accept_message
import check_verification
import control_message
import control_verification
import read_verification
import start_verification
from messaging.api import verification_requests, verifications
from messaging.codes.derivation import code_from, mac_message
from messaging.codes.guard import LIMITS
from messaging.codes.resending import COOL_DOWN, MAX_SENDS
from messaging.domain.errors import InvalidRequest
from messaging.domain.messages import AttemptId
from messaging.domain.statuses import MessageStatus
from messaging.store import Store
from tests.support.aws import CONTEXT, ENVIRONMENT, TABLE, aws
from tests.support.openapi import (
    OPERATIONS,
    SCHEMAS,
    gateway_statuses,
    judged,
    operation,
    requested,
    statuses,
    untrue,
    validator,
)
from tests.support.request_cases import SENDERS, VALID

Answer = dict[str, Any]

START, READ = ("/verifications", "post"), ("/verifications/{id}", "get")
CHECK, RESEND, CANCEL = (
    (f"/verifications/{{id}}/{action}", "post") for action in ("check", "resend", "cancel")
)
CONFIRM_MESSAGE, ADVANCE_MESSAGE, CANCEL_MESSAGE = (
    (f"/messages/{{id}}/{action}", "post") for action in ("confirm", "advance", "cancel")
)
DEFAULTS = verification_requests.CodeDefaults(SENDERS, ("whatsapp", "sms", "email"), "Acme")
PAYMENT = {"payee": "Example Shop", "amount": "EUR 48.00"}
TO = {"sms": "+14255550156"}
NUMBERS = count(100)
UNKNOWN = "01KB3Q4Y9V6Z8M2N7R5T1W0XCD"


class PlainMacs:
    """MACs without KMS."""

    def generate(self, message: bytes) -> bytes:
        return message[::-1]


class NobodyWaits:
    """Step Functions in which no state waits."""

    def succeed(self, *_: object) -> None:
        pass

    def fail(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODES_PER_PREFIX_HOUR", "1000")
        for function in (control_message, control_verification, check_verification):
            patch.setattr(function, "workflow", NobodyWaits)
        patch.setattr(start_verification, "workflow", NobodyWaits)
        patch.setattr(check_verification, "macs", PlainMacs)
        yield Store(boto3.client("dynamodb"), TABLE, timedelta(days=1))


# ---- requests

VALID_STARTS: dict[str, Any] = {
    "only a recipient": {"to": TO},
    "every field": {
        "to": {"sms": "+14255550156", "email": "ana@example.com"},
        "from": {"sms": "+12065550100"},
        "steps": [{"channel": "sms", "wait_seconds": 5}, {"broadcast": ["sms", "email"]}],
        "purpose": "change_e-mail-2",
        "alphabet": "alphanumeric",
        "length": 10,
        "expires_in_seconds": 3600,
        "max_checks": 1,
        "brand": "B" * 30,
        "language": "pt_BR",
        "autofill": {"domain": "example.com", "embedded": "login.example.com"},
        "payee": "P" * 30,
        "amount": "1" * 20,
        "client_ip": "2001:db8::1",
        "metadata": {"session": "42"},
    },
    "the least": {"to": TO, "length": 4, "expires_in_seconds": 60, "max_checks": 1},
    "an Android app": {"to": TO, "autofill": {"android": "FA+9qCX9VSu"}},
    "a code of the caller's own": {"to": TO, "code": "AB12", "alphabet": "alphanumeric"},
}
# With the reason why JSON Schema accepts some of them.
ACROSS = "two fields that depend on each other"
INVALID_STARTS: dict[str, tuple[Any, str]] = {
    "no recipient": ({}, ""),
    "an unknown field": ({"to": TO, "text": "hi"}, ""),
    "a success": ({"to": TO, "steps": [{"channel": "sms", "success": "sent"}]}, ""),
    "no step": ({"to": TO, "steps": []}, ""),
    "six steps": ({"to": TO, "steps": [{"channel": "sms"}] * 6}, ""),
    "six channels": ({"to": TO, "steps": [{"broadcast": ["sms", "email"]}] * 3}, ACROSS),
    "a last wait": ({"to": TO, "steps": [{"channel": "sms", "wait_seconds": 9}]}, ACROSS),
    "a capital in the purpose": ({"to": TO, "purpose": "Sign-in"}, ""),
    "too short": ({"to": TO, "length": 3}, ""),
    "too long": ({"to": TO, "length": 11}, ""),
    "another alphabet": ({"to": TO, "alphabet": "hex"}, ""),
    "a life of 59 seconds": ({"to": TO, "expires_in_seconds": 59}, ""),
    "a life of 3,601 seconds": ({"to": TO, "expires_in_seconds": 3601}, ""),
    "no check": ({"to": TO, "max_checks": 0}, ""),
    "six checks": ({"to": TO, "max_checks": 6}, ""),
    "a long brand": ({"to": TO, "brand": "B" * 31}, ""),
    "a brand of two lines": ({"to": TO, "brand": "A\nB"}, ""),
    "a long payee": ({"to": TO, **PAYMENT, "payee": "P" * 31}, ""),
    "a long amount": ({"to": TO, **PAYMENT, "amount": "1" * 21}, ""),
    "a payee without an amount": ({"to": TO, "payee": "Example Shop"}, ""),
    "an amount without a payee": ({"to": TO, "amount": "EUR 48.00"}, ""),
    "another language": ({"to": TO, "language": "en-US"}, ""),
    "two kinds of autofill": (
        {"to": TO, "autofill": {"domain": "example.com", "android": "FA+9qCX9VSu"}},
        "",
    ),
    "a frame without its page": ({"to": TO, "autofill": {"embedded": "example.com"}}, ""),
    "a domain in capitals": ({"to": TO, "autofill": {"domain": "Example.com"}}, ""),
    "a hash of 10 characters": ({"to": TO, "autofill": {"android": "FA+9qCX9VS"}}, ""),
    "a code of another alphabet": ({"to": TO, "code": "AB12"}, ACROSS),
    "a code of another length": ({"to": TO, "code": "123456", "length": 4}, ACROSS),
    "checks of a code of one's own": ({"to": TO, "code": "123456", "max_checks": 3}, ""),
    "no IP address": ({"to": TO, "client_ip": "example.com"}, "an address is no pattern"),
}
VALID_CHECKS: dict[str, Any] = {
    "a code": {"code": "123 456"},
    "a payment": {"code": "123456", **PAYMENT},
}
INVALID_CHECKS: dict[str, Any] = {
    "no code": {},
    "an empty code": {"code": ""},
    "a number": {"code": 123456},
    "a long code": {"code": "1" * 65},
    "an unknown field": {"code": "123456", "to": "+14255550156"},
    "a payee without an amount": {"code": "123456", "payee": "Example Shop"},
    "an amount without a payee": {"code": "123456", "amount": "EUR 48.00"},
    "null": {"code": "123456", "payee": None, "amount": "EUR 48.00"},
}


@pytest.mark.parametrize("body", VALID_STARTS.values(), ids=VALID_STARTS)
def test_it_accepts_the_verifications_that_the_code_accepts(body: Any) -> None:
    assert verification_requests.check(body, DEFAULTS)
    assert [error.message for error in validator("VerificationRequest").iter_errors(body)] == []


@pytest.mark.parametrize(("body", "unsaid"), INVALID_STARTS.values(), ids=list(INVALID_STARTS))
def test_it_rejects_the_verifications_that_the_code_rejects(body: Any, unsaid: str) -> None:
    with pytest.raises(InvalidRequest):
        verification_requests.check(body, DEFAULTS)
    assert judged("VerificationRequest", body) == bool(unsaid)


@pytest.mark.parametrize("body", VALID_CHECKS.values(), ids=VALID_CHECKS)
def test_it_accepts_the_checks_that_the_code_accepts(body: Any) -> None:
    assert verifications.read_check(json.dumps(body).encode())
    assert judged("CheckRequest", body)


@pytest.mark.parametrize("body", INVALID_CHECKS.values(), ids=INVALID_CHECKS)
def test_it_rejects_the_checks_that_the_code_rejects(body: Any) -> None:
    with pytest.raises(InvalidRequest):
        verifications.read_check(json.dumps(body).encode())
    assert not judged("CheckRequest", body)


@pytest.mark.parametrize("example", requested(*START)["examples"].values())
def test_a_start_in_the_examples_is_accepted(example: dict[str, Any]) -> None:
    senders = {**SENDERS, "voice": "+12065550101"}
    defaults = verification_requests.CodeDefaults(senders, tuple(senders), "Acme")

    assert verification_requests.check(example["value"], defaults)


@pytest.mark.parametrize("example", requested(*CHECK)["examples"].values())
def test_a_check_in_the_examples_is_accepted(example: dict[str, Any]) -> None:
    assert verifications.read_check(json.dumps(example["value"]).encode())


def test_the_defaults_are_those_of_the_code() -> None:
    fields = SCHEMAS["VerificationRequest"]["properties"]

    assert fields["length"]["default"] == verification_requests.DEFAULT_LENGTH
    assert fields["max_checks"]["default"] == verification_requests.DEFAULT_MAX_CHECKS


def test_a_body_of_a_check_has_the_lengths_of_the_code() -> None:
    lengths = {
        field: one["maxLength"] for field, one in SCHEMAS["CheckRequest"]["properties"].items()
    }

    most = verifications.MAX_FIELD
    assert lengths == {"code": verifications.MAX_CODE, "payee": most, "amount": most}


# ---- responses


def event(operation: tuple[str, str], body: object = None, identity: str = "") -> dict[str, Any]:
    path = operation[0]
    return {
        "body": json.dumps(body) if body is not None else None,
        "headers": {},
        "resource": path,
        "pathParameters": {"id": identity},
        "requestContext": {"domainName": "api.example.com", "path": f"/v1{path}"},
    }


def start(**changes: Any) -> Answer:
    body = {"to": {"sms": f"+120655501{next(NUMBERS) % 100:02}"}, **changes}
    return start_verification.handler(event(START, body), CONTEXT)


def started(**changes: Any) -> str:
    answer = start(**changes)
    assert answer["statusCode"] == 202
    identity: str = json.loads(answer["body"])["id"]
    return identity


def read(identity: str) -> Answer:
    return read_verification.handler(event(READ, identity=identity), CONTEXT)


def check(identity: str, body: object) -> Answer:
    return check_verification.handler(event(CHECK, body, identity), CONTEXT)


def resend(identity: str) -> Answer:
    return control_verification.handler(event(RESEND, identity=identity), CONTEXT)


def cancel(identity: str) -> Answer:
    return control_verification.handler(event(CANCEL, identity=identity), CONTEXT)


def control(operation: tuple[str, str], identity: str, body: object = None) -> Answer:
    return control_message.handler(event(operation, body, identity), CONTEXT)


def accepted() -> str:
    """The id of a message."""
    answer = accept_message.handler(
        {"body": json.dumps(VALID), "headers": {}, "requestContext": {}}, CONTEXT
    )
    identity: str = json.loads(answer["body"])["id"]
    return identity


def delivered(store: Store) -> str:
    identity = accepted()
    store.messages.update_status(identity, MessageStatus.DELIVERED, datetime.now(UTC))
    return identity


def cancelled() -> str:
    identity = started()
    assert cancel(identity)["statusCode"] == 200
    return identity


def sent(store: Store, **changes: Any) -> str:
    """The id of a verification whose first attempt was sent."""
    identity = started(**changes)
    now = datetime.now(UTC)
    attempt = AttemptId(identity, 1)
    store.attempts.claim(attempt, "sms", "token", now)
    planned = store.messages.history(identity).message.plan.attempt(1)
    store.attempts.record_sent(attempt, "provider-1", now, planned)
    return identity


def right_code(store: Store, identity: str) -> str:
    verification = store.messages.history(identity).message.verification
    assert verification
    mac = PlainMacs().generate(mac_message(identity, verification, None, None))
    return code_from(mac, verification.length, verification.alphabet)


def wrong_code(store: Store, identity: str) -> str:
    return right_code(store, identity).translate(str.maketrans("0123456789", "1234567890"))


def approved(store: Store, identity: str) -> Answer:
    return check(identity, {"code": right_code(store, identity)})


def used_up(store: Store) -> Answer:
    identity = started(max_checks=1)
    return check(identity, {"code": wrong_code(store, identity)})


def with_setting(name: str, value: str, ask: Callable[[], Answer]) -> Answer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        return ask()


def denied(ask: Callable[[], Answer]) -> Answer:
    return with_setting("CODES_COUNTRIES_DENIED", "US", ask)


def at_once(ask: Callable[[], Answer]) -> Answer:
    return with_setting("CODES_RESEND_SECONDS", "0", ask)


def resend_to_a_denied_country(store: Store) -> Answer:
    identity = sent(store)
    return denied(lambda: at_once(lambda: resend(identity)))


def start_again(**changes: Any) -> Answer:
    same = {"to": {"sms": "+14255550101"}, "purpose": f"again-{next(NUMBERS)}", **changes}
    started(**same)
    return start(**same)


def start_twice() -> Answer:
    same = {"to": {"sms": "+14255550102"}}
    started(**same, purpose="first")
    return start(**same, purpose="second")


def unqueued() -> Answer:
    queue = ENVIRONMENT["REQUESTS_QUEUE_URL"] + "Gone"
    return with_setting("REQUESTS_QUEUE_URL", queue, start)


@dataclass(frozen=True)
class Response:
    """A response: of which operation, with which status, and how to get it."""

    operation: tuple[str, str]
    status: int
    what: str
    ask: Callable[[Store], Answer]
    limit: str | None = None


RESPONSES = [
    Response(START, 202, "new", lambda _: start()),
    Response(START, 202, "with everything", lambda _: start(**VALID_STARTS["every field"])),
    Response(START, 200, "the pending one", lambda _: start_again()),
    Response(START, 400, "invalid", lambda _: start(length=3, text="hi")),
    Response(START, 403, "a denied country", lambda _: denied(start), "country"),
    Response(
        START,
        429,
        "a recipient too often",
        lambda _: with_setting("CODES_PER_RECIPIENT_HOUR", "1", start_twice),
        "recipient",
    ),
    Response(START, 503, "not queued", lambda _: unqueued()),
    Response(READ, 200, "pending", lambda _: read(started())),
    Response(READ, 200, "sent", lambda store: read(sent(store))),
    Response(READ, 200, "one's own code", lambda _: read(started(code="123456"))),
    Response(READ, 200, "cancelled", lambda _: read(cancelled())),
    Response(READ, 200, "used up", lambda store: read(json.loads(used_up(store)["body"])["id"])),
    Response(READ, 404, "unknown", lambda _: read(UNKNOWN)),
    Response(READ, 404, "no id", lambda _: read("a.b")),
    Response(READ, 404, "a message", lambda _: read(accepted())),
    Response(CHECK, 200, "right", lambda store: approved(store, started())),
    Response(CHECK, 200, "used up", used_up),
    Response(CHECK, 400, "invalid", lambda _: check(started(), {"Code": "123456"})),
    Response(CHECK, 400, "a payment", lambda _: check(started(), {"code": "1234", **PAYMENT})),
    Response(CHECK, 404, "unknown", lambda _: check(UNKNOWN, {"code": "123456"})),
    Response(CHECK, 409, "cancelled", lambda _: check(cancelled(), {"code": "123456"})),
    Response(CHECK, 409, "own", lambda _: check(started(code="123456"), {"code": "123456"})),
    Response(RESEND, 200, "sent again", lambda store: at_once(lambda: resend(sent(store)))),
    Response(RESEND, 403, "a denied country", resend_to_a_denied_country, "country"),
    Response(RESEND, 404, "unknown", lambda _: resend(UNKNOWN)),
    Response(RESEND, 409, "cancelled", lambda _: resend(cancelled())),
    Response(RESEND, 429, "too soon", lambda store: resend(sent(store)), COOL_DOWN),
    Response(CANCEL, 200, "pending", lambda _: cancel(started())),
    Response(CANCEL, 404, "unknown", lambda _: cancel(UNKNOWN)),
    Response(
        CANCEL,
        409,
        "approved",
        lambda store: cancel(json.loads(approved(store, started())["body"])["id"]),
    ),
    Response(CONFIRM_MESSAGE, 200, "accepted", lambda _: control(CONFIRM_MESSAGE, accepted())),
    Response(
        CONFIRM_MESSAGE,
        200,
        "one's own code",
        lambda _: control(CONFIRM_MESSAGE, started(code="1234")),
    ),
    Response(
        CONFIRM_MESSAGE, 400, "a body", lambda _: control(CONFIRM_MESSAGE, accepted(), {"step": 1})
    ),
    Response(CONFIRM_MESSAGE, 404, "unknown", lambda _: control(CONFIRM_MESSAGE, UNKNOWN)),
    Response(CONFIRM_MESSAGE, 409, "a code", lambda _: control(CONFIRM_MESSAGE, started())),
    Response(
        ADVANCE_MESSAGE,
        200,
        "accepted",
        lambda _: control(ADVANCE_MESSAGE, accepted(), {"step": 1}),
    ),
    Response(ADVANCE_MESSAGE, 400, "no step", lambda _: control(ADVANCE_MESSAGE, accepted(), {})),
    Response(
        ADVANCE_MESSAGE, 400, "step 4", lambda _: control(ADVANCE_MESSAGE, accepted(), {"step": 4})
    ),
    Response(
        ADVANCE_MESSAGE, 404, "unknown", lambda _: control(ADVANCE_MESSAGE, UNKNOWN, {"step": 1})
    ),
    Response(
        ADVANCE_MESSAGE,
        409,
        "delivered",
        lambda store: control(ADVANCE_MESSAGE, delivered(store), {"step": 1}),
    ),
    Response(CANCEL_MESSAGE, 200, "accepted", lambda _: control(CANCEL_MESSAGE, accepted())),
    Response(
        CANCEL_MESSAGE, 400, "a body", lambda _: control(CANCEL_MESSAGE, accepted(), {"step": 1})
    ),
    Response(CANCEL_MESSAGE, 404, "unknown", lambda _: control(CANCEL_MESSAGE, UNKNOWN)),
    Response(
        CANCEL_MESSAGE,
        409,
        "delivered",
        lambda store: control(CANCEL_MESSAGE, delivered(store)),
    ),
]


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(one, id=f"{operation(*one.operation)['operationId']} {one.status} {one.what}")
        for one in RESPONSES
    ],
)
def test_a_response_is_described(store: Store, response: Response) -> None:
    answer = response.ask(store)

    assert answer["statusCode"] == response.status, answer["body"]
    assert untrue(answer, *response.operation) == []
    assert json.loads(answer["body"]).get("limit") == response.limit


@pytest.mark.parametrize("found", sorted({one.operation for one in RESPONSES}))
def test_exactly_the_statuses_of_the_code_are_described(found: tuple[str, str]) -> None:
    own = {one.status for one in RESPONSES if one.operation == found}
    gateway = gateway_statuses() - ({413} if found == READ else set())

    assert statuses(*found) == own | gateway


def test_every_operation_is_tested() -> None:
    messages = {("/messages", "post"), ("/messages/{id}", "get")}

    assert {one.operation for one in RESPONSES} | messages == set(OPERATIONS)


def test_it_lists_every_limit() -> None:
    limit = SCHEMAS["Problem"]["properties"]["limit"]

    assert set(limit["enum"]) == set(LIMITS) | {COOL_DOWN, MAX_SENDS}
    assert all(f"- `{one}`: " in limit["description"] for one in limit["enum"])


@pytest.mark.parametrize("path", [START, READ])
def test_a_url_of_a_verification_is_that_of_the_verification(
    store: Store,  # noqa: ARG001 - it runs there
    path: tuple[str, str],
) -> None:
    first = start()
    identity = json.loads(first["body"])["id"]
    document = json.loads((first if path == START else read(identity))["body"])

    assert document["status_url"] == f"https://api.example.com/v1/verifications/{identity}"
    assert document["message_url"] == f"https://api.example.com/v1/messages/{identity}"
    assert first["headers"]["Location"] == document["status_url"]


def test_a_problem_of_a_lost_cause_has_the_state(store: Store) -> None:
    identity = started()
    approved(store, identity)

    assert json.loads(check(identity, {"code": "123456"})["body"])["state"] == "approved"


def test_the_readme_shows_a_start_and_its_checks_as_they_are_described() -> None:
    shown = re.findall(r"^\{\"id\".*\}$", Path("README.md").read_text(), re.MULTILINE)
    start, wrong, right = map(json.loads, shown)
    fields = SCHEMAS["Verification"]["properties"]

    assert start.keys() <= fields.keys()
    assert start["id"] == wrong["id"] == right["id"]
    assert [one["status"] for one in (start, wrong, right)] == ["pending", "pending", "approved"]
    for body in (wrong, right):
        assert [error.message for error in validator("Check", tight=True).iter_errors(body)] == []
