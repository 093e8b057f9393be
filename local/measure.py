"""Measures the local stack: how fast it calls and falls back, how much it carries, what it takes.

`make measure` brings up a stack of its own and prints a table; Linux only, for the memory.
"""

import json
import os
import statistics
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from local import first_message
from local.addresses import Addresses
from local.errors import CannotRun
from local.processes import leave_out_the_users_settings, until
from local.stack import Stack, running
from local.terminal import complain, console, step

WARMING = 10
MESSAGES = 50
SECONDS_BETWEEN = 0.2
BURST = 200
SENDERS = 8
SECONDS_TO_ARRIVE = 180

FALLING_BACK = first_message.REQUEST
REACHED = {
    "to": {"sms": "+12065550104"},
    "content": {"text": "Hello."},
    "steps": [{"channel": "sms"}],
}


@dataclass(frozen=True)
class Journey:
    """The seconds of one message that fell back from WhatsApp to SMS."""

    post_to_call: float
    failure_to_next_call: float


def main() -> int:
    leave_out_the_users_settings()
    try:
        addresses = Addresses.from_environment()
        with running(addresses, step) as stack:
            console.print(measured(stack))
    except CannotRun as problem:
        complain(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def measured(stack: Stack) -> Table:
    with step(f"Warming up with {WARMING} messages"):
        fall_back(stack, WARMING)
    with step(f"Sending {MESSAGES} messages that fall back, {1 / SECONDS_BETWEEN:.0f} a second"):
        journeys = fall_back(stack, MESSAGES)
    memory = memory_mb(stack)
    with step(f"Sending {BURST} messages as fast as the API takes them"):
        arrived, seconds = burst(stack)
    table = Table("", "p50", "p95", title="The local stack, warm")
    table.add_row("POST to the provider's call", *spread(one.post_to_call for one in journeys))
    table.add_row(
        "failure receipt to the next call", *spread(one.failure_to_next_call for one in journeys)
    )
    table.add_row(f"{BURST} messages", f"{BURST / seconds:.1f} /s", f"{BURST - arrived} lost")
    table.add_row(f"memory after {MESSAGES} messages", f"{memory} MB", "")
    return table


def spread(values: Iterable[float]) -> tuple[str, str]:
    """Median and 95th percentile as milliseconds."""
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return f"{cuts[9] * 1000:.0f} ms", f"{cuts[18] * 1000:.0f} ms"


def fall_back(stack: Stack, count: int) -> list[Journey]:
    posted: dict[str, float] = {}
    for _ in range(count):
        at = time.time()
        posted[post(stack, FALLING_BACK)] = at
        time.sleep(SECONDS_BETWEEN)
    wait_until_closed(stack, posted)
    return [journey(at, calls(stack, message_id)) for message_id, at in posted.items()]


def journey(posted: float, calls: list[dict[str, Any]]) -> Journey:
    whatsapp, sms = calls
    failure = next(one for one in whatsapp["receipts"] if one["receipt"].startswith("failed"))
    return Journey(
        seconds(whatsapp["asked_at"]) - posted,
        seconds(sms["asked_at"]) - seconds(failure["published_at"]),
    )


def burst(stack: Stack) -> tuple[int, float]:
    """How many of the messages arrived, and the seconds from the first POST to the last end."""
    start = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        sent = set(senders.map(lambda _: post(stack, REACHED), range(BURST)))
    wait_until_closed(stack, sent)
    passed = time.monotonic() - start
    return sum(message(stack, one)["status"] == "delivered" for one in sent), passed


def post(stack: Stack, body: object) -> str:
    """The id of the message; a throttled request is repeated, as a client would."""
    data = json.dumps(body).encode()
    for _ in until(SECONDS_TO_ARRIVE):
        try:
            answer = first_message.ask(stack.deployment, stack.deployment.api_url, data)
        except urllib.error.HTTPError as refusal:
            if refusal.code != 429:  # noqa: PLR2004 - too many requests
                raise
        else:
            return str(answer["id"])
    raise CannotRun("The API has throttled this machine for minutes.")


def message(stack: Stack, message_id: str) -> dict[str, Any]:
    return first_message.ask(stack.deployment, f"{stack.deployment.api_url}/{message_id}")


def wait_until_closed(stack: Stack, message_ids: Iterable[str]) -> None:
    waiting = set(message_ids)
    engine = first_message.engine_client(stack.addresses)
    machine = stack.deployment.outputs["StateMachineArn"]
    for _ in until(SECONDS_TO_ARRIVE, step=0.5):
        closed = {
            execution["name"]
            for page in engine.get_paginator("list_executions").paginate(stateMachineArn=machine)
            for execution in page["executions"]
            if execution["status"] != "RUNNING"
        }
        if waiting <= closed:
            return
    raise CannotRun(f"{len(waiting - closed)} messages have not ended in {SECONDS_TO_ARRIVE} s.")


def calls(stack: Stack, message_id: str) -> list[dict[str, Any]]:
    """What the carriers were asked for this message, in its order."""
    url = f"{stack.addresses.carriers}/sent?message_id={message_id}"
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - loopback
        listed: list[dict[str, Any]] = json.load(response)
        return listed


def seconds(time_text: str) -> float:
    return datetime.fromisoformat(time_text).timestamp()


def memory_mb(stack: Stack) -> int:
    """What all processes of the stack take; shared pages are counted once."""
    return sum(proportional_kb(pid) for pid in pids(stack)) // 1000


def pids(stack: Stack) -> Iterator[int]:
    groups = {*stack.parts.groups(), os.getpgrp()}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            group = os.getpgid(int(folder.name))
        except ProcessLookupError:
            continue
        if group in groups:
            yield int(folder.name)


def proportional_kb(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


if __name__ == "__main__":
    sys.exit(main())
