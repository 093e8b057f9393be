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
from local.processes import ignore_user_settings, wait_until_ready
from local.stack import Stack, export_lines, running, start_sign_in_page
from local.terminal import console, print_error, show_events, show_next_steps, step


def main() -> int:
    commands = {"run": run, "demo": demo, "env": env}
    parser = argparse.ArgumentParser(prog="python -m local")
    parser.add_argument("command", choices=commands)
    command = commands[parser.parse_args().command]
    ignore_user_settings()
    try:
        return command(Addresses.from_environment())
    except CannotRun as problem:
        print_error(str(problem))
        return 1
    except KeyboardInterrupt:
        print_error("\nStopped.")
        return 130


def run(addresses: Addresses) -> int:
    """Starts the stack, sends a first message, and runs until Ctrl-C."""
    with running(addresses, step) as stack:
        sign_in_page = start_sign_in_page(stack)
        deliver_first_message(stack)
        wait_until_ready(sign_in_page, addresses.sign_in)
        show_next_steps(stack)
        run_until_stopped(stack)
    console.print("\nStopped.")
    return 0


def demo(addresses: Addresses) -> int:
    """Starts the stack and exits; 0 if the message was delivered by SMS after WhatsApp failed."""
    with running(addresses, step) as stack:
        return 0 if deliver_first_message(stack) else 1


def env(addresses: Addresses) -> int:
    """Prints the shell commands that point the AWS CLI and boto3 to the running stack."""
    lines = export_lines(addresses)
    if lines is None:
        raise CannotRun(
            f"No stack is running on port {addresses.base_port}: start it with `make run`."
        )
    sys.stdout.write(f"{lines}\n")
    return 0


def deliver_first_message(stack: Stack) -> bool:
    """Sends the first message and shows its execution; True if SMS delivered it as a fallback."""
    deployment = stack.deployment
    console.print(f"\nA message to {first_message.RECIPIENT}, which is not on WhatsApp:")
    try:
        sent = first_message.send(deployment)
    except httpx.HTTPStatusError as error:
        response = error.response
        status = f"HTTP Error {response.status_code}: {response.reason_phrase}"
        console.print(f"The API rejected the message: {status} {response.text}")
        return False
    states = show_events(first_message.follow(stack.addresses, deployment, sent), sent.at)
    message = first_message.call_api(deployment, f"{deployment.api_url}/{sent.message_id}")
    delivered = first_message.fell_back_to_sms(states, message)
    if not delivered:
        console.print(f"Not the expected result: the message is {message['status']}.")
    return delivered


def run_until_stopped(stack: Stack) -> None:
    """Waits for Ctrl-C or the end of the parent process. Raises CannotRun if a process ends."""
    parent = os.getppid()
    with contextlib.suppress(KeyboardInterrupt):
        while os.getppid() == parent:
            stack.parts.check()
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
