"""SMS: AWS End User Messaging SMS and Voice."""

from typing import Annotated, Literal

from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.channel_config import ChannelConfig
from infra.end_user_messaging import add_message_set
from infra.parameters import matching


class SmsConfig(ChannelConfig, alias_generator="sms_{}".format):
    service = "sms-voice"
    send_action = "SendTextMessage"
    send_resources = ("phone-number/*", "pool/*", "sender-id/*")
    # docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-sns-creating-role.html
    event_source = "configuration-set/*"
    example_sender = r"^\+1\d{3}55501\d\d$"
    receipt_fields = ("carrier_receipt",)

    sender: Annotated[
        str,
        matching(
            r"[A-Za-z0-9_:/+-]{1,256}",
            "a phone number in E.164, or the id or ARN of a phone number, pool or sender id",
        ),
    ]
    # What it counts as when the recipient's carrier, not the device, took an SMS.
    carrier_receipt: Literal["delivered", "sent"]

    def add_configuration_set(self, scope: Construct, topic: sns.Topic) -> str:
        """Creates a set whose events go to the topic; returns the set's name."""
        return add_message_set(scope, "Sms", topic, ["TEXT_ALL"])
