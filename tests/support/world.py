"""AWS as a world of its own clock, in which everything may happen between any two calls.

Each invocation of a function runs in a thread that stops before every call it makes, to the table,
to the workflow, to a provider, and after the provider has answered. Whoever holds the world decides
which one goes on, which one dies there, and whose call fails. `Workflow` simulates Step Functions.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import EndpointConnectionError

from messaging.domain.content import Delivery
from messaging.domain.errors import Ambiguous, Refused, Unavailable
from messaging.domain.messages import MessageHistory
from messaging.domain.statuses import CLOSED, MessageStatus
from messaging.store import Store
from tests.support.aws import CONTEXT
from tests.support.dynamodb import MemoryDynamoDB
from tests.support.plans import CHANNELS

RETRIES = {"send": 3, "resend": 5, "busy": 30, "close": 5, "plan": 5}
THROUGH = {"sent", "delivered", "confirmed"}
DEADLINE_SECONDS = 30


class Crash(BaseException):
    """The process is gone; no `except Exception` sees it."""


@dataclass(eq=False)
class Invocation:
    """One call of a handler. `heard` says whether anybody learns that it failed."""

    name: str
    handler: Callable[[Any, Any], object]
    event: Mapping[str, Any]
    ends: Callable[["Invocation"], None]
    heard: bool = True
    ended: bool = False
    answer: Any = None
    error: BaseException | None = None
    # Why it may not send, if it may not.
    forbidden: Callable[[], str] = str
    calls: int = 0
    wrote: bool = False
    _dies: bool = False
    _fails: bool = False
    _thread: threading.Thread | None = None
    _go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _stopped: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def step(self, *, die: bool = False, fail: bool = False) -> None:
        """Goes on until before its next call, or to its end; the call before which it stood may
        fail.
        """
        self._dies, self._fails = die, fail
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        else:
            self._go.release()
        assert self._stopped.acquire(timeout=DEADLINE_SECONDS)
        if self.ended:
            self._thread.join()
            self.ends(self)

    def pause(self) -> None:
        self._stopped.release()
        self._go.acquire()
        if self._dies:
            raise Crash

    def pause_before_aws(self) -> None:
        self.pause()
        if self._fails:
            raise EndpointConnectionError(endpoint_url="https://aws.example.com")

    def _run(self) -> None:
        _HERE.invocation = self
        try:
            self.answer = self.handler(self.event, CONTEXT)
        except BaseException as error:  # noqa: BLE001 - whoever holds the world looks at it
            self.error = error
        self.ended = True
        self._stopped.release()


_HERE = threading.local()


def here() -> Invocation:
    invocation: Invocation = _HERE.invocation
    return invocation


class Table:
    """The table as a function sees it: another may come before each call."""

    exceptions = MemoryDynamoDB.exceptions

    def __init__(
        self, table: MemoryDynamoDB, before_first_update: Callable[[Invocation], None]
    ) -> None:
        self._table = table
        self._before_first_update = before_first_update

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(*positional: Any, **named: Any) -> Any:
            here().pause_before_aws()
            here().calls += 1
            if operation == "update_item" and not here().wrote:
                here().wrote = True
                self._before_first_update(here())
            return getattr(self._table, operation)(*positional, **named)

        return call


@dataclass
class Provider:
    """One provider for all channels, who answers each attempt by its script."""

    scripts: dict[int, list[str]]
    calls: dict[int, list[str]] = field(default_factory=dict)
    forbidden: list[str] = field(default_factory=list)

    def send(self, delivery: Delivery) -> str:
        here().pause()
        number = delivery.attempt_id.number
        script = self.scripts.get(number, [])
        then = script.pop(0) if script else "taken"
        self.calls.setdefault(number, []).append(then)
        if why := here().forbidden():
            self.forbidden.append(f"attempt {number}: {why}")
        here().pause()
        if then in _ANSWERS:
            raise _ANSWERS[then](then)
        return f"provider-{number}"


_ANSWERS: dict[str, type[Exception]] = {
    "refused": Refused,
    "busy": Unavailable,
    "perhaps": Ambiguous,
}


@dataclass(eq=False)
class Wait:
    """A state that waits with a task token."""

    node: Mapping[str, Any]
    token: str
    entered_at: datetime
    ends_at: datetime
    retries: int = RETRIES["send"]
    retries_of: dict[str, int] = field(
        default_factory=lambda: {"Unavailable": RETRIES["busy"], "Resend": RETRIES["resend"]}
    )
    over: bool = False
    through: bool = False


# Errors after which a state is not tried again.
_FINAL = {"Refused", "Failed", "Expired", "Cancelled", "Advanced"}


class TaskTimedOut(Exception):
    pass


class TaskDoesNotExist(Exception):
    pass


class ExecutionAlreadyExists(Exception):
    pass


class Workflow:
    """Step Functions for one message, and the client that functions know it by."""

    exceptions = SimpleNamespace(
        TaskTimedOut=TaskTimedOut,
        TaskDoesNotExist=TaskDoesNotExist,
        ExecutionAlreadyExists=ExecutionAlreadyExists,
    )

    def __init__(self, world: "World") -> None:
        self._world = world
        self._node: Mapping[str, Any] = {}
        self._retries = dict(RETRIES)
        self._tokens = 0
        self.waits: list[Wait] = []
        self.status = self._input = ""
        self.closing = False

    # ---- what functions call

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803 - AWS's
        assert stateMachineArn
        here().pause()
        if self.status:
            raise ExecutionAlreadyExists(name)
        self.status, self._input = "RUNNING", input
        document = json.loads(input)
        if "channel" in document:
            self._enter(document)
        else:
            self._plan(document)

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803 - AWS's
        assert executionArn.endswith(self._world.message_id)
        return {"input": self._input}

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803 - AWS's
        wait = self._waiting(taskToken)
        wait.over, wait.through = True, json.loads(output)["status"] in THROUGH
        self._moved_on()

    def send_task_failure(self, *, taskToken: str, error: str, cause: str) -> None:  # noqa: N803 - AWS's
        assert isinstance(cause, str)
        self._failed(self._waiting(taskToken), error)

    def _waiting(self, token: str) -> Wait:
        here().pause_before_aws()
        for wait in self.waits:
            if wait.token == token and not wait.over:
                return wait
        raise TaskTimedOut(token) if token else TaskDoesNotExist

    # ---- what happens by itself

    def invocation_failed(self, token: str) -> None:
        """The state hears that its function failed, as long as it waits with this token."""
        for wait in self.live():
            if wait.token == token:
                self._failed(wait, "Lambda.Unknown")

    def time_out(self, now: datetime) -> None:
        for wait in self.live():
            if wait.ends_at <= now and not wait.over:
                self._give_up(wait)

    def live(self) -> list[Wait]:
        return [wait for wait in self.waits if not wait.over]

    def stop(self) -> None:
        self._end("ABORTED")

    # ---- the states

    def _enter(self, node: Mapping[str, Any]) -> None:
        self._node = node
        match node["channel"]:
            case "none":
                self._close()
            case "broadcast":
                requested = [node[channel] for channel in CHANNELS if node[channel]["requested"]]
                self.waits = [self._wait(one) for one in requested]
            case _:
                self.waits = [self._wait(node)]

    def _wait(self, node: Mapping[str, Any]) -> Wait:
        wait = Wait(node, "", self._world.now, self._world.now)
        self._send(wait)
        return wait

    def _send(self, wait: Wait) -> None:
        self._tokens += 1
        wait.token = f"token {self._tokens}"
        wait.ends_at = self._world.now + timedelta(seconds=wait.node["wait_seconds"])
        node = {name: wait.node[name] for name in ("attempt", "channel", "wait_seconds")}
        event = {"task_token": wait.token, "message_id": self._world.message_id, **node}
        event |= {"entered_at": wait.entered_at.isoformat()}
        self._world.invoke("send", event, self._send_ended)

    def _send_ended(self, invocation: Invocation) -> None:
        if invocation.error and invocation.heard:
            self.invocation_failed(invocation.event["task_token"])

    def _failed(self, wait: Wait, error: str) -> None:
        single = self._node["channel"] != "broadcast"
        if error == "Expired" and single:
            wait.over = True
            self._close()
        elif error == "Cancelled" and single:
            # Who cancels a message closes it, so EventBridge's rule passes this end over.
            self.status, self.waits = "FAILED", []
        elif error in _FINAL or not self._tries_again(wait, error):
            self._give_up(wait)
        else:
            self._send(wait)

    @staticmethod
    def _tries_again(wait: Wait, error: str) -> bool:
        if error in wait.retries_of:
            wait.retries_of[error] -= 1
            return wait.retries_of[error] >= 0
        wait.retries -= 1
        return wait.retries >= 0

    def _give_up(self, wait: Wait) -> None:
        wait.over = True
        self._moved_on()

    def _moved_on(self) -> None:
        if self.status != "RUNNING" or self.live():
            return
        if any(wait.through for wait in self.waits):
            self._end("SUCCEEDED")
        else:
            self._enter(self._node["otherwise"])

    def _plan(self, document: object) -> None:
        request = {"message_id": self._world.message_id, "request": document}
        event = {**request, "started_at": self._world.now.isoformat()}
        self._world.invoke("plan", event, self._planned)

    def _planned(self, invocation: Invocation) -> None:
        if self.status != "RUNNING":
            return
        if not invocation.error:
            self._enter(invocation.answer)
        elif self._again("plan"):
            self._plan(invocation.event["request"])

    def _close(self) -> None:
        self.waits, self.closing = [], True
        self._world.invoke("close", {"message_id": self._world.message_id}, self._closed)

    def _closed(self, invocation: Invocation) -> None:
        if self.status != "RUNNING":
            return
        if not invocation.error:
            self._end("SUCCEEDED" if invocation.answer["status"] in THROUGH else "FAILED")
        elif self._again("close"):
            self._close()

    def _again(self, state: str) -> bool:
        self._retries[state] -= 1
        if self._retries[state] < 0:
            self._end("FAILED")
        return self._retries[state] >= 0

    def _end(self, status: str) -> None:
        self.status, self.waits = status, []
        if status != "SUCCEEDED":
            started = int(self._world.started_at.timestamp() * 1000)
            detail = {"execution_status": status, "started_at": started}
            event = {"message_id": self._world.message_id, **detail}
            self._world.invoke("close", event, self._ended_and_closed)

    def _ended_and_closed(self, invocation: Invocation) -> None:
        """EventBridge tries again for a day."""
        if invocation.error:
            self._world.invoke("close", invocation.event, self._ended_and_closed)


class World:
    """One message, everything that happens to it, and what must never happen."""

    def __init__(
        self, message_id: str, now: datetime, handlers: Mapping[str, Any], provider: Provider
    ) -> None:
        self.message_id = message_id
        self.now = self.started_at = now
        self.provider = provider
        self.table = MemoryDynamoDB()
        self.workflow = Workflow(self)
        self.store = Store(self.table, "Messages", timedelta(days=30))  # type: ignore[arg-type] # the stand-in
        table: Any = Table(self.table, self._before_first_update)
        self.seen = Store(table, "Messages", timedelta(days=30))
        self.running: list[Invocation] = []
        self.ended: list[Invocation] = []
        self._handlers = handlers

    def invoke(
        self,
        function: str,
        event: Mapping[str, Any],
        ends: Callable[[Invocation], None],
        *,
        heard: bool = True,
    ) -> None:
        def over(invocation: Invocation) -> None:
            self.running.remove(invocation)
            self.ended.append(invocation)
            ends(invocation)

        self.running.append(Invocation(function, self._handlers[function], event, over, heard))

    def history(self) -> MessageHistory | None:
        known = (self.message_id, "message") in self.table.items
        return self.store.messages.history(self.message_id) if known else None

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.workflow.time_out(self.now)

    def kill_all(self) -> None:
        """Ends what still runs, so that no thread is left."""
        for one in [*self.running]:
            while not one.ended:
                one.step(die=True)

    def _before_first_update(self, invocation: Invocation) -> None:
        """An attempt is claimed by its function's first update: conditions that held then and still
        hold must prevent the send. What was only taken may fail in between.
        """
        history, now = self.history(), self.now
        if invocation.name != "send" or not history:
            return
        number = invocation.event["attempt"]
        then = _why_not_to_send(history, number, now)

        def why() -> str:
            history = self.history()
            assert history
            return then if then == _why_not_to_send(history, number, now) else ""

        invocation.forbidden = why


def _why_not_to_send(history: MessageHistory, number: int, now: datetime) -> str:
    step = history.message.plan.attempt(number).step
    others = [one for one in history.attempts if history.step(one) != step]
    if any(history.fulfilled(one) for one in others):
        return "another step had succeeded"
    if any(history.step(one) > step for one in others):
        return "a later step had begun"
    return next((why for why, holds in _of_message(history, step, now) if holds), "")


def _of_message(history: MessageHistory, step: int, now: datetime) -> Iterator[tuple[str, bool]]:
    message, asked_for = history.message, history.message.advanced_to
    yield "the message was confirmed", message.status is MessageStatus.CONFIRMED
    yield "the message was cancelled", message.cancelled_at is not None
    yield "the message was closed", message.status in CLOSED
    delivered = message.status is MessageStatus.DELIVERED
    yield "it was closed as delivered", delivered and history.success() is None
    yield "the caller had asked for a later step", step < asked_for
    on_request = message.plan.steps[step - 1].on_request
    yield "the caller had not asked for it", on_request and asked_for < step
    yield "the message had expired", message.expired(now)
