"""What an execution has done so far, read from its history: which states it entered, from where,
and what became of each.

Branches of a Parallel state interleave in the history; each event names the one that led to it.
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

# How an execution can end, by the event that says so, in Step Functions' own words.
ENDS: Final = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionAborted": "ABORTED",
    "ExecutionTimedOut": "TIMED_OUT",
}
# The product's own answers to a waiting state: the workflow does not try again after them.
ANSWERS: Final = frozenset({"Refused", "Failed", "Expired"})
CALLBACK: Final = ".waitForTaskToken"


class Condition(StrEnum):
    """What became of a state that was entered."""

    RUNNING = "running"
    WAITING = "waiting"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"


OPEN: Final = frozenset({Condition.RUNNING, Condition.WAITING, Condition.RETRYING})


@dataclass(frozen=True, slots=True)
class Try:
    """One run of a task. `until`: when its time is over. No error: it went well or still runs."""

    at: datetime
    until: datetime | None
    ended_at: datetime | None
    error: str | None
    cause: str


@dataclass(frozen=True)
class Visit:
    """One time that a state was entered. `came_from` None: it is where the execution or a branch
    begins. `calls_back`: it waits with a task token, and so it is a sending state.
    """

    state: str
    came_from: str | None
    entered_at: datetime
    exited_at: datetime | None
    condition: Condition
    tries: tuple[Try, ...]
    calls_back: bool
    given: Mapping[str, Any]
    gave: Mapping[str, Any]

    @property
    def over(self) -> bool:
        return self.condition not in OPEN

    @property
    def until(self) -> datetime | None:
        """When its wait is over, while it waits."""
        return self.tries[-1].until if self.tries and not self.over else None

    @property
    def failure(self) -> Try | None:
        """Its last try, if that went wrong."""
        return self.tries[-1] if self.tries and self.tries[-1].error else None

    @property
    def attempt(self) -> int | None:
        """The number of the attempt that it sends, if it is a sending state."""
        number = self.given.get("attempt")
        return number if self.calls_back and isinstance(number, int) else None


@dataclass(frozen=True)
class Execution:
    """One execution: its visits in the order of their entering. `status` None: it runs.

    `transitions`: what Step Functions bills.
    """

    given: Mapping[str, Any]
    started_at: datetime
    visits: tuple[Visit, ...]
    status: str | None
    ended_at: datetime | None
    error: str | None
    cause: str | None
    transitions: int

    @classmethod
    def read(cls, events: Sequence[Event]) -> Self:
        """From all events of its history, in their order; there is at least the first."""
        last = events[-1]
        status = ENDS.get(last["type"])
        details = _details(last) if status else {}
        return cls(
            given=_json(_details(events[0]).get("input")),
            started_at=events[0]["timestamp"],
            visits=tuple(_visits(events, status)),
            status=status,
            ended_at=last["timestamp"] if status else None,
            error=details.get("error") or None,
            cause=details.get("cause") or None,
            transitions=transitions(events),
        )

    @cached_property
    def taken(self) -> frozenset[tuple[str, str]]:
        """The transitions that were made, from state to state."""
        return frozenset((one.came_from, one.state) for one in self.visits if one.came_from)

    @cached_property
    def ended_in(self) -> str | None:
        """The state after which the execution ended well."""
        return self.visits[-1].state if self.status == "SUCCEEDED" and self.visits else None

    @property
    def planned_elsewhere(self) -> bool:
        """Whether it was started with a route, as the API does, and not with a request: by the
        rules of the workflow's own first state.
        """
        return {"message_id", "channel"} <= set(self.given) and not {"to", "steps"} & set(
            self.given
        )

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
    tries = tuple(_tries(events))
    return Visit(
        state=entered["stateEnteredEventDetails"]["name"],
        came_from=(before or {}).get("stateExitedEventDetails", {}).get("name"),
        entered_at=entered["timestamp"],
        exited_at=exit_["timestamp"] if exit_ else None,
        condition=_condition(events, tries, status if exit_ is None else "EXITED"),
        tries=tries,
        calls_back=any(map(_calls_back, events)),
        given=_json(entered["stateEnteredEventDetails"].get("input")),
        gave=_json(exit_["stateExitedEventDetails"].get("output")) if exit_ else {},
    )


def _tries(events: Sequence[Event]) -> Iterable[Try]:
    starts = [number for number, event in enumerate(events) if event["type"] == "TaskScheduled"]
    for start, end in pairwise([*starts, len(events)]):
        yield _try(events[start], events[start + 1 : end])


def _try(scheduled: Event, events: Sequence[Event]) -> Try:
    end = next((event for event in events if event["type"] in _TRY_ENDS), None)
    details = _details(end) if end else {}
    seconds = _details(scheduled).get("timeoutInSeconds")
    return Try(
        at=scheduled["timestamp"],
        until=scheduled["timestamp"] + timedelta(seconds=seconds) if seconds else None,
        ended_at=end["timestamp"] if end else None,
        error=details.get("error"),
        cause=details.get("cause") or "",
    )


_TRY_ENDS = {"TaskSucceeded", "TaskFailed", "TaskTimedOut", "TaskSubmitFailed", "TaskStartFailed"}


def _condition(events: Sequence[Event], tries: Sequence[Try], ended: str | None) -> Condition:
    """`ended`: how the visit's end is known, by its own exit or by the execution's."""
    if events[0]["type"] == "FailStateEntered":
        return Condition.FAILED
    if ended in {"ABORTED", "TIMED_OUT"}:
        return Condition.STOPPED
    error = tries[-1].error if tries else None
    if error is not None:
        return _after_a_failure(error, ended)
    if ended is None:
        waits = events[-1]["type"] == "TaskSubmitted" and _calls_back(events[-1])
        return Condition.WAITING if waits else Condition.RUNNING
    return Condition.FAILED if ended == "FAILED" else Condition.SUCCEEDED


def _after_a_failure(error: str, ended: str | None) -> Condition:
    if error == "States.Timeout":
        return Condition.TIMED_OUT
    return Condition.FAILED if ended or error in ANSWERS else Condition.RETRYING


def _calls_back(event: Event) -> bool:
    return str(_details(event).get("resource", "")).endswith(CALLBACK)


def _details(event: Event) -> Mapping[str, Any]:
    """What an event says beside its type, under a name that is the type's own."""
    found: Mapping[str, Any] = next(
        (value for name, value in event.items() if name.endswith("EventDetails")), {}
    )
    return found


def _json(text: str | None) -> Mapping[str, Any]:
    """What a state was given or gave, if it is an object: what else it may be says nothing here."""
    value = json.loads(text) if text else None
    return value if isinstance(value, dict) else {}
