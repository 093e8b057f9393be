"""Where work ends that could not be done: kept for two weeks, and an alarm on the first piece."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import nag


class DeadLetterQueue(sqs.Queue):
    """A queue that nothing reads by itself.

    Encrypted with SQS's own key: whatever fails to be handled must still get in, and a policy of a
    key of ours would be one more thing that can fail then.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        holds: str,
        alarms: sns.ITopic | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        nag.accept(self, "SQS3", "It is a dead-letter queue itself.")
        # The depth, because what SNS and Lambda move here is not counted as sent to the queue.
        alarm = cloudwatch.Alarm(
            self,
            "NotEmpty",
            alarm_description=f"{holds} See the queue, mend the cause, then redrive.",
            metric=self.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(1), statistic="Maximum"
            ),
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if alarms:
            alarm.add_alarm_action(actions.SnsAction(alarms))
