"""What the API would say of a request: its mistakes, or its plan, in words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from console import words
from console.compose.recipients import ANYBODY
from messaging.api import requests
from messaging.domain.errors import InvalidRequest, Problem
from messaging.domain.messages import CHANNELS, Plan, PlannedAttempt
from operations import stack

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

HANDLER = "accept_message.handler"
WAITED_FOR = {
    "sent": "until the provider has taken it",
    "delivered": "for a delivery receipt",
    "read": "for a read receipt",
}


@dataclass(frozen=True)
class Defaults:
    """The stack's own senders and waits, by channel. `source` says where they are from."""

    senders: Mapping[str, str]
    waits: Mapping[str, int]
    source: str = ""


def defaults(functions: "LambdaClient", messages_table: str) -> Defaults:
    """As the deployed API has them: the environment of the function that accepts messages.

    The function is found by its handler and by the table that it is told, which no other stack's
    is; its name is CloudFormation's affair, and the stack's name is none of the console's locally.
    Whoever may not read functions gets what `cdk.json` says, and is told so.
    """
    try:
        found = _accept_function(functions, messages_table)
    except ClientError as error:
        return _from_context(f"{error.response['Error']['Code']} when the functions were read")
    return _from_environment(found) if found else _from_context("its functions were not found")


def _accept_function(functions: "LambdaClient", messages_table: str) -> Mapping[str, str] | None:
    pages = functions.get_paginator("list_functions").paginate()
    environments = (
        _environment(one)
        for page in pages
        for one in page["Functions"]
        if one.get("Handler") == HANDLER
    )
    return next((one for one in environments if one.get("MESSAGES_TABLE") == messages_table), None)


def _environment(function: "FunctionConfigurationTypeDef") -> Mapping[str, str]:
    return function.get("Environment", {}).get("Variables", {})


def _from_environment(variables: Mapping[str, str]) -> Defaults:
    return Defaults(
        {channel: variables[f"{channel.upper()}_SENDER"] for channel in CHANNELS},
        {channel: int(variables[f"{channel.upper()}_WAIT_SECONDS"]) for channel in CHANNELS},
    )


def _from_context(why: str) -> Defaults:
    context = json.loads((stack.ROOT / "cdk.json").read_text())["context"]
    return Defaults(
        {channel: context[f"{channel}_sender"] for channel in CHANNELS},
        {channel: context[f"{channel}_wait_seconds"] for channel in CHANNELS},
        f"Senders and waits are those of cdk.json, not the stack's own: {why}.",
    )


@dataclass(frozen=True)
class Judged:
    """What the API would answer: the wrong fields, and the plan where the steps make one."""

    problems: tuple[Problem, ...]
    plan: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    expires: str = ""


def judge(request: Mapping[str, Any], stack_has: Defaults) -> Judged:
    """By the code that the API itself runs."""
    problems: tuple[Problem, ...] = ()
    try:
        checked = requests.check(request, stack_has.senders)
    except InvalidRequest as error:
        problems = tuple(error.problems)
        skeleton = _steps_alone(request)
        if skeleton is None:
            return Judged(problems)
        checked = skeleton
    plan = checked.message("0", datetime.now(UTC), stack_has.waits).plan
    return Judged(
        problems,
        tuple(_told(checked, plan, stack_has)),
        tuple(f"Step {one.step} is left out: {one.reason}." for one in plan.dropped),
        _seconds(checked.expires_in_seconds or 0),
    )


def _steps_alone(request: Mapping[str, Any]) -> requests.Request | None:
    """The same steps with all that they need, if they are right by themselves: their plan can be
    shown while recipients and words are still missing.
    """
    steps = request.get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        return None
    own = ("channel", "broadcast", "wait_seconds", "success")
    whole = {
        "to": ANYBODY,
        "content": {"text": "Hello", "subject": "Hello"},
        "steps": [{name: step[name] for name in own if name in step} for step in steps],
    }
    if "expires_in_seconds" in request:
        whole["expires_in_seconds"] = request["expires_in_seconds"]
    try:
        return requests.check(whole, dict.fromkeys(CHANNELS, "any"))
    except InvalidRequest:
        return None


def _told(request: requests.Request, plan: Plan, stack_has: Defaults) -> Iterator[str]:
    """One sentence for each step that the plan has; the last one says how it ends."""
    numbers = sorted({attempt.step for attempt in plan.attempts})
    for number in numbers:
        attempts = [attempt for attempt in plan.attempts if attempt.step == number]
        asked = request.steps[number - 1].wait_seconds
        waits = [_wait(one, asked, stack_has.waits) for one in attempts]
        otherwise = "; else" if number != numbers[-1] else "; else it ends as undelivered."
        yield f"{_tried(attempts, waits)}{otherwise}"


def _tried(attempts: list[PlannedAttempt], waits: list[str]) -> str:
    awaited = WAITED_FOR[attempts[0].success]
    names = [words.channel(one.channel) for one in attempts]
    if len(attempts) == 1:
        return f"{words.capital(names[0])}, up to {waits[0]} {awaited}"
    each = ", ".join(f"{wait} for {name}" for name, wait in zip(names, waits, strict=True))
    wait = waits[0] if len(set(waits)) == 1 else each
    together = f"{words.capital(words.listed(names))} at once"
    return f"{together}, up to {wait} {awaited}; one that gets through is enough"


def _wait(attempt: PlannedAttempt, asked: int | None, waits: Mapping[str, int]) -> str:
    wanted = waits[attempt.channel] if asked is None else asked
    said = _seconds(attempt.wait_seconds)
    if attempt.wait_seconds < wanted:
        return f"{said} (cut from {_seconds(wanted)}, since it expires then)"
    return f"{said} (the stack's own wait)" if asked is None else said


def _seconds(seconds: int) -> str:
    """`45 s`, `2 min`, `1 min 30 s`, `24 h`."""
    hours, rest = divmod(seconds, 3600)
    parts = ((hours, "h"), (rest // 60, "min"), (rest % 60, "s"))
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)
