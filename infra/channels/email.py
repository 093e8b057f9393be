"""Email: Amazon SES."""

from typing import Annotated

from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.channel_config import ChannelConfig
from infra.parameters import ADDRESS, matching

# Not open and click: for these, SES puts a pixel into the mail and rewrites its links.
EVENTS = [
    "send",
    "delivery",
    "deliveryDelay",
    "bounce",
    "complaint",
    "reject",
    "renderingFailure",
]


class EmailConfig(ChannelConfig, alias_generator="email_{}".format):
    service = "ses"
    sdk_service = "sesv2"
    # SES checks the call SendEmail as SendTemplatedEmail if the content is a template; only raw
    # content, which is never sent, would take SendRawEmail:
    # docs.aws.amazon.com/service-authorization/latest/reference/list_ses.html and
    # github.com/anymail/django-anymail/issues/384
    send_actions = ("SendEmail", "SendTemplatedEmail")
    send_resources = ("identity/*", "template/*", "configuration-set/{configuration_set}")
    # docs.aws.amazon.com/ses/latest/dg/event-publishing-add-event-destination-sns.html
    event_source = "configuration-set/*"
    example_sender = r"@example\.(com|net|org)\b"

    sender: Annotated[
        str,
        matching(
            rf"|{ADDRESS}|[^<>\r\n]+ <{ADDRESS}>", "an address, `Name <address>`, or empty for none"
        ),
    ]

    def add_configuration_set(self, scope: Construct, topic: sns.Topic) -> str:
        """Creates a set whose events go to the topic; returns the set's name."""
        configuration_set = ses.CfnConfigurationSet(scope, "Email")
        kind = ses.CfnConfigurationSetEventDestination
        destination = kind(
            scope,
            "EmailReceipts",
            configuration_set_name=configuration_set.ref,
            event_destination=kind.EventDestinationProperty(
                enabled=True,
                matching_event_types=EVENTS,
                sns_destination=kind.SnsDestinationProperty(topic_arn=topic.topic_arn),
            ),
        )
        # The service may publish to try the destination, so the topic's policy comes first.
        destination.node.add_dependency(topic)
        return configuration_set.ref
