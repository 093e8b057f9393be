"""The stack that the commands are about: `cdk.json` names it, the environment points to it."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parent.parent


def name() -> str:
    """As `STACK` says, for another one than `cdk.json` does."""
    if asked := os.environ.get("STACK"):
        return asked
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    return str(context["stack_name"])


def outputs() -> dict[str, str]:
    """What the stack tells. Raises botocore's ClientError where there is no such stack."""
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name())["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def tell(lines: Callable[[], Iterable[str]]) -> None:
    """Prints what a command has to say; what AWS refuses ends it in AWS's own words."""
    try:
        for line in lines():
            sys.stdout.write(f"{line}\n")
    except (BotoCoreError, ClientError) as error:
        sys.exit(in_words(error))


def in_words(error: BotoCoreError | ClientError) -> str:
    """AWS's own words, and what points the shell to the stack."""
    return (
        f"{error}\nThis is about the stack {name()!r}. AWS credentials and a region point the "
        'shell to it, or for the local one `eval "$(make -s env)"`.'
    )
