"""How requests become executions: the requests queue, and the function that starts from it."""

from aws_cdk import Duration
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.dead_letters import DeadLetterQueue
from infra.function import Code, Function

TIMEOUT = Duration.seconds(30)
# Requests of one invocation; each is one quick call, so the first does not wait long for the last.
BATCH = 10
# A request that fails so often is not unlucky.
ATTEMPTS = 5


class Requests(Construct):
    """The queue and its dead-letter queue."""

    def __init__(self, scope: Construct, construct_id: str, *, alarms: sns.ITopic | None) -> None:
        super().__init__(scope, construct_id)
        self.not_started = DeadLetterQueue(
            self, "NotStarted", holds="Requests could not be started.", alarms=alarms
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            # Six times the function's time, as Lambda asks for, or a slow batch would come twice:
            # docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
            visibility_timeout=Duration.seconds(6 * TIMEOUT.to_seconds()),
            retention_period=Duration.days(4),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.not_started, max_receive_count=ATTEMPTS
            ),
        )

    def start(self, machine: sfn.StateMachine, *, code: Code, concurrency: int) -> None:
        """Starts an execution of the machine for each request, so many batches at once."""
        function = Function(
            self,
            "StartDelivery",
            code=code,
            description="Starts one execution for each request on the queue.",
            timeout=TIMEOUT,
            environment={"STATE_MACHINE_ARN": machine.state_machine_arn},
        )
        function.allow("states:StartExecution", on=[machine.state_machine_arn])
        function.add_event_source(
            event_sources.SqsEventSource(
                self.queue,
                batch_size=BATCH,
                report_batch_item_failures=True,
                max_concurrency=concurrency,
            )
        )
