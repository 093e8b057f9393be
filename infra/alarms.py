"""Who is told of an alarm."""

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.key import Key


class Alarms(sns.Topic):
    """A topic that sends its alarms to one address, once its owner has confirmed it."""

    def __init__(self, scope: Construct, construct_id: str, *, key: Key, email: str) -> None:
        super().__init__(scope, construct_id, master_key=key, enforce_ssl=True)
        key.allow_publishing("cloudwatch.amazonaws.com")
        self.add_subscription(subscriptions.EmailSubscription(email))
