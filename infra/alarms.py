"""Who is told of an alarm."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.key import Key


class Alarms(Construct):
    """Sends alarms to one address, once its owner has confirmed it; without one, to nobody."""

    def __init__(self, scope: Construct, construct_id: str, *, email: str, key: Key) -> None:
        super().__init__(scope, construct_id)
        self._topic = self._topic_for(email, key) if email else None

    def tell_of(self, alarm: cloudwatch.Alarm) -> None:
        """Has an alarm sent to the address; CloudWatch shows it in any case."""
        if self._topic:
            alarm.add_alarm_action(actions.SnsAction(self._topic))

    def _topic_for(self, email: str, key: Key) -> sns.Topic:
        topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=True)
        key.allow_publishing("cloudwatch.amazonaws.com")
        topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic
