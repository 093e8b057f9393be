"""Log groups: nothing is logged into a group that keeps it for ever."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct


class LogGroup(logs.LogGroup):
    """A log group that forgets after some days, and goes with its stack."""

    def __init__(self, scope: Construct, construct_id: str, *, retention_days: int) -> None:
        super().__init__(scope, construct_id, removal_policy=RemovalPolicy.DESTROY)
        # The construct takes names of an enumeration; the template takes the number itself.
        cast("logs.CfnLogGroup", self.node.default_child).retention_in_days = retention_days
