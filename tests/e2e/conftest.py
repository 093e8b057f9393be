"""One running stack for all tests here, on ports of its own, and how a test talks to it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import boto3
import httpx
import pytest

from local.http_client import http_client
from tests.support.aws import SAMPLE_ID, event_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 120
# Far more than it takes: a busy machine is slow, not wrong.
SECONDS_TO_HAPPEN = 120

T = TypeVar("T")


def eventually(look: Callable[[], T | None], seconds: float = SECONDS_TO_HAPPEN) -> T:
    """The first answer of `look` that is true, waited for."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {found!r}"
        time.sleep(0.05)
    return found


def free_port(count: int = 5) -> int:
    """The first of so many neighbouring ports that nobody uses, below those of outgoing calls."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    start = 10_000 + worker % 4 * 5_000 + os.getpid() % 200 * 20
    candidates = range(start, start + 1000, count)
    return next(p for p in candidates if not any(in_use(p + offset) for offset in range(count)))


def in_use(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def processes_of(port: int) -> list[str]:
    """The command lines of everything that belongs to the stack on this port."""
    address = f"http://127.0.0.1:{port}".encode()
    return [
        words
        for folder in Path("/proc").glob("[0-9]*")
        if address in readable(folder / "environ")
        and (words := readable(folder / "cmdline").replace(b"\0", b" ").decode())
    ]


def readable(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@dataclass(frozen=True)
class Launcher:
    """`python -m local COMMAND` on ports of its own, as a terminal would start it."""

    port: int
    process: "subprocess.Popen[str]"

    @classmethod
    def start(cls, command: str, port: int) -> "Launcher":
        process = subprocess.Popen(
            [sys.executable, "-m", "local", command],
            cwd=ROOT,
            env=os.environ | {"THROUGHLINE_PORT": str(port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return cls(port, process)

    def environment(self) -> dict[str, str]:
        """Waits until the stack is up; what `make env` would export."""
        known = ROOT / ".local" / str(self.port) / "stack.json"

        def look() -> dict[str, str] | None:
            if self.process.poll() is not None:
                pytest.fail(f"the launcher ended: {self.process.communicate()[0]}")
            if not known.exists():
                return None
            environment: dict[str, str] = json.loads(known.read_text())
            return environment

        return eventually(look, SECONDS_TO_START)

    def interrupt(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """What Ctrl-C does in a terminal; then as `end`."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        return self.end()

    def end(self) -> tuple[int, str]:
        """Waits for its end; its exit code and all that it has printed."""
        output, _ = self.process.communicate(timeout=SECONDS_TO_HAPPEN)
        shutil.rmtree(ROOT / ".local" / str(self.port), ignore_errors=True)
        return self.process.returncode, output


@dataclass(frozen=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: Any


@dataclass(frozen=True)
class Throughline:
    """The running product, by its HTTP API, its AWS resources and what its simulator received."""

    environment: dict[str, str]

    @cached_property
    def session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_REGION"],
        )

    @cached_property
    def engine(self) -> "SFNClient":
        return self.session.client(
            "stepfunctions", endpoint_url=self.environment["AWS_ENDPOINT_URL_SFN"]
        )

    @cached_property
    def queues(self) -> "SQSClient":
        return self.session.client("sqs", endpoint_url=self.environment["AWS_ENDPOINT_URL"])

    @cached_property
    def table(self) -> "DynamoDBClient":
        return self.session.client("dynamodb", endpoint_url=self.environment["AWS_ENDPOINT_URL"])

    def post(self, body: object, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._call(self.environment["THROUGHLINE_API_URL"], data, headers)

    def send(self, body: object) -> str:
        """The id of a message that the API has taken."""
        answer = self.post(body)
        assert answer.status == 202, answer.body
        message_id: str = answer.body["id"]
        return message_id

    def get(self, message_id: str, **headers: str) -> Answer:
        return self._call(f"{self.environment['THROUGHLINE_API_URL']}/{message_id}", None, headers)

    def control(self, message_id: str, action: str, body: object = None) -> Answer:
        """Confirms, advances or cancels the message."""
        url = f"{self.environment['THROUGHLINE_API_URL']}/{message_id}/{action}"
        return self._call(url, json.dumps(body or {}).encode(), {})

    def verify(self, body: object, **headers: str) -> Answer:
        """Starts a verification."""
        return self._call(self._verifications, json.dumps(body).encode(), headers)

    def started(self, body: object) -> str:
        """The id of a new verification."""
        answer = self.verify(body)
        assert answer.status == 202, answer.body
        verification_id: str = answer.body["id"]
        return verification_id

    def verification(self, verification_id: str) -> Answer:
        return self._call(f"{self._verifications}/{verification_id}", None, {})

    def check(self, verification_id: str, code: str, key: str | None = None, **body: str) -> Answer:
        """`key`: the idempotency key of the check."""
        headers = {} if key is None else {"Idempotency-Key": key}
        data = json.dumps({"code": code, **body}).encode()
        return self._call(f"{self._verifications}/{verification_id}/check", data, headers)

    def resend(self, verification_id: str) -> Answer:
        return self._call(f"{self._verifications}/{verification_id}/resend", b"{}", {})

    def cancel_verification(self, verification_id: str) -> Answer:
        return self._call(f"{self._verifications}/{verification_id}/cancel", b"{}", {})

    def finished(self, message_id: str, seconds: float = SECONDS_TO_HAPPEN) -> dict[str, Any]:
        """The message as GET tells it, once its execution has ended and it is final."""
        execution = self.execution(message_id)
        final = {"delivered", "sent", "undelivered", "expired", "rejected"}
        final |= {"confirmed", "cancelled"}

        def look() -> dict[str, Any] | None:
            running = execution_status(self, execution) in {None, "RUNNING"}
            message = self.get(message_id).body
            return message if not running and message.get("status") in final else None

        return eventually(look, seconds)

    def execution(self, name: str) -> str:
        machine = self.environment["STATE_MACHINE_ARN"]
        return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"

    def states(self, message_id: str) -> list[str]:
        """The states that the message's execution has entered, in their order."""
        history = self.engine.get_execution_history(executionArn=self.execution(message_id))
        entered = (event.get("stateEnteredEventDetails") for event in history["events"])
        return [state["name"] for state in entered if state]

    def sent(self, message_id: str) -> list[str]:
        """The channels of the calls that the simulator received for the message, in their order."""
        return [call["channel"] for call in self.calls(message_id)]

    def calls(self, message_id: str) -> list[dict[str, Any]]:
        """Those calls, with what was answered and which receipts followed."""
        simulator = self.environment["AWS_ENDPOINT_URL_SESV2"]
        calls: list[dict[str, Any]]
        calls = self._call(f"{simulator}/sent?message_id={message_id}", None, {}).body
        return calls

    def calls_to(self, recipient: str) -> list[dict[str, Any]]:
        """The calls that the simulator received for a recipient, in their order."""
        simulator = self.environment["AWS_ENDPOINT_URL_SESV2"]
        calls: list[dict[str, Any]]
        calls = self._call(f"{simulator}/sent?to={quote(recipient)}", None, {}).body
        return calls

    def report(self, provider_id: str, receipt: str) -> None:
        """Has a recipient report now, by one of the provider's words."""
        simulator = self.environment["AWS_ENDPOINT_URL_SESV2"]
        body = json.dumps({"provider_id": provider_id, "receipt": receipt}).encode()
        answer = self._call(f"{simulator}/receipts", body, {})
        assert answer.status == 200, answer.body

    def act(self, provider_id: str, act: str, **body: str) -> dict[str, Any]:
        """What a person does with a message on the recipient's phone."""
        simulator = self.environment["AWS_ENDPOINT_URL_SESV2"]
        url = f"{simulator}/phones/{provider_id}/{act}"
        answer = self._call(url, json.dumps(body).encode(), {})
        assert answer.status == 200, answer.body
        done: dict[str, Any] = answer.body
        return done

    def publish(self, event: str, message_id: str) -> None:
        """Puts a provider's event for the first attempt of a message on the receipts topic."""
        topics = self.session.client("sns", endpoint_url=self.environment["AWS_ENDPOINT_URL"])
        topics.publish(
            TopicArn=self.environment["RECEIPTS_TOPIC_ARN"],
            Message=event_text(event).replace(SAMPLE_ID, message_id),
        )

    @contextmanager
    def setting(self, name: str, value: str) -> Iterator[None]:
        """An environment variable of the functions that have it, inside the block."""
        functions = self.session.client("lambda", endpoint_url=self.environment["AWS_ENDPOINT_URL"])
        before = {
            one["FunctionName"]: one["Environment"]["Variables"]
            for one in functions.list_functions()["Functions"]
            if name in one["Environment"]["Variables"]
        }
        assert before, f"no function has {name}"

        def update(**changed: str) -> None:
            for function, variables in before.items():
                functions.update_function_configuration(
                    FunctionName=function, Environment={"Variables": {**variables, **changed}}
                )

        update(**{name: value})
        try:
            yield
        finally:
            update()

    def phone(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """What the recipient's phone shows of a call: the content of the message."""
        simulator = self.environment["AWS_ENDPOINT_URL_SESV2"]
        to = quote(call["to"])
        thread = self._call(f"{simulator}/threads?channel={call['channel']}&to={to}", None, {}).body
        shown = {one.get("provider_id"): one.get("content") for one in thread["entries"]}
        content: dict[str, Any] = shown[call["provider_id"]]
        return content

    @property
    def _verifications(self) -> str:
        return f"{self.environment['THROUGHLINE_API_URL'].removesuffix('messages')}verifications"

    def _call(self, url: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        known = {
            "X-Api-Key": self.environment["THROUGHLINE_API_KEY"],
            "Content-Type": "application/json",
        }
        response = http_client().request(
            "GET" if data is None else "POST",
            url,
            content=data,
            headers=known | named,
            timeout=SECONDS_TO_HAPPEN,
        )
        return Answer(response.status_code, response.headers, response.json())


def execution_status(throughline: Throughline, execution: str) -> str | None:
    engine = throughline.engine
    try:
        return engine.describe_execution(executionArn=execution)["status"]
    except engine.exceptions.ExecutionDoesNotExist:
        return None


@contextmanager
def running_stack() -> Iterator[Throughline]:
    """A stack of one's own, up inside the block."""
    launcher = Launcher.start("run", free_port())
    try:
        yield Throughline(launcher.environment())
    finally:
        launcher.interrupt()


@pytest.fixture(scope="package")
def throughline() -> Iterator[Throughline]:
    with running_stack() as throughline:
        yield throughline
