"""What every Lambda function of the stack has in common."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import nag
from infra.logs import LogGroup

# A third of a processor: Python and boto3 start without a long wait, and the rest is waiting.
MEMORY_MB = 512


@dataclass(frozen=True, kw_only=True)
class Code:
    """What the functions run, and how they log; the same for all of them."""

    own: lambda_.Code
    third_party: lambda_.ILayerVersion
    log_level: str
    log_retention_days: int


class Function(lambda_.Function):
    """One file at the top of `functions/`: the construct `SendMessage` runs `send_message.handler`.

    Its role holds no managed policy: its own log, its traces, and what is allowed beside them.
    """

    def __init__(  # noqa: PLR0913 - what it needs, by keyword
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        description: str,
        timeout: Duration,
        environment: Mapping[str, str],
    ) -> None:
        log_group = LogGroup(scope, f"{construct_id}Log", retention_days=code.log_retention_days)
        self.own_role = iam.Role(
            scope,
            f"{construct_id}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        log_group.grant_write(self.own_role)
        super().__init__(
            scope,
            construct_id,
            description=description,
            handler=f"{_file(construct_id)}.handler",
            code=code.own,
            layers=[code.third_party],
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=MEMORY_MB,
            timeout=timeout,
            tracing=lambda_.Tracing.ACTIVE,
            role=self.own_role,
            log_group=log_group,
            environment={
                "POWERTOOLS_SERVICE_NAME": "throughline",
                "POWERTOOLS_LOG_LEVEL": code.log_level,
                **environment,
            },
        )
        nag.accept(self, "L1", "The layer's wheels are locked for Python 3.13.")
        nag.accept(self.own_role, "IAM5[Resource::*]", "X-Ray's actions know no resources.")

    def allow(self, *actions: str, on: list[str]) -> None:
        """Allows these actions on these ARNs, and nothing beside them."""
        self.add_to_role_policy(iam.PolicyStatement(actions=list(actions), resources=on))


def _file(construct_id: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", construct_id).lower()
