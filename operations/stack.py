"""The stack that the commands operate on: named in `cdk.json`, found through the environment."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parent.parent


def name() -> str:
    """The environment variable STACK, or else the stack_name of `cdk.json`."""
    if stack := os.environ.get("STACK"):
        return stack
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    return str(context["stack_name"])


def outputs() -> dict[str, str]:
    """The stack's outputs by name. Raises botocore's ClientError if there is no such stack."""
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name())["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def run_command(lines: Callable[[], Iterable[str]]) -> None:
    """Prints the lines of a command; an AWS error ends the process with AWS's message."""
    try:
        for line in lines():
            sys.stdout.write(f"{line}\n")
    except (BotoCoreError, ClientError) as error:
        sys.exit(error_text(error))


def error_text(error: BotoCoreError | ClientError) -> str:
    """AWS's message, and how a shell is pointed to the stack."""
    return (
        f"{error}\nThe command operates on the stack {name()!r}. Set AWS credentials and a region "
        'for it, or for the local stack run `eval "$(make -s env)"`.'
    )
