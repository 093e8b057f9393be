"""Log groups: encrypted with the stack's key, and each with a retention period."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.key import EncryptionKey


class LogGroup(logs.LogGroup):
    """A log group that keeps its events for some days, and is deleted with its stack."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: EncryptionKey,
        retention_days: int,
        name: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            log_group_name=name,
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        # The construct takes names of an enumeration; the template takes the number itself.
        cast("logs.CfnLogGroup", self.node.default_child).retention_in_days = retention_days
