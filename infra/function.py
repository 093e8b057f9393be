"""What every Lambda function of the stack has in common."""

import re
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import AssetHashType, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import nag
from infra.config import Config
from infra.key import EncryptionKey
from infra.logs import LogGroup
from infra.own_code import own_code

# The layer's wheels and bytecode are for it: `PYTHON` in infra/bytecode.py is its version.
RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64

# Under a third of a vCPU: enough to start Python and boto3; the rest of the time is waiting.
MEMORY_MB = 512


class Code(Construct):
    """The code of all functions, and how they log."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        third_party: Path,
        key: EncryptionKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_level = config.log_level
        # Lambda writes three lines per invocation, 2 KB per message. JSON is the format in which it
        # can leave out those of success; their durations are CloudWatch metrics as well. It is not
        # the format for DEBUG, in which it would write the SDK's own lines, which hold the texts:
        # docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
        self.verbose = config.log_level == "DEBUG"
        # Two stacks of an account have separate metrics.
        self.metrics_namespace = config.stack_name
        self.log_retention_days = config.log_retention_days
        self.traced = config.xray_tracing
        self.key = key
        self.own = _asset(own_code())
        self.third_party = lambda_.LayerVersion(
            self,
            "ThirdParty",
            description="The locked dependencies of the functions",
            code=_asset(third_party),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )


class Function(lambda_.Function):
    """One file at the top of `functions/`: the construct `SendMessage` runs `send_message.handler`.

    Its role has no managed policy: its own log, its traces, and what is allowed with `allow`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        description: str,
        timeout: Duration,
        environment: Mapping[str, str],
    ) -> None:
        log = LogGroup(
            scope, f"{construct_id}Log", key=code.key, retention_days=code.log_retention_days
        )
        self._key = code.key
        self.own_role = _role(scope, f"{construct_id}Role", log=log, traced=code.traced)
        super().__init__(
            scope,
            construct_id,
            description=description,
            handler=f"{_file(construct_id)}.handler",
            code=code.own,
            layers=[code.third_party],
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            memory_size=MEMORY_MB,
            timeout=timeout,
            tracing=lambda_.Tracing.ACTIVE if code.traced else lambda_.Tracing.DISABLED,
            role=self.own_role,
            log_group=log,
            logging_format=(
                lambda_.LoggingFormat.TEXT if code.verbose else lambda_.LoggingFormat.JSON
            ),
            system_log_level_v2=None if code.verbose else lambda_.SystemLogLevel.WARN,
            environment={
                "POWERTOOLS_SERVICE_NAME": "throughline",
                "POWERTOOLS_METRICS_NAMESPACE": code.metrics_namespace,
                "POWERTOOLS_LOG_LEVEL": code.log_level,
                **environment,
            },
        )
        nag.accept(self, "L1", "The layer's wheels are locked for Python 3.13.")

    def allow(self, *actions: str, on: list[str]) -> None:
        """Allows these actions on these ARNs."""
        self.add_to_role_policy(iam.PolicyStatement(actions=list(actions), resources=on))

    def allow_sending_to(self, queue: sqs.IQueue) -> None:
        """Lets the function send messages to a queue, which takes the key it is encrypted with."""
        self.allow("sqs:SendMessage", on=[queue.queue_arn])
        self.allow("kms:GenerateDataKey", "kms:Decrypt", on=[self._key.key_arn])

    def allow_completing_tasks(self, *actions: str) -> None:
        """Lets the function complete the tasks of waiting states, with both actions if none is
        given.

        In a policy of its own: the function depends on its role's default policy and the state
        machine on the function, so a reference to the machine there would be circular.
        """
        answers = iam.PolicyStatement(
            actions=[
                f"states:{each}" for each in actions or ("SendTaskSuccess", "SendTaskFailure")
            ],
            resources=["*"],
        )
        policy = iam.Policy(
            self, "AnswerWaitingStates", roles=[self.own_role], statements=[answers]
        )
        nag.accept(
            policy, "IAM5[Resource::*]", "These actions take a task token and support no resources."
        )


def _asset(folder: Path) -> lambda_.Code:
    """The folder's name is a hash of what it is made of, which saves hashing its files."""
    return lambda_.Code.from_asset(
        str(folder), asset_hash_type=AssetHashType.CUSTOM, asset_hash=folder.name
    )


def _role(scope: Construct, construct_id: str, *, log: LogGroup, traced: bool) -> iam.Role:
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log.grant_write(role)
    if traced:
        nag.accept(role, "IAM5[Resource::*]", "X-Ray's actions support no resources.")
    return role


def _file(construct_id: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", construct_id).lower()
