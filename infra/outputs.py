"""The stack's outputs: URLs, ARNs and names that people and programs start from."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct


def add_output(scope: Construct, name: str, value: str, description: str) -> None:
    """Adds an output of exactly this name, wherever in the stack its resource is defined."""
    CfnOutput(Stack.of(scope), name, value=value, description=description)
