"""The stack that the commands are about: `cdk.json` names it, the environment points to it."""

import json
import os
from pathlib import Path

import boto3

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
