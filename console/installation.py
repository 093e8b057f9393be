"""The stack that the console shows: a deployed one, or the local one with its simulator."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import boto3
from botocore.config import Config

from operations import stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

# The stack outputs that hold the queue URLs, and the environment variables of the local run.
QUEUES = {
    "RequestsQueueUrl": "REQUESTS_QUEUE_URL",
    "RequestsDeadLetterQueueUrl": "REQUESTS_DEAD_LETTER_QUEUE_URL",
    "ReceiptsDeadLetterQueueUrl": "RECEIPTS_DEAD_LETTER_QUEUE_URL",
    "UnrecordedReceiptsQueueUrl": "UNRECORDED_RECEIPTS_QUEUE_URL",
    "UnclosedMessagesQueueUrl": "UNCLOSED_MESSAGES_QUEUE_URL",
}
# A page waits for these calls, so an error is better than a long wait.
IN_TIME = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=16,
)


@dataclass(frozen=True)
class Local:
    """What only the local run has: the API's address and key, the simulator, the example."""

    api_url: str
    api_key: str
    simulator_url: str
    sign_in_url: str | None = None


@dataclass(frozen=True)
class Installation:
    """One stack and the names of its resources. `local` None: the console is read only."""

    name: str
    region: str
    messages_table: str
    state_machine_arn: str
    queues: Mapping[str, str]
    local: Local | None = None

    @classmethod
    def on_this_machine(cls, environment: Mapping[str, str]) -> Self:
        """The local run, as `make env` exports it."""
        return cls(
            name="local",
            region=environment["AWS_REGION"],
            messages_table=environment["MESSAGES_TABLE"],
            state_machine_arn=environment["STATE_MACHINE_ARN"],
            queues={name: environment[variable] for name, variable in QUEUES.items()},
            local=Local(
                environment["THROUGHLINE_API_URL"],
                environment["THROUGHLINE_API_KEY"],
                environment["AWS_ENDPOINT_URL_SESV2"],
                environment.get("THROUGHLINE_SIGN_IN_URL"),
            ),
        )

    @classmethod
    def deployed(cls) -> Self:
        """The stack on AWS that `STACK` or `cdk.json` names. Raises botocore's ClientError if
        there is none.
        """
        outputs = stack.outputs()
        return cls(
            name=stack.name(),
            region=boto3.Session().region_name or "",
            messages_table=outputs["MessagesTableName"],
            state_machine_arn=outputs["StateMachineArn"],
            queues={name: outputs[name] for name in QUEUES},
        )

    def execution_arn(self, message_id: str) -> str:
        machine = self.state_machine_arn.replace(":stateMachine:", ":execution:")
        return f"{machine}:{message_id}"

    def execution_url(self, message_id: str) -> str | None:
        """The execution in the AWS console; None in the local run."""
        if self.local:
            return None
        arn = self.execution_arn(message_id)
        home = f"https://{self.region}.console.aws.amazon.com/states/home?region={self.region}"
        return f"{home}#/v2/executions/details/{arn}"


class ConsoleClients:
    """AWS clients, each created when first used, for the endpoints of the environment."""

    @cached_property
    def table(self) -> "DynamoDBClient":
        return boto3.client("dynamodb", config=IN_TIME)

    @cached_property
    def workflow(self) -> "SFNClient":
        return boto3.client("stepfunctions", config=IN_TIME)

    @cached_property
    def queues(self) -> "SQSClient":
        return boto3.client("sqs", config=IN_TIME)

    @cached_property
    def functions(self) -> "LambdaClient":
        return boto3.client("lambda", config=IN_TIME)


def here() -> Installation:
    """The local run if its environment variables are set, else the stack on AWS."""
    if "THROUGHLINE_API_URL" in os.environ:
        return Installation.on_this_machine(os.environ)
    return Installation.deployed()
