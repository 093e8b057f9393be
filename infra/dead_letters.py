"""Dead-letter queues: what could not be processed is kept for two weeks, and an alarm fires."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import nag
from infra.alarm_topic import AlarmTopic
from infra.key import EncryptionKey
from infra.outputs import add_output


class DeadLetterQueue(sqs.Queue):
    """A queue without a consumer, its alarm, and the output with its URL.

    Encrypted as its sources are: a receipt has the recipient's address, a request the content too.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        output: str,
        holds: str,
        key: EncryptionKey,
        alarm_topic: AlarmTopic,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
        )
        nag.accept(self, "SQS3", "It is a dead-letter queue itself.")
        add_output(self, output, self.queue_url, holds)
        alarm_topic.notify_of(self._not_empty(holds))

    def _not_empty(self, holds: str) -> cloudwatch.Alarm:
        # Its depth, because what SNS and Lambda move here is not counted in NumberOfMessagesSent.
        depth = self.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(1), statistic="Maximum"
        )
        return depth.create_alarm(
            self,
            "NotEmpty",
            alarm_description=f"{holds}: look at one, fix the cause, then redrive them.",
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
