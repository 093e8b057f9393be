"""How requests become executions: the requests queue, and the function that reads it."""

from typing import cast

from aws_cdk import CfnElement, Duration, Stack
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra import nag
from infra.alarm_topic import AlarmTopic
from infra.config import Config
from infra.dead_letters import DeadLetterQueue
from infra.function import Code, Function
from infra.key import EncryptionKey
from infra.outputs import add_output

TIMEOUT = Duration.seconds(30)
# Requests per invocation; each takes one quick call, so a batch is soon done.
BATCH = 10
# Throttled starts return to the queue, longer each time: 100 receives take almost eight hours.
ATTEMPTS = 100


class Requests(Construct):
    """The queue, its dead-letter queue, and `start_delivery`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        config: Config,
        key: EncryptionKey,
        machine: sfn.StateMachine,
        alarm_topic: AlarmTopic,
    ) -> None:
        super().__init__(scope, construct_id)
        not_started = DeadLetterQueue(
            self,
            "NotStarted",
            output="RequestsDeadLetterQueueUrl",
            holds="Requests that could not be started",
            key=key,
            alarm_topic=alarm_topic,
        )
        self.queue = _queue(self, not_started, key)
        add_output(self, "RequestsQueueUrl", self.queue.queue_url, "Takes requests as the API does")
        start = _start_delivery(
            self,
            code=code,
            config=config,
            machine=machine,
            queue=self.queue,
            not_started=not_started,
        )
        start.add_event_source(
            event_sources.SqsEventSource(
                self.queue,
                batch_size=BATCH,
                report_batch_item_failures=True,
                max_concurrency=config.starter_concurrency,
            )
        )


def _queue(scope: Construct, not_started: DeadLetterQueue, key: EncryptionKey) -> sqs.Queue:
    return sqs.Queue(
        scope,
        "Queue",
        # Six times the function's timeout, or a slow batch would be received twice:
        # docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        visibility_timeout=Duration.seconds(6 * int(TIMEOUT.to_seconds())),
        retention_period=Duration.days(4),
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        dead_letter_queue=sqs.DeadLetterQueue(queue=not_started, max_receive_count=ATTEMPTS),
    )


def _start_delivery(
    scope: Construct,
    *,
    code: Code,
    config: Config,
    machine: sfn.StateMachine,
    queue: sqs.Queue,
    not_started: DeadLetterQueue,
) -> Function:
    function = Function(
        scope,
        "StartDelivery",
        code=code,
        description="Starts one execution for each request on the queue.",
        timeout=TIMEOUT,
        environment={
            "STATE_MACHINE_ARN": machine.state_machine_arn,
            "REQUESTS_QUEUE_URL": queue.queue_url,
            "REQUESTS_DEAD_LETTER_QUEUE_URL": not_started.queue_url,
            "START_INTERVAL_SECONDS": str(config.start_interval),
        },
    )
    function.allow_sending_to(not_started)
    function.allow("states:StartExecution", on=[machine.state_machine_arn])
    _allow_describing_executions(function, machine)
    return function


def _allow_describing_executions(function: Function, machine: sfn.StateMachine) -> None:
    """Lets the function compare a request with the one that an execution of its name has."""
    stack = Stack.of(function)
    executions = f"arn:{stack.partition}:states:{stack.region}:{stack.account}:execution"
    function.allow("states:DescribeExecution", on=[f"{executions}:{machine.state_machine_name}:*"])
    logical_id = stack.get_logical_id(cast("CfnElement", machine.node.default_child))
    nag.accept(
        function.own_role,
        "IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:"
        f"<{logical_id}.Name>:*]",
        "The executions of one state machine; their names are the ids of messages.",
    )
