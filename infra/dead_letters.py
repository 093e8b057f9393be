"""Where work ends that could not be done: kept for two weeks, and an alarm on the first piece."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import nag
from infra.alarms import Alarms
from infra.key import Key
from infra.outputs import tell


class DeadLetterQueue(sqs.Queue):
    """A queue that nothing reads by itself, and the output that leads to it.

    Encrypted like what it is made of: a receipt names its recipient, a direct request says it all.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        output: str,
        holds: str,
        key: Key,
        alarms: Alarms,
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
        tell(self, output, self.queue_url, holds)
        alarms.tell_of(self._not_empty(holds))

    def _not_empty(self, holds: str) -> cloudwatch.Alarm:
        # Its depth, because what SNS and Lambda move here is not counted as sent to the queue.
        depth = self.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(1), statistic="Maximum"
        )
        return depth.create_alarm(
            self,
            "NotEmpty",
            alarm_description=f"{holds}: look at one, mend the cause, then redrive them.",
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
