"""The configuration sets of AWS End User Messaging for messages to phones."""

from collections.abc import Sequence

from aws_cdk import aws_smsvoice as smsvoice
from aws_cdk import aws_sns as sns
from constructs import Construct


def add_message_set(
    scope: Construct, construct_id: str, topic: sns.Topic, event_types: Sequence[str]
) -> str:
    """Creates a set whose events of these types go to the topic; returns the set's name."""
    kind = smsvoice.CfnConfigurationSet
    configuration_set = kind(
        scope,
        construct_id,
        event_destinations=[
            kind.EventDestinationProperty(
                event_destination_name="receipts",
                enabled=True,
                matching_event_types=list(event_types),
                sns_destination=kind.SnsDestinationProperty(topic_arn=topic.topic_arn),
            )
        ],
    )
    # The service may publish to try the destination, so the topic's policy comes first.
    configuration_set.node.add_dependency(topic)
    return configuration_set.ref
