"""Sends messages to a running stack, waits until they have ended, and collects their facts."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from bench.figures import PostedMessage
from bench.scenarios import LoadScenario
from bench.verdicts import attempt_of
from local import first_message
from local.errors import CannotRun
from local.http_client import http_client
from local.processes import until
from local.stack import Stack

SENDERS = 8
READERS = 2
SECONDS_WITHOUT_PROGRESS = 90
SECONDS_BETWEEN_POLLS = 2
# A poll takes the engine time for each running execution; the pause is this multiple of that time.
PAUSE_PER_POLL = 20
ALL_CALLS = 20_000
SECONDS_TO_LIST_CALLS = 60

# Called with the number of messages that have ended.
Progress = Callable[[int], None]


@dataclass(frozen=True)
class LoadedMessage:
    """One message: as posted, as the API returns it, its provider calls and its history."""

    posted: PostedMessage
    message: Mapping[str, Any]
    calls: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ApiCall:
    """The response of the API, when it was called (Unix time), and how long it took."""

    response: Mapping[str, Any]
    at: float
    seconds: float


@dataclass
class Load:
    """The messages of one load, and how many of them have ended."""

    stack: Stack
    posted: list[PostedMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._engine = first_message.engine_client(self.stack.addresses)

    def send(self, scenarios: Sequence[LoadScenario], per_second: float | None = None) -> None:
        """With a rate, the latency of a message counts from when it was due: an open load does not
        wait until the stack has responded to the messages before it.
        """
        start = time.time()
        with ThreadPoolExecutor(SENDERS) as senders:
            turns = [
                senders.submit(
                    self._send_at, one, start + number / per_second if per_second else None
                )
                for number, one in enumerate(scenarios)
            ]
            self.posted = [turn.result() for turn in turns]

    def _send_at(self, scenario: LoadScenario, due: float | None) -> PostedMessage:
        time.sleep(max(0.0, (due or 0) - time.time()))
        call = self._call_api(self.url, scenario.request)
        return PostedMessage(call.response["id"], scenario, due or call.at, call.seconds)

    @property
    def url(self) -> str:
        """Where the load is posted to."""
        return self.stack.deployment.api_url

    def _call_api(self, url: str, body: Mapping[str, Any] | None = None) -> ApiCall:
        """Repeats the call while the usage plan of the API throttles it."""
        data = None if body is None else json.dumps(body).encode()
        for _ in until(SECONDS_WITHOUT_PROGRESS):
            at, start = time.time(), time.perf_counter()
            try:
                response = first_message.call_api(self.stack.deployment, url, data)
            except httpx.HTTPStatusError as error:
                refusal = error.response
                if refusal.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    raise
            else:
                return ApiCall(response, at, time.perf_counter() - start)
        raise CannotRun(f"The API has refused this machine for over a minute: {refusal.text}")

    def wait(self, progress: Progress) -> None:
        """Waits until no execution is running and no receipt is pending; what remains is lost."""
        last, since = -1, time.monotonic()
        while (polled := time.monotonic()) - since < SECONDS_WITHOUT_PROGRESS:
            ended = len(self.posted) - self._running()
            progress(ended)
            if ended == len(self.posted) and self._closed() and not self._pending_receipts():
                return
            if ended != last:
                last, since = ended, time.monotonic()
            took = time.monotonic() - polled
            time.sleep(max(SECONDS_BETWEEN_POLLS, PAUSE_PER_POLL * took))

    def _running(self) -> int:
        return len(self._executions("RUNNING"))

    def _closed(self) -> bool:
        closed = self._executions("SUCCEEDED") | self._executions("FAILED")
        return {one.message_id for one in self.posted} <= closed

    def _executions(self, status: Any) -> set[str]:  # noqa: ANN401 - a literal of boto3
        pages = self._engine.get_paginator("list_executions")
        machine = self.stack.deployment.outputs["StateMachineArn"]
        found = pages.paginate(
            stateMachineArn=machine, statusFilter=status, PaginationConfig={"PageSize": 1000}
        )
        return {one["name"] for page in found for one in page["executions"]}

    def _pending_receipts(self) -> bool:
        return bool(ask_simulator(self.stack, "/health")["under_way"])

    def facts(self) -> list[LoadedMessage]:
        """Read from the API and the simulator's list of calls, after all messages have ended."""
        calls = defaultdict(list)
        for call in ask_simulator(self.stack, f"/sent?limit={ALL_CALLS}"):
            calls[attempt_of(call)[0]].append(call)
        with ThreadPoolExecutor(READERS) as readers:
            return list(
                readers.map(lambda one: self._facts(one, calls[one.message_id]), self.posted)
            )

    def _facts(self, posted: PostedMessage, calls: Sequence[Mapping[str, Any]]) -> LoadedMessage:
        deployment = self.stack.deployment
        message = self._message(posted.message_id)
        machine = deployment.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:")
        history = first_message.history(self._engine, f"{machine}:{posted.message_id}")
        return LoadedMessage(posted, message, calls, history)

    def _message(self, message_id: str) -> Mapping[str, Any]:
        try:
            return self._call_api(f"{self.stack.deployment.api_url}/{message_id}").response
        except httpx.HTTPStatusError as error:
            return {"status": f"{error.response.status_code}", "attempts": [], "timeline": []}


def ask_simulator(stack: Stack, path: str) -> Any:  # noqa: ANN401 - JSON
    """The JSON response of the simulator to a GET."""
    url = f"{stack.addresses.simulator}{path}"
    return http_client().get(url, timeout=SECONDS_TO_LIST_CALLS).raise_for_status().json()


def ended_at(message: Mapping[str, Any]) -> float:
    """Unix time of the last event of the message."""
    moments = (datetime.fromisoformat(event["at"]) for event in message["timeline"])
    return max((at.timestamp() for at in moments), default=0.0)
