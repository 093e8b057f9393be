"""The launcher: `python -m local run`, `demo` or `env`."""

import argparse
import contextlib
import os
import sys
import time

import httpx

from local import first_message
from local.addresses import Addresses
from local.errors import CannotRun
from local.processes import leave_out_the_users_settings
from local.stack import Stack, export_lines, running
from local.terminal import complain, console, show_how_to_go_on, show_moments, step


def main() -> int:
    commands = {"run": run, "demo": demo, "env": env}
    parser = argparse.ArgumentParser(prog="python -m local")
    parser.add_argument("command", choices=commands)
    command = commands[parser.parse_args().command]
    leave_out_the_users_settings()
    try:
        return command(Addresses.from_environment())
    except CannotRun as problem:
        complain(str(problem))
        return 1
    except KeyboardInterrupt:
        complain("\nStopped.")
        return 130


def run(addresses: Addresses) -> int:
    """Up, a first message, and then stays until Ctrl-C."""
    with running(addresses, step) as stack:
        deliver_a_first_message(stack)
        show_how_to_go_on(stack)
        stay(stack)
    console.print("\nStopped.")
    return 0


def demo(addresses: Addresses) -> int:
    """The same without staying; 0 if the message was delivered over SMS after WhatsApp failed."""
    with running(addresses, step) as stack:
        return 0 if deliver_a_first_message(stack) else 1


def env(addresses: Addresses) -> int:
    """Prints shell lines for the running stack."""
    lines = export_lines(addresses)
    if lines is None:
        raise CannotRun(f"Nothing runs on port {addresses.base_port}: start it with `make run`.")
    sys.stdout.write(f"{lines}\n")
    return 0


def deliver_a_first_message(stack: Stack) -> bool:
    """Sends it and shows its way; whether it fell back from WhatsApp to SMS and arrived."""
    deployment = stack.deployment
    console.print(f"\nA message to {first_message.SOMEBODY}, who is not on WhatsApp:")
    try:
        sent = first_message.send(deployment)
    except httpx.HTTPStatusError as error:
        response = error.response
        status = f"HTTP Error {response.status_code}: {response.reason_phrase}"
        console.print(f"The API refuses it: {status} {response.text}")
        return False
    states = show_moments(first_message.follow(stack.addresses, deployment, sent), sent.at)
    message = first_message.call_api(deployment, f"{deployment.api_url}/{sent.message_id}")
    arrived = first_message.fell_back_to_sms(states, message)
    if not arrived:
        console.print(f"That is not how it should go: the message is {message['status']}.")
    return arrived


def stay(stack: Stack) -> None:
    """Waits for Ctrl-C, or for the end of whoever started this. Raises CannotRun if a part ends."""
    parent = os.getppid()
    with contextlib.suppress(KeyboardInterrupt):
        while os.getppid() == parent:
            stack.parts.check()
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
