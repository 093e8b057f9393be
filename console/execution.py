"""What an execution has done so far, read from its history: which states it entered, in which
order, and how each one ended.

The events of a Parallel state's branches interleave; `previousEventId` links those of one branch.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, Self

from bench.usage import transitions

Event = Mapping[str, Any]

# The final event of an execution, and the status that Step Functions gives it.
ENDS: Final = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionAborted": "ABORTED",
    "ExecutionTimedOut": "TIMED_OUT",
}
# Errors that the functions report to a waiting state; the workflow does not retry after them.
REPORTED_ERRORS: Final = frozenset({"Refused", "Failed", "Expired", "InvalidRoute"})
# Those of which the caller of the message is the cause: its state did not fail.
CALLERS_ERRORS: Final = frozenset({"Advanced", "Cancelled"})
# Lambda has no capacity for an invocation, so the function did not run:
# docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
THROTTLED: Final = "Lambda.TooManyRequestsException"
CALLBACK: Final = ".waitForTaskToken"


class Condition(StrEnum):
    """The condition of a state that was entered."""

    RUNNING = "running"
    WAITING = "waiting"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"
    ENDED = "ended"


OPEN: Final = frozenset({Condition.RUNNING, Condition.WAITING, Condition.RETRYING})


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One run of a task. `until`: when it times out. `error` None: it succeeded or still runs."""

    at: datetime
    until: datetime | None
    ended_at: datetime | None
    error: str | None
    cause: str


@dataclass(frozen=True)
class Visit:
    """One time that a state was entered. `previous` None: the execution or a branch starts there.
    `calls_back`: it waits for a task token, so it is a sending state.
    """

    state: str
    previous: str | None
    entered_at: datetime
    exited_at: datetime | None
    condition: Condition
    runs: tuple[TaskRun, ...]
    calls_back: bool
    input: Mapping[str, Any]
    output: Mapping[str, Any]

    @property
    def ended(self) -> bool:
        return self.condition not in OPEN

    @property
    def until(self) -> datetime | None:
        """When it times out, while it waits."""
        return self.runs[-1].until if self.runs and not self.ended else None

    @property
    def failure(self) -> TaskRun | None:
        """Its last run, if that failed."""
        return self.runs[-1] if self.runs and self.runs[-1].error else None

    @property
    def channel(self) -> str:
        """The channel that it sends on, if it is a sending state."""
        return str(self.input.get("channel"))

    @property
    def attempt(self) -> int | None:
        """The number of the attempt that it sends, if it is a sending state."""
        number = self.input.get("attempt")
        return number if self.calls_back and isinstance(number, int) else None


@dataclass(frozen=True)
class Execution:
    """One execution, its visits in the order in which the states were entered. `status` None: it is
    running. `transitions`: the state transitions that Step Functions bills.
    """

    input: Mapping[str, Any]
    started_at: datetime
    visits: tuple[Visit, ...]
    status: str | None
    ended_at: datetime | None
    error: str | None
    cause: str | None
    transitions: int

    @classmethod
    def read(cls, events: Sequence[Event]) -> Self:
        """From all events of its history in order; there is at least one."""
        last = events[-1]
        status = ENDS.get(last["type"])
        details = _details(last) if status else {}
        return cls(
            input=_json(_details(events[0]).get("input")),
            started_at=events[0]["timestamp"],
            visits=tuple(_visits(events, status)),
            status=status,
            ended_at=last["timestamp"] if status else None,
            error=details.get("error") or None,
            cause=details.get("cause") or None,
            transitions=transitions(events),
        )

    @cached_property
    def transitions_taken(self) -> frozenset[tuple[str, str]]:
        """Each pair of a state and the state that was entered after it."""
        return frozenset((one.previous, one.state) for one in self.visits if one.previous)

    @cached_property
    def ended_in(self) -> str | None:
        """The state after which the execution succeeded."""
        return self.visits[-1].state if self.status == "SUCCEEDED" and self.visits else None

    @property
    def started_with_route(self) -> bool:
        """Whether its input is a route, as for messages of the API, and not a request: the rule of
        the workflow's first state.
        """
        names = set(self.input)
        return {"message_id", "channel"} <= names and not {"to", "steps"} & names

    def visits_of(self, state: str) -> list[Visit]:
        return [one for one in self.visits if one.state == state]


def _visits(events: Sequence[Event], status: str | None) -> Iterable[Visit]:
    by_id = {event["id"]: event for event in events}
    for own in _events_of_each_visit(events):
        before = by_id.get(own[0].get("previousEventId", 0))
        yield _visit(own, before, status)


def _events_of_each_visit(events: Sequence[Event]) -> list[list[Event]]:
    visits: list[list[Event]] = []
    owners: dict[int, int] = {}
    latest: dict[str, int] = {}
    for event in events:
        if entered := event.get("stateEnteredEventDetails"):
            owner: int | None = len(visits)
            latest[entered["name"]] = len(visits)
            visits.append([])
        elif exited := event.get("stateExitedEventDetails"):
            owner = latest[exited["name"]]
        else:
            owner = owners.get(event.get("previousEventId", 0))
        if owner is not None:
            owners[event["id"]] = owner
            visits[owner].append(event)
    return visits


def _visit(events: Sequence[Event], before: Event | None, status: str | None) -> Visit:
    entered = events[0]
    exit_ = next((event for event in events if "stateExitedEventDetails" in event), None)
    runs = tuple(_runs(events))
    return Visit(
        state=entered["stateEnteredEventDetails"]["name"],
        previous=(before or {}).get("stateExitedEventDetails", {}).get("name"),
        entered_at=entered["timestamp"],
        exited_at=exit_["timestamp"] if exit_ else None,
        condition=_condition(events, runs, status if exit_ is None else "EXITED"),
        runs=runs,
        calls_back=any(map(_calls_back, events)),
        input=_json(entered["stateEnteredEventDetails"].get("input")),
        output=_json(exit_["stateExitedEventDetails"].get("output")) if exit_ else {},
    )


def _runs(events: Sequence[Event]) -> Iterable[TaskRun]:
    starts = [number for number, event in enumerate(events) if event["type"] == "TaskScheduled"]
    for start, end in pairwise([*starts, len(events)]):
        yield _run(events[start], events[start + 1 : end])


def _run(scheduled: Event, events: Sequence[Event]) -> TaskRun:
    end = next((event for event in events if event["type"] in _RUN_ENDS), None)
    details = _details(end) if end else {}
    seconds = _details(scheduled).get("timeoutInSeconds")
    return TaskRun(
        at=scheduled["timestamp"],
        until=scheduled["timestamp"] + timedelta(seconds=seconds) if seconds else None,
        ended_at=end["timestamp"] if end else None,
        error=details.get("error"),
        cause=details.get("cause") or "",
    )


_RUN_ENDS = {"TaskSucceeded", "TaskFailed", "TaskTimedOut", "TaskSubmitFailed", "TaskStartFailed"}


def _condition(events: Sequence[Event], runs: Sequence[TaskRun], ended: str | None) -> Condition:
    """`ended`: `EXITED` if the state was exited, else the status of the execution."""
    if events[0]["type"] == "FailStateEntered":
        return Condition.FAILED
    if ended in {"ABORTED", "TIMED_OUT"}:
        return Condition.STOPPED
    error = runs[-1].error if runs else None
    if error is not None:
        return _after_a_failure(error, ended)
    if ended is None:
        waits = events[-1]["type"] == "TaskSubmitted" and _calls_back(events[-1])
        return Condition.WAITING if waits else Condition.RUNNING
    return Condition.FAILED if ended == "FAILED" else Condition.SUCCEEDED


def _after_a_failure(error: str, ended: str | None) -> Condition:
    if error == "States.Timeout":
        return Condition.TIMED_OUT
    if error in CALLERS_ERRORS:
        return Condition.ENDED
    return Condition.FAILED if ended or error in REPORTED_ERRORS else Condition.RETRYING


def _calls_back(event: Event) -> bool:
    return str(_details(event).get("resource", "")).endswith(CALLBACK)


def _details(event: Event) -> Mapping[str, Any]:
    """An event's details, which stand under a name of its type's own."""
    found: Mapping[str, Any] = next(
        (value for name, value in event.items() if name.endswith("EventDetails")), {}
    )
    return found


def _json(text: str | None) -> Mapping[str, Any]:
    """A state's input or output if it is an object; anything else is of no use here."""
    value = json.loads(text) if text else None
    return value if isinstance(value, dict) else {}
