"""The Step Functions engine stays small while executions wait, and keeps those that ended."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import boto3
import pytest

from local.addresses import ACCOUNT, CREDENTIALS, HOST, REGION
from local.processes import Parts, clean_environment, wait_until_ready

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

WAITING = 300
A_DAY = 86_400
ROLE = f"arn:aws:iam::{ACCOUNT}:role/DeliverMessage"
INPUT = json.dumps({"wait_seconds": A_DAY, "steps": [{"channel": "sms", "text": "x" * 1_000}]})
WAIT = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Parameters": {"FunctionName": "SendMessage", "Payload": {"token.$": "$$.Task.Token"}},
    "TimeoutSecondsPath": "$.wait_seconds",
    "End": True,
}
WAIT_FOR_A_RECEIPT = {"StartAt": "Send SMS", "States": {"Send SMS": WAIT}}
FOUR_STATES = {
    "StartAt": "1",
    "States": {
        **{str(one): {"Type": "Pass", "Next": str(one + 1)} for one in range(1, 4)},
        "4": {"Type": "Pass", "End": True},
    },
}


class Functions(BaseHTTPRequestHandler):
    """Lambda, whose functions return at once and keep the task token that they were given."""

    tokens: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.tokens.append(event["token"])
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"null")

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Engine:
    """The engine in a process of its own."""

    pid: int
    url: str
    tokens: list[str] = field(default_factory=lambda: Functions.tokens)

    @cached_property
    def client(self) -> "SFNClient":
        return boto3.client(
            "stepfunctions",
            REGION,
            endpoint_url=self.url,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def machine(self, name: str, definition: object) -> str:
        made = self.client.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=ROLE
        )
        return made["stateMachineArn"]

    def start(self, machine: str, number: int) -> list[str]:
        return [
            self.client.start_execution(stateMachineArn=machine, input=INPUT)["executionArn"]
            for _ in range(number)
        ]

    def count(self, machine: str, status: Any) -> int:
        pages = self.client.get_paginator("list_executions").paginate(
            stateMachineArn=machine, statusFilter=status
        )
        return sum(len(page["executions"]) for page in pages)

    def status(self, name: str) -> int:
        """A number of /proc/PID/status: kilobytes or threads."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))

    def megabytes(self) -> float:
        return self.status("VmRSS") / 1024


def until(fact: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    functions = ThreadingHTTPServer((HOST, 0), Functions)
    functions.daemon_threads = True
    threading.Thread(target=functions.serve_forever, daemon=True).start()
    with ThreadingHTTPServer((HOST, 0), Functions) as unused:
        port = unused.server_port
    endpoint = {"AWS_ENDPOINT_URL": f"http://{HOST}:{functions.server_port}"}
    parts = Parts(tmp_path_factory.mktemp("engine"))
    try:
        part = parts.start(
            "engine",
            "local.engine",
            *("--port", str(port)),
            env=clean_environment() | CREDENTIALS | endpoint | {"MOTO_ACCOUNT_ID": ACCOUNT},
        )
        engine = Engine(part.process.pid, f"http://{HOST}:{port}")
        wait_until_ready(part, engine.url)
        yield engine
    finally:
        parts.stop()
        functions.shutdown()
        functions.server_close()


def test_the_engine_leaves_out_what_no_workflow_uses(engine: Engine) -> None:
    assert engine.megabytes() < 100


def test_executions_that_wait_for_a_day_take_no_more_memory_meanwhile(engine: Engine) -> None:
    machine = engine.machine("WaitForAReceipt", WAIT_FOR_A_RECEIPT)
    empty, idle = engine.megabytes(), engine.status("Threads")
    executions = engine.start(machine, WAITING)
    until(lambda: len(engine.tokens) == WAITING and engine.count(machine, "RUNNING") == WAITING)
    waiting = engine.megabytes()
    assert engine.status("Threads") - idle <= 2 * WAITING + 5
    assert waiting - empty < 60

    for _ in range(20):  # what the console and a person ask meanwhile
        assert engine.count(machine, "RUNNING") == WAITING
        engine.client.get_execution_history(executionArn=executions[0])
    assert engine.megabytes() - waiting < 3

    for execution in executions[:10]:
        engine.client.stop_execution(executionArn=execution)
    for token in engine.tokens:
        with suppress(engine.client.exceptions.TaskTimedOut):  # stopped
            engine.client.send_task_success(taskToken=token, output="{}")
    until(lambda: engine.status("Threads") <= idle + 5)
    assert engine.count(machine, "ABORTED") == 10
    assert engine.count(machine, "SUCCEEDED") == WAITING - 10


def test_the_api_still_returns_an_ended_execution_whole(engine: Engine) -> None:
    machine = engine.machine("Whole", FOUR_STATES)
    (execution,) = engine.start(machine, 1)
    client = engine.client
    until(lambda: client.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")

    described = client.describe_execution(executionArn=execution)
    assert (described["input"], json.loads(described["output"])) == (INPUT, json.loads(INPUT))
    events = client.get_execution_history(executionArn=execution)["events"]
    names = [one["stateEnteredEventDetails"]["name"] for one in events if "Entered" in one["type"]]
    assert names == ["1", "2", "3", "4"]
    assert (events[0]["type"], events[-1]["type"]) == ("ExecutionStarted", "ExecutionSucceeded")
    assert [one["id"] for one in events] == list(range(1, 11))
    stopped = client.stop_execution(executionArn=execution)
    assert stopped["stopDate"] == described["stopDate"]
    assert client.describe_execution(executionArn=execution)["status"] == "SUCCEEDED"
    assert client.list_map_runs(executionArn=execution)["mapRuns"] == []


def test_the_name_of_an_ended_execution_is_not_used_again(engine: Engine) -> None:
    machine = engine.machine("Named", FOUR_STATES)
    (execution,) = engine.start(machine, 1)
    until(lambda: engine.count(machine, "SUCCEEDED") == 1)
    name = execution.rpartition(":")[2]
    with pytest.raises(engine.client.exceptions.ExecutionAlreadyExists):
        engine.client.start_execution(stateMachineArn=machine, name=name, input=INPUT)
