"""Previews a request: its problems as the API reports them, or its delivery plan as sentences."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from console import words
from console.compose.scenario_recipients import sample_address
from messaging.api import requests
from messaging.channels.catalog import channels
from messaging.domain.errors import InvalidRequest, Problem
from messaging.domain.plan import Plan, PlannedAttempt, PlannedStep
from operations import stack

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

HANDLER = "accept_message.handler"
AWAITED = {
    "sent": "until the provider accepts it",
    "delivered": "for a delivery receipt",
    "read": "for a read receipt",
}


@dataclass(frozen=True)
class StackDefaults:
    """The stack's senders and waits, by channel; `source` says so where they are not its own."""

    senders: Mapping[str, str]
    waits: Mapping[str, int]
    source: str = ""


def stack_defaults(functions: "LambdaClient", messages_table: str) -> StackDefaults:
    """Read from the environment of the deployed function that accepts messages.

    It is found by its handler and its table, since CloudFormation generates the functions' names.
    Where the functions cannot be read, the values are those of `cdk.json`.
    """
    reason = "its functions were not found"
    try:
        if found := _accept_function(functions, messages_table):
            return _by_channel(found)
    except ClientError as error:
        reason = f"reading its functions failed with {error.response['Error']['Code']}"
    context = json.loads((stack.ROOT / "cdk.json").read_text())["context"]
    values = {name.upper(): value for name, value in context.items()}
    source = f"Senders and waits are read from cdk.json, not from the stack: {reason}."
    return replace(_by_channel(values), source=source)


def _accept_function(functions: "LambdaClient", messages_table: str) -> Mapping[str, str] | None:
    """The environment of the function that accepts the messages of this table."""
    for page in functions.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            variables = function.get("Environment", {}).get("Variables", {})
            is_of_stack = variables.get("MESSAGES_TABLE") == messages_table
            if is_of_stack and function.get("Handler") == HANDLER:
                return variables
    return None


def _by_channel(values: Mapping[str, Any]) -> StackDefaults:
    """The environment's variables and the context's parameters have the same names."""
    return StackDefaults(
        {channel: values[f"{channel.upper()}_SENDER"] for channel in channels()},
        {channel: int(values[f"{channel.upper()}_WAIT_SECONDS"]) for channel in channels()},
    )


@dataclass(frozen=True)
class PlanPreview:
    """The problems, and the plan where the steps alone are valid."""

    problems: tuple[Problem, ...]
    plan: tuple[str, ...] = ()
    expires: str = ""


def preview(request: Mapping[str, Any], defaults: StackDefaults) -> PlanPreview:
    """Uses the API's own code."""
    problems: tuple[Problem, ...] = ()
    try:
        checked = requests.check(request, defaults.senders)
    except InvalidRequest as error:
        problems = tuple(error.problems)
        steps_alone = _steps_alone(request)
        if steps_alone is None:
            return PlanPreview(problems)
        checked = steps_alone
    plan = checked.message("0", datetime.now(UTC), defaults.waits).plan
    return PlanPreview(
        problems,
        tuple(_sentences(checked, plan, defaults)),
        _seconds(checked.expires_in_seconds or 0),
    )


def _steps_alone(request: Mapping[str, Any]) -> requests.Request | None:
    """The steps with sample recipients and content, so that there is a plan before these are
    entered; None where the steps are invalid.
    """
    steps = request.get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        return None
    own = ("channel", "broadcast", "wait_seconds", "success")
    sample = {
        "to": {channel: sample_address(channel) for channel in channels()},
        "content": {"text": "Hello", "subject": "Hello"},
        "steps": [{name: step[name] for name in own if name in step} for step in steps],
    }
    if "expires_in_seconds" in request:
        sample["expires_in_seconds"] = request["expires_in_seconds"]
    try:
        return requests.check(sample, dict.fromkeys(channels(), "any"))
    except InvalidRequest:
        return None


def _sentences(request: requests.Request, plan: Plan, defaults: StackDefaults) -> Iterator[str]:
    """One sentence for each step of the plan; the last one says how the plan ends."""
    for step in plan.steps:
        requested = request.steps[step.number - 1].wait_seconds
        waits = [_wait(one, requested, defaults.waits) for one in step.attempts]
        otherwise = (
            "; else" if step != plan.steps[-1] else "; otherwise the message is undelivered."
        )
        yield f"{_attempts_text(step, waits)}{otherwise}"


def _attempts_text(step: PlannedStep, waits: list[str]) -> str:
    awaited = AWAITED[step.success]
    names = [words.channel(one.channel) for one in step.attempts]
    if len(names) == 1:
        return f"{words.capital(names[0])}, up to {waits[0]} {awaited}"
    each = ", ".join(f"{wait} for {name}" for name, wait in zip(names, waits, strict=True))
    wait = waits[0] if len(set(waits)) == 1 else each
    together = f"{words.capital(words.listed(names))} at once"
    return f"{together}, up to {wait} {awaited}; one that gets through is enough"


def _wait(attempt: PlannedAttempt, requested: int | None, waits: Mapping[str, int]) -> str:
    wanted = waits[attempt.channel] if requested is None else requested
    text = _seconds(attempt.wait_seconds)
    if attempt.wait_seconds < wanted:
        return f"{text} (shortened from {_seconds(wanted)} because the message expires then)"
    return f"{text} (the stack's default)" if requested is None else text


def _seconds(seconds: int) -> str:
    """`45 s`, `2 min`, `1 min 30 s`, `24 h`."""
    hours, rest = divmod(seconds, 3600)
    parts = ((hours, "h"), (rest // 60, "min"), (rest % 60, "s"))
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)
