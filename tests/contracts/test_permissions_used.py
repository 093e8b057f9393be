"""What a function may do and what it does: the template allows each call, and no other.

Each function is led along every way through it that makes a call of its own.
"""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.model import OperationModel

import accept_message
import check_verification
import close_message
import control_message
import control_verification
import plan_message
import read_message
import read_verification
import record_receipt
import send_message
import start_delivery
import start_verification
from messaging import settings
from messaging.clients.counters import counters
from messaging.clients.mac import macs
from messaging.clients.queue import sqs
from messaging.clients.store import store, store_to_read
from messaging.clients.workflow import workflow
from messaging.domain.content import Delivery
from messaging.domain.errors import Ambiguous
from messaging.domain.statuses import AttemptStatus
from messaging.store import Store
from tests.infra.template import Template
from tests.support.aws import CONTEXT, ENVIRONMENT, TABLE, aws, event_of, load, sns
from tests.support.plans import send_event
from tests.support.request_cases import RIGHT, VALID, but

# The services' names in policies.
NAMES = {
    "dynamodb": "dynamodb",
    "kms": "kms",
    "sqs": "sqs",
    "stepfunctions": "states",
    "pinpoint-sms-voice-v2": "sms-voice",
    "socialmessaging": "social-messaging",
    "sesv2": "ses",
}
# What SES checks for SendEmail depends on the content.
TEMPLATED = ("ses:SendEmail", '"Template"', "ses:SendTemplatedEmail")
# A batch takes the permission of its single call.
SINGLE = {"sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility"}
# What no code of ours calls, and who does in the function's name.
BY_OTHERS = {
    "start_delivery": {
        # Lambda takes what it hands over, and CDK's grant is for any consumer.
        *("sqs:ReceiveMessage", "sqs:DeleteMessage"),
        *("sqs:GetQueueAttributes", "sqs:GetQueueUrl"),
    },
    # Lambda puts there what the function fails on.
    "record_receipt": {"sqs:SendMessage"},
    "close_message": {"sqs:SendMessage"},
}
CALL = {"channel": "voice"}
NOTIFY = {"/from": {"sms": "nc-1234567890abcdef0"}, "/content/sms": {"template": {"name": "code"}}}
# The numbers to which codes are sent, each once: they are limited.
NUMBERS = itertools.cycle(range(100, 200))
# The code of the MAC that `Calls` answers with.
RIGHT_CODE, WRONG_CODE = "000000", "111111"
BESIDE = ("kms:", "logs:", "xray:")
# Executions that cannot be started: for good, for now, and because they were before.
REFUSED = {
    "not-a-name": "InvalidName",
    "not-now": "ThrottlingException",
    "started-before": "ExecutionAlreadyExists",
}


class Calls:
    """Hears every call; answers for the services that are not here."""

    def __init__(self) -> None:
        self.made: set[str] = set()

    def hear(self, model: OperationModel, params: dict[str, Any], **_: Any) -> Any:
        service = model.service_model.service_name
        call, content, action = TEMPLATED
        made = f"{NAMES[service]}:{model.name}"
        self.made.add(action if made == call and content in str(params["body"]) else made)
        if service in {"dynamodb", "sqs"}:
            return None
        for name, code in REFUSED.items():
            if name in str(params["body"]) and model.name == "StartExecution":
                error = {"Error": {"Code": code, "Message": "no"}}
                return SimpleNamespace(status_code=400), error
        return SimpleNamespace(status_code=200), {
            "MessageId": "id",
            "messageId": "id",
            "input": "{}",
            "Mac": bytes(32),
        }


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """New clients, whose calls are heard."""
    calls = Calls()
    with aws():
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())
        assert boto3.DEFAULT_SESSION
        boto3.DEFAULT_SESSION.events.register("before-call.*.*", calls.hear)
        forget_clients()
        yield calls
    forget_clients()


def forget_clients() -> None:
    for cached in (
        *(store, store_to_read, sqs, workflow, macs, counters, check_verification.client),
        *(start_delivery.workflow, start_delivery.pace, send_message.channel),
    ):
        cached.cache_clear()


def post(body: object = VALID, **headers: str) -> str:
    event = {
        "body": json.dumps(body),
        "headers": headers,
        "requestContext": {"path": "/v1/messages", "identity": {"apiKeyId": "key"}},
    }
    answer = json.loads(accept_message.handler(event, CONTEXT)["body"])
    return str(answer.get("id"))


def accept() -> None:
    key = {"Idempotency-Key": "order-42"}
    assert post(**key) == post(**key)
    post()


def plan(name: str = "order-7") -> None:
    event = {"message_id": name, "started_at": datetime.now(UTC).isoformat(), "request": VALID}
    for _ in range(2):
        assert plan_message.handler(event, CONTEXT)["message_id"] == name


def queued(name: str) -> dict[str, Any]:
    return {
        "messageId": name,
        "receiptHandle": "none",
        "body": "{}",
        "messageAttributes": {"message_id": {"stringValue": name, "dataType": "String"}},
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
    }


def begin() -> None:
    names = ("order-1", *REFUSED)
    start_delivery.handler({"Records": [queued(name) for name in names]}, CONTEXT)


def send(message_id: str, attempt: int, channel: str) -> None:
    unheard = Store(boto3.Session().client("dynamodb"), TABLE)
    planned = unheard.messages.history(message_id).message.plan.attempt(attempt)
    assert planned.channel == channel
    send_message.handler(send_event(message_id, planned, uuid.uuid4().hex), CONTEXT)


class Early:
    """A channel whose receipt comes before its answer; what records that is not heard."""

    def send(self, delivery: Delivery) -> str:
        unheard = Store(boto3.Session().client("dynamodb"), TABLE)
        unheard.attempts.update_status(
            delivery.attempt_id, AttemptStatus.DELIVERED, datetime.now(UTC)
        )
        return "id"


class Silent:
    """A channel that does not answer: what it has sent is not noted."""

    def send(self, _: Delivery) -> str:
        raise Ambiguous("no answer")


def send_all() -> None:
    """By every channel; again; after an earlier one succeeded, after the expiry; and with a
    receipt that is quicker than the answer.
    """
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(send_message, "channel", lambda _: Early())
        send(post(), 1, "whatsapp")
    sent = post(but(VALID, {"/expires_in_seconds": 600}))
    for attempt, channel in enumerate(("whatsapp", "sms", "sms", "email"), 1):
        send(sent, attempt, channel)
        send(sent, attempt, channel)
    send(post(but(VALID, {"/to/voice": "+12065550144", "/steps/0": CALL})), 1, "voice")
    send(post(but(VALID, NOTIFY)), 2, "sms")
    send(post(RIGHT["email as a template without data"]), 1, "email")
    through = post()
    send(through, 1, "whatsapp")
    record(through, "whatsapp_delivered")
    send(through, 2, "sms")
    expired = post(but(VALID, {"/expires_in_seconds": 5}))
    with pytest.MonkeyPatch.context() as later:
        later.setattr(send_message, "now", lambda: datetime.now(UTC) + timedelta(seconds=60))
        send(expired, 1, "whatsapp")
    for channel in ("whatsapp", "sms", "voice"):
        send(verification(channel), 1, channel)
    sender = {"from": {"sms": "nc-1234567890abcdef0"}}
    send(verification("sms", **sender), 1, "sms")


def record(message_id: str, event: str) -> None:
    record_receipt.handler(sns(event_of(event, message_id, 1, "id")), CONTEXT)


def record_all() -> None:
    sent = post()
    send(sent, 1, "whatsapp")
    for event in ("whatsapp_accepted", "whatsapp_failed_131026", "whatsapp_delivered"):
        record(sent, event)
    record(sent, "whatsapp_read")
    early = post()
    with pytest.MonkeyPatch.context() as silent:
        silent.setattr(send_message, "channel", lambda _: Silent())
        send(early, 1, "whatsapp")
    record(early, "whatsapp_delivered")
    record_receipt.handler(sns(json.dumps(load("sms_inbound_text"))), CONTEXT)


def close() -> None:
    sent = post()
    send(sent, 1, "whatsapp")
    for _ in range(2):
        close_message.handler({"message_id": sent}, CONTEXT)
    record(sent, "whatsapp_delivered")
    close_message.handler({"message_id": sent}, CONTEXT)
    ended = {"execution_status": "ABORTED", "started_at": 1_700_000_000_000}
    for name in (post(), "never-planned"):
        close_message.handler({"message_id": name, **ended}, CONTEXT)


def read() -> None:
    event = {"pathParameters": {"id": post()}}
    assert read_message.handler(event, CONTEXT)["statusCode"] == 200


def control() -> None:
    """Each of a message whose state waits, and of one that it comes too late for."""
    for action, body in (("confirm", {}), ("advance", {"step": 1}), ("cancel", {})):
        sent = post()
        send(sent, 1, "whatsapp")
        event = {
            "resource": f"/messages/{{id}}/{action}",
            "pathParameters": {"id": sent},
            "body": json.dumps(body),
        }
        assert control_message.handler(event, CONTEXT)["statusCode"] == 200
        unknown = {**event, "pathParameters": {"id": "unknown"}}
        assert control_message.handler(unknown, CONTEXT)["statusCode"] == 404


def asked(path: str, body: object = None, message_id: str = "") -> dict[str, Any]:
    """A request about a verification, as API Gateway hands it over."""
    return {
        "body": json.dumps(body),
        "headers": {},
        "resource": path,
        "pathParameters": {"id": message_id},
        "requestContext": {"path": f"/v1{path}", "identity": {"apiKeyId": "key"}},
    }


def verification(channel: str = "sms", **fields: object) -> str:
    """A new one that is sent by this channel."""
    body = {"to": {channel: f"+1425555{next(NUMBERS):04}"}, **fields}
    return str(json.loads(post_verification(body)["body"])["id"])


def post_verification(body: object) -> dict[str, Any]:
    answer: dict[str, Any] = start_verification.handler(asked("/verifications", body), CONTEXT)
    assert answer["statusCode"] in {200, 202}, answer
    return answer


def start_codes() -> None:
    """A new one, the same again, and the same after the cool-down: then it is sent again."""
    body = {"to": {"sms": "+12065550156"}, "client_ip": "192.0.2.1"}
    message_id = json.loads(post_verification(body)["body"])["id"]
    send(message_id, 1, "sms")
    post_verification(body)
    with pytest.MonkeyPatch.context() as later:
        later.setattr(start_verification, "now", lambda: datetime.now(UTC) + timedelta(seconds=60))
        post_verification(body)


def read_codes() -> None:
    event = asked("/verifications/{id}", None, verification())
    assert read_verification.handler(event, CONTEXT)["statusCode"] == 200


def check_code(message_id: str, code: str) -> str:
    event = asked("/verifications/{id}/check", {"code": code}, message_id)
    return str(json.loads(check_verification.handler(event, CONTEXT)["body"])["status"])


def check_codes() -> None:
    """A right one of a code that was sent, and as many wrong ones as there may be."""
    right, wrong = verification(), verification()
    for one in (right, wrong):
        send(one, 1, "sms")
    assert check_code(right, RIGHT_CODE) == "approved"
    for _ in range(5):
        status = check_code(wrong, WRONG_CODE)
    assert status == "max_checks_reached"


def control_codes() -> None:
    message_id = verification()
    send(message_id, 1, "sms")
    with pytest.MonkeyPatch.context() as later:
        later.setattr(
            control_verification, "now", lambda: datetime.now(UTC) + timedelta(seconds=60)
        )
        for action in ("resend", "cancel"):
            event = asked(f"/verifications/{{id}}/{action}", None, message_id)
            assert control_verification.handler(event, CONTEXT)["statusCode"] == 200


JOURNEYS: dict[str, Callable[[], None]] = {
    "accept_message": accept,
    "plan_message": plan,
    "start_delivery": begin,
    "send_message": send_all,
    "record_receipt": record_all,
    "close_message": close,
    "read_message": read,
    "control_message": control,
    "start_verification": start_codes,
    "read_verification": read_codes,
    "check_verification": check_codes,
    "control_verification": control_codes,
}


POWERTOOLS = {
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
}


@pytest.fixture
def read_settings(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The environment variables that are read from now on."""
    found: set[str] = set()
    read = settings._text  # noqa: SLF001 - the one place that reads the environment

    def reading(name: str) -> str:
        found.add(name)
        return read(name)

    monkeypatch.setattr(settings, "_text", reading)
    return found


@pytest.fixture
def heard(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], set[str]]:
    """What a function calls on its journey; what others do on the way does not count."""

    def lead(function: str) -> set[str]:
        module: Any = globals()[function]
        handler, made = module.handler, set()

        def listening(event: Any, context: Any) -> Any:
            before, calls.made = calls.made, set()
            try:
                return handler(event, context)
            finally:
                made.update(calls.made)
                calls.made = before

        monkeypatch.setattr(module, "handler", listening)
        JOURNEYS[function]()
        return {SINGLE.get(call, call) for call in made if not call.startswith(BESIDE)}

    return lead


@pytest.mark.parametrize("function", JOURNEYS)
def test_a_function_may_do_what_it_does_and_does_what_it_may(
    template: Template, heard: Callable[[str], set[str]], function: str
) -> None:
    role = template.functions[function]["Role"]
    allowed = {action for action, _ in template.allowed(role) if not action.startswith(BESIDE)}

    assert allowed - BY_OTHERS.get(function, set()) == heard(function) - BY_OTHERS.get(
        function, set()
    )


@pytest.mark.parametrize("function", JOURNEYS)
def test_a_function_is_told_the_settings_that_it_reads(
    template: Template,
    read_settings: set[str],
    heard: Callable[[str], set[str]],
    monkeypatch: pytest.MonkeyPatch,
    function: str,
) -> None:
    """Its clients are made anew for each call, so that it reads what they need itself."""
    given = template.functions[function]["Environment"]["Variables"].keys() - POWERTOOLS
    module: Any = globals()[function]
    handler, needed = module.handler, set[str]()

    def reading(event: Any, context: Any) -> Any:
        before = set(read_settings)
        read_settings.clear()
        for cached in (store, store_to_read, macs, counters):
            cached.cache_clear()
        try:
            return handler(event, context)
        finally:
            needed.update(read_settings)
            read_settings.update(before)

    monkeypatch.setattr(module, "handler", reading)
    heard(function)

    assert needed == given


def test_tests_run_with_the_environment_of_a_deployed_function(template: Template) -> None:
    variables = (one["Environment"]["Variables"].keys() for one in template.functions.values())

    assert set().union(*variables) - POWERTOOLS == {
        name for name in ENVIRONMENT if not name.startswith(("AWS_", "POWERTOOLS"))
    }


def test_every_function_is_led(template: Template) -> None:
    assert JOURNEYS.keys() == template.functions.keys()
