"""The configuration sets of AWS End User Messaging for messages to phones."""

from collections.abc import Sequence
from typing import Annotated

from aws_cdk import aws_smsvoice as smsvoice
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.parameters import matching

# Whose rules decide to which countries messages go, beside those of the account:
# "Protect configurations" in the user guide of AWS End User Messaging.
ProtectConfiguration = Annotated[
    str,
    matching(
        r"|protect-[0-9a-f]{1,64}|arn:[^\s]+:protect-configuration/protect-[0-9a-f]{1,64}",
        "the id or ARN of a protect configuration, or empty for none",
    ),
]
# As the parameters MaxPrice and MaxPricePerMinute of the API have it.
MaxPrice = Annotated[
    str,
    matching(r"|[0-9]{0,2}\.[0-9]{1,5}", "a price in US dollars such as 0.15, or empty for none"),
]


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
