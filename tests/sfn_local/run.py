"""Runs a case on the engine that a client talks to, and tells which path it took."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.sfn_local.cases import Case
from tests.support.plans import CHANNELS

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

DEADLINE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Run:
    """How an execution went; `tries` counts the calls of functions, retries among them."""

    status: str
    entered: tuple[str, ...]
    tries: int


def run(client: "SFNClient", state_machine_arn: str, case: Case) -> Run:
    execution = client.start_execution(
        stateMachineArn=state_machine_arn, input=json.dumps(case.input)
    )["executionArn"]
    status = _ended(client, execution)
    events: Sequence[Any] = client.get_execution_history(executionArn=execution, maxResults=1000)[
        "events"
    ]
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in events
        if "stateEnteredEventDetails" in event
    ]
    tries = sum(event["type"] == "TaskScheduled" for event in events)
    return Run(status, _branch_by_branch(entered), tries)


def _ended(client: "SFNClient", execution: str) -> str:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        status = client.describe_execution(executionArn=execution)["status"]
        if status != "RUNNING":
            return status
        time.sleep(0.02)
    raise TimeoutError(f"{execution} still runs after {DEADLINE_SECONDS} seconds")


def _branch_by_branch(entered: list[str]) -> tuple[str, ...]:
    """The branches of a broadcast run at once; here the states of each one stand together."""
    if "Broadcast" not in entered:
        return tuple(entered)
    first, after = entered.index("Broadcast") + 1, entered.index("Anyone reached?")
    branches = sorted(entered[first:after], key=_channel)
    return (*entered[:first], *branches, *entered[after:])


def _channel(state: str) -> int:
    return next(order for order, one in enumerate(CHANNELS) if one in state.lower())
