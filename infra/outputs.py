"""What the stack tells once it stands: addresses that people and programs start from."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct


def tell(scope: Construct, name: str, value: str, description: str) -> None:
    """Adds an output of exactly this name, wherever in the stack the thing itself is defined."""
    CfnOutput(Stack.of(scope), name, value=value, description=description)
