"""Sends messages to a running stack, waits for their ends, and gathers the facts about each."""

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
SECONDS_BETWEEN_LOOKS = 2
# A look costs the engine time for each execution that runs; so much is left between two of them.
REST_TO_A_LOOK = 20
ALL_CALLS = 20_000
SECONDS_TO_LIST_CALLS = 60

# Told how many messages are over, of the ones that were asked for.
Progress = Callable[[int], None]


@dataclass(frozen=True)
class MessageFacts:
    """One message: what was posted, what became of it, what its carriers got, how it went."""

    posted: PostedMessage
    message: Mapping[str, Any]
    calls: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ApiCall:
    """The API's answer, when it was asked (Unix time), and how long it took."""

    answer: Mapping[str, Any]
    at: float
    seconds: float


@dataclass
class Load:
    """Messages on their way. `a_second`: that many, or as fast as the API takes them."""

    stack: Stack
    progress: Progress
    posted: list[PostedMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._engine = first_message.engine_client(self.stack.addresses)

    def send(self, scenarios: Sequence[LoadScenario], a_second: float | None = None) -> None:
        """At a pace, a message counts from when its turn was: who offers them does not wait until
        the stack has answered those before it.
        """
        start = time.time()
        with ThreadPoolExecutor(SENDERS) as senders:
            turns = [
                senders.submit(self._send_at, one, start + number / a_second if a_second else None)
                for number, one in enumerate(scenarios)
            ]
            self.posted = [turn.result() for turn in turns]

    def _send_at(self, scenario: LoadScenario, turn: float | None) -> PostedMessage:
        time.sleep(max(0.0, (turn or 0) - time.time()))
        body = json.dumps(scenario.request).encode()
        asked = self._asked(self.stack.deployment.api_url, body)
        return PostedMessage(asked.answer["id"], scenario, turn or asked.at, asked.seconds)

    def _asked(self, url: str, body: bytes | None = None) -> ApiCall:
        """Again and again while the API has enough of this machine: its usage plan says so."""
        for _ in until(SECONDS_WITHOUT_PROGRESS):
            at, start = time.time(), time.perf_counter()
            try:
                answer = first_message.call_api(self.stack.deployment, url, body)
            except httpx.HTTPStatusError as error:
                if error.response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    raise
            else:
                return ApiCall(answer, at, time.perf_counter() - start)
        raise CannotRun("The API has throttled this machine for over a minute.")

    def wait(self) -> None:
        """Until no execution runs and no receipt is to come. What ends in neither way is lost."""
        last, since = -1, time.monotonic()
        while (looked := time.monotonic()) - since < SECONDS_WITHOUT_PROGRESS:
            over = len(self.posted) - self._running()
            self.progress(over)
            if over == len(self.posted) and self._closed() and not self._receipts_to_come():
                return
            if over != last:
                last, since = over, time.monotonic()
            took = time.monotonic() - looked
            time.sleep(max(SECONDS_BETWEEN_LOOKS, REST_TO_A_LOOK * took))

    def _running(self) -> int:
        return len(self._executions("RUNNING"))

    def _closed(self) -> bool:
        closed = self._executions("SUCCEEDED") | self._executions("FAILED")
        return {one.message_id for one in self.posted} <= closed

    def _executions(self, status: Any) -> set[str]:  # noqa: ANN401 - one of boto3's words
        pages = self._engine.get_paginator("list_executions")
        machine = self.stack.deployment.outputs["StateMachineArn"]
        found = pages.paginate(
            stateMachineArn=machine, statusFilter=status, PaginationConfig={"PageSize": 1000}
        )
        return {one["name"] for page in found for one in page["executions"]}

    def _receipts_to_come(self) -> bool:
        return bool(ask_simulator(self.stack, "/health")["under_way"])

    def facts(self) -> list[MessageFacts]:
        """Read through the API and the carriers' own list, after all is over."""
        calls = defaultdict(list)
        for call in ask_simulator(self.stack, f"/sent?limit={ALL_CALLS}"):
            calls[attempt_of(call)[0]].append(call)
        with ThreadPoolExecutor(READERS) as readers:
            return list(
                readers.map(lambda one: self._facts(one, calls[one.message_id]), self.posted)
            )

    def _facts(self, posted: PostedMessage, calls: Sequence[Mapping[str, Any]]) -> MessageFacts:
        deployment = self.stack.deployment
        message = self._message(posted.message_id)
        machine = deployment.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:")
        history = first_message.history(self._engine, f"{machine}:{posted.message_id}")
        return MessageFacts(posted, message, calls, history)

    def _message(self, message_id: str) -> Mapping[str, Any]:
        try:
            return self._asked(f"{self.stack.deployment.api_url}/{message_id}").answer
        except httpx.HTTPStatusError as error:
            return {"status": f"{error.response.status_code}", "attempts": [], "timeline": []}


def ask_simulator(stack: Stack, path: str) -> Any:  # noqa: ANN401 - JSON
    """The JSON response of the simulator to a GET."""
    url = f"{stack.addresses.simulator}{path}"
    return http_client().get(url, timeout=SECONDS_TO_LIST_CALLS).raise_for_status().json()


def ended_at(message: Mapping[str, Any]) -> float:
    """Unix time of the last thing that happened to it."""
    moments = (datetime.fromisoformat(event["at"]) for event in message["timeline"])
    return max((at.timestamp() for at in moments), default=0.0)
