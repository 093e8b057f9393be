"""Runs the real workflow file in moto's interpreter, with scripted channels in front."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda_simple.models import LambdaSimpleBackend

import close_message
import control_message
import plan_message
import record_receipt
import send_message
from local.interpreter import behave_as_aws
from messaging.domain.content import Delivery
from messaging.domain.errors import Unavailable
from messaging.domain.messages import Message, MessageHistory
from messaging.domain.plan import Plan, RequestedStep, make_plan
from messaging.domain.route import route as route_of
from messaging.domain.statuses import Success
from messaging.store import Store
from tests.support.aws import ACCOUNT, CONTEXT, ENVIRONMENT, REGION, TABLE, aws, event_of, sns
from tests.support.plans import CHANNELS

ASL = Path("statemachine/deliver_message.asl.json")
FUNCTIONS = {
    "send_message": send_message.handler,
    "plan_message": plan_message.handler,
    "close_message": close_message.handler,
}
# What happens just before a function runs, by message id and attempt.
BEFORE: dict[tuple[str, int | None], list[Callable[[], object]]] = {}
# How often Lambda throttles a function before it runs, by its name.
THROTTLES: dict[str, list[Callable[[], object]]] = {}
# Far more than it takes: a busy machine is slow, not wrong.
DEADLINE_SECONDS = 120
WAIT_SECONDS = 60
# Of a step that nobody answers: long enough for its function to run.
SHORT = 3
REQUEST = {
    "to": {"whatsapp": "+14255550156", "sms": "+14255550156", "email": "ana@example.com"},
    "content": {"text": "Your code is 123456.", "subject": "Your code"},
}


T = TypeVar("T")


def until(fact: Callable[[], T | None]) -> T:
    """Waits for a visible fact; fails where it does not come true in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if found := fact():
            return found
        time.sleep(0.01)
    pytest.fail(f"not within {DEADLINE_SECONDS} seconds: {fact}")


class TooManyRequests(LambdaClientError):
    """Lambda has no capacity for an invocation; the function does not run."""

    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class PassedTime:
    """The functions' clock, which can be moved on without waiting."""

    def __init__(self) -> None:
        self._passed = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._passed

    def move_on(self, seconds: int) -> None:
        self._passed += timedelta(seconds=seconds)

    def busy_for(self, seconds: int) -> Callable[[Delivery], object]:
        """A provider's answer, after which this time has passed until it is called again."""

        def busy(_: Delivery) -> None:
            self.move_on(seconds)
            raise Unavailable("ThrottlingException")

        return busy


class ScriptedChannel:
    """A channel that answers by script: an error is raised, a function is called with the delivery
    (a receipt that is earlier than the answer), and without a script everything is taken."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.script: list[Exception | Callable[[Delivery], object]] = []
        self.sent: list[Delivery] = []

    def send(self, delivery: Delivery) -> str:
        self.sent.append(delivery)
        then = self.script.pop(0) if self.script else None
        if isinstance(then, Exception):
            raise then
        if then:
            then(delivery)
        return f"{self.name}-{delivery.attempt_id}"


class Flow:
    """One message on its way."""

    def __init__(self, state_machine_arn: str, channels: dict[str, ScriptedChannel]) -> None:
        self.state_machine_arn = state_machine_arn
        self._sfn = boto3.client("stepfunctions")
        self._execution = ""
        self.message_id = f"m{time.time_ns()}"
        self.channels = channels
        self.whatsapp, self.sms, self.email, self.voice = channels.values()
        self.store = Store(boto3.client("dynamodb"), TABLE, timedelta(days=1))

    def start(
        self,
        *steps: str | tuple[str, ...],
        wait: int = WAIT_SECONDS,
        first_wait: int | None = None,
        success: Success = Success.DELIVERED,
        expires_in: timedelta | None = None,
        on_request: int = 0,
    ) -> None:
        """The execution of a message that is added first."""
        plan = self.add(
            *steps,
            wait=wait,
            first_wait=first_wait,
            success=success,
            expires_in=expires_in,
            on_request=on_request,
        )
        self.execute(route_of(self.message_id, plan, CHANNELS))

    def add(
        self,
        *steps: str | tuple[str, ...],
        wait: int = WAIT_SECONDS,
        first_wait: int | None = None,
        success: Success = Success.DELIVERED,
        expires_in: timedelta | None = None,
        on_request: int = 0,
    ) -> Plan:
        """A message as the API leaves it: stored and planned. Here a wait may be shorter. The last
        step is repeated `on_request` times, each only if somebody asks for it.
        """
        waits = [first_wait or wait, *[wait] * len(steps)]
        asked = [_step(step, wait, success) for step, wait in zip(steps, waits, strict=False)]
        asked += [replace(asked[-1], wait_seconds=wait, on_request=True)] * on_request
        now = datetime.now(UTC)
        plan = make_plan(asked, dict.fromkeys(CHANNELS, wait))
        request = {**REQUEST, "steps": [{} for _ in asked], "category": "utility"}
        expires_at = now + expires_in if expires_in is not None else None
        self.store.messages.add(Message(self.message_id, now, plan, expires_at=expires_at), request)
        return plan

    def execute(self, document: Any, name: str | None = None) -> None:
        """A StartExecution, as another service may do it."""
        self.message_id = name or self.message_id
        started = self._sfn.start_execution(
            stateMachineArn=self.state_machine_arn, name=self.message_id, input=json.dumps(document)
        )
        self._execution = started["executionArn"]

    def follow(self, message_id: str) -> None:
        """From now on this message's execution, which something else started."""
        self.message_id = message_id
        self._execution = (
            self.state_machine_arn.replace("stateMachine", "execution") + f":{message_id}"
        )

    def before(self, attempt: int | None, happening: Callable[[], object]) -> None:
        """Does something just before the attempt's function runs (None: `Close message`'s)."""
        BEFORE.setdefault((self.message_id, attempt), []).append(happening)

    def receive(self, event: str, attempt: int = 1) -> None:
        """A provider's receipt for an attempt that was sent."""
        until(lambda: self.sent(attempt))
        self.receive_now(event, attempt)

    def receive_now(self, event: str, attempt: int = 1) -> None:
        channel = event.partition("_")[0].replace("ses", "email")
        provider_id = f"{channel}-{self.message_id}.{attempt}"
        text = event_of(event, self.message_id, attempt, provider_id)
        record_receipt.handler(sns(text), CONTEXT)

    def control(self, action: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer to `POST /v1/messages/{id}/<action>`, with its HTTP status as `http`."""
        event = {
            "resource": f"/messages/{{id}}/{action}",
            "pathParameters": {"id": self.message_id},
            "body": json.dumps(body or {}),
        }
        response = control_message.handler(event, CONTEXT)
        return {"http": response["statusCode"], **json.loads(response["body"])}

    def confirm(self) -> dict[str, Any]:
        return self.control("confirm")

    def advance(self, step: int) -> dict[str, Any]:
        return self.control("advance", {"step": step})

    def cancel(self) -> dict[str, Any]:
        return self.control("cancel")

    def sent(self, attempt: int) -> Any:
        """The attempt, once it has its provider's id and so was noted as sent."""
        found = self.history().attempt(attempt)
        return found if found and found.provider_id else None

    def history(self) -> MessageHistory:
        return self.store.messages.history(self.message_id)

    def statuses(self) -> list[str]:
        return [attempt.status.value for attempt in self.history().attempts]

    def finish(self) -> tuple[str, list[str]]:
        """How the execution ended, and the states it entered in their order."""
        until(lambda: self.describe()["status"] != "RUNNING")
        return self.describe()["status"], self.entered()

    def stop(self) -> None:
        """A StopExecution, as somebody may do it in the console."""
        self._sfn.stop_execution(executionArn=self._execution)

    def failures(self) -> list[tuple[str, str]]:
        """Error and cause of each failed attempt, as the console shows them."""
        details = (
            event.get("taskFailedEventDetails") or event.get("taskTimedOutEventDetails")
            for event in self.events()
        )
        return [(one["error"], one.get("cause", "")) for one in details if one]

    def entered(self) -> list[str]:
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in self.events()
            if "stateEnteredEventDetails" in event
        ]

    def events(self) -> Any:
        return self._sfn.get_execution_history(executionArn=self._execution, maxResults=1000)[
            "events"
        ]

    def describe(self) -> Any:
        return self._sfn.describe_execution(executionArn=self._execution)

    def output(self) -> Any:
        return json.loads(self.describe()["output"])


def _step(step: str | tuple[str, ...], wait: int, success: Success) -> RequestedStep:
    if isinstance(step, str):
        return RequestedStep((step,), wait_seconds=wait, success=success)
    return RequestedStep(step, broadcast=True, wait_seconds=wait, success=success)


def _invoke(
    _: LambdaSimpleBackend,
    function_name: str,
    _qualifier: str | None,
    body: str | bytes,
    _headers: object,
    response_headers: dict[str, str],
) -> bytes:
    """Calls the handler itself; what it raises is reported by its class, as Lambda does it."""
    name, event = function_name.rsplit(":", 1)[-1], json.loads(body)
    if throttles := THROTTLES.get(name):
        throttles.pop()()
        raise TooManyRequests
    handler: Any = FUNCTIONS[name]
    try:
        for happening in BEFORE.pop((event["message_id"], event.get("attempt")), []):
            happening()
        return json.dumps(handler(event, CONTEXT)).encode()
    except Exception as error:  # noqa: BLE001 - Lambda reports whatever a function raises
        response_headers["x-amz-function-error"] = "Unhandled"
        return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}).encode()


def definition() -> str:
    """The workflow file with its substitutions made."""
    text = ASL.read_text()
    for name in FUNCTIONS:
        pascal = name.title().replace("_", "")
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        text = text.replace(f"${{{pascal}FunctionArn}}", arn)
    return text


@pytest.fixture(scope="package")
def state_machine() -> Iterator[str]:
    behave_as_aws()
    with aws(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(LambdaSimpleBackend, "invoke", _invoke)
        made = boto3.client("stepfunctions").create_state_machine(
            name="DeliverMessage",
            definition=definition(),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/DeliverMessage",
        )
        assert made["stateMachineArn"] == ENVIRONMENT["STATE_MACHINE_ARN"]
        yield made["stateMachineArn"]


@pytest.fixture
def flow(state_machine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:
    """Nothing that a test started goes on when the next one has put its channels in place."""
    channels = {name: ScriptedChannel(name) for name in CHANNELS}
    monkeypatch.setattr(send_message, "channel", channels.__getitem__)
    before = set(threading.enumerate())
    yield Flow(state_machine, channels)
    stop_what_runs(state_machine)
    until(lambda: before.issuperset(threading.enumerate()))


def stop_what_runs(state_machine: str) -> None:
    sfn = boto3.client("stepfunctions")
    pages = sfn.get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=state_machine, statusFilter="RUNNING"):
        for execution in page["executions"]:
            sfn.stop_execution(executionArn=execution["executionArn"])


@pytest.fixture
def time_passes(monkeypatch: pytest.MonkeyPatch, no_jitter: None) -> Iterator[PassedTime]:
    """Retries come at once; how long they took is told to the functions."""
    del no_jitter
    passed = PassedTime()
    monkeypatch.setattr(send_message, "now", passed.now)
    yield passed
    THROTTLES.clear()


@pytest.fixture
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry comes at once."""
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)
