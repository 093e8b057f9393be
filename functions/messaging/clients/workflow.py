"""The workflow of a deployed function."""

from functools import cache

import boto3

from messaging.workflow import Workflow


@cache
def workflow() -> Workflow:
    return Workflow(boto3.client("stepfunctions"))
