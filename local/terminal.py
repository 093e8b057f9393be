"""The launcher's output: steps with their durations, the events of a message, the next steps."""

import json
import shlex
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.text import Text

from local.addresses import ROOT, Addresses
from local.first_message import REQUEST, ExecutionEvent
from local.stack import Stack

console = Console(highlight=False, soft_wrap=True)


def print_error(sentence: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(sentence))


@contextmanager
def step(what: str) -> Iterator[None]:
    """Shows a step while it runs, and then how long it took."""
    start = time.monotonic()
    if console.is_terminal:
        with console.status(f"{what} …"):
            yield
        console.print(f"{what}: {time.monotonic() - start:.1f} s", style="dim")
    else:
        console.print(f"{what} …")
        yield


def show_events(events: Iterable[ExecutionEvent], since: datetime) -> list[str]:
    """Prints each event with the seconds since then; returns the names of the states entered."""
    states = []
    for event in events:
        print_event(event, (event.at - since).total_seconds())
        if event.state_entered:
            states.append(event.text)
    return states


def print_event(event: ExecutionEvent, seconds: float) -> None:
    if event.state_entered:
        text = Text(event.text, style="bold")
    elif event.succeeded:
        text = Text(f"  ✓ {event.text}", style="green")
    else:
        text = Text(f"  ✗ {event.text}", style="red")
    console.print(Text(f"{seconds:7.2f} s  "), text, sep="")


def show_next_steps(stack: Stack) -> None:
    addresses, deployment = stack.addresses, stack.deployment
    console.print()
    for name, value in (
        ("Console", addresses.console),
        ("Sign in", addresses.sign_in),
        ("API", deployment.api_url),
        ("Key", deployment.api_key),
        ("Send", curl(deployment.api_url, deployment.api_key)),
        ("AWS CLI", shell(addresses)),
        ("Sent", f"{addresses.simulator}/sent"),
        ("Logs", f"{addresses.state_folder.relative_to(ROOT)}/"),
        ("Stop", "Ctrl-C"),
    ):
        console.print(Text(f"{name:<8} ", style="bold"), Text(value), sep="")


def curl(url: str, key: str) -> str:
    body = shlex.quote(json.dumps(REQUEST | {"content": {"text": "Hello from Throughline."}}))
    return f"curl -s {url} -H 'X-Api-Key: {key}' -H 'Content-Type: application/json' -d {body}"


def shell(addresses: Addresses) -> str:
    port = addresses.base_port
    prefix = "" if port == Addresses.base_port else f"THROUGHLINE_PORT={port} "
    return f'eval "$({prefix}make -s env)"'
