"""Where alarms are sent."""

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.key import EncryptionKey


class AlarmTopic(Construct):
    """Sends alarms to one address, once its owner has confirmed it; without an address, nowhere."""

    def __init__(
        self, scope: Construct, construct_id: str, *, address: str, key: EncryptionKey
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = self._create(address, key) if address else None

    def notify_of(self, alarm: cloudwatch.Alarm) -> None:
        """Sends an alarm to the address when it fires; CloudWatch shows it in any case."""
        if self._topic:
            alarm.add_alarm_action(actions.SnsAction(self._topic))

    def _create(self, address: str, key: EncryptionKey) -> sns.Topic:
        topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=True)
        key.allow_publishing("cloudwatch.amazonaws.com")
        self._allow_alarms(topic)
        topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _allow_alarms(self, topic: sns.Topic) -> None:
        """Lets the account's alarms publish: the topic's policy, which denies plain HTTP, replaces
        the default policy that would.

        docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/US_SetupSNS.html
        """
        stack = Stack.of(self)
        alarms = f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}:alarm:*"
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": alarms},
                },
            )
        )
