"""Voice: calls by AWS End User Messaging SMS and Voice."""

from typing import Annotated

from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.channel_config import ChannelConfig
from infra.end_user_messaging import MaxPrice, ProtectConfiguration, add_message_set
from infra.parameters import matching


class VoiceConfig(ChannelConfig, alias_generator="voice_{}".format):
    service = "sms-voice"
    sdk_service = "pinpoint-sms-voice-v2"
    send_actions = ("SendVoiceMessage",)
    # docs.aws.amazon.com/service-authorization/latest/reference/list_pinpoint-sms-voice-v2.html
    send_resources = (
        *("phone-number/*", "pool/*"),
        *("configuration-set/{configuration_set}", "protect-configuration/*"),
    )
    send_fields = ("protect_configuration", "codes_max_price")
    # As for SMS, with which it shares the service and the statement.
    event_source = "*"
    example_sender = r"^\+1\d{3}55501\d\d$"

    sender: Annotated[
        str,
        matching(
            r"[A-Za-z0-9_:/+-]{0,256}",
            "a phone number in E.164, or the id or ARN of a phone number or pool, with the voice "
            "capability; empty for none",
        ),
    ]
    protect_configuration: ProtectConfiguration
    # The most that a minute of a call with a code may cost: AWS makes no dearer one.
    codes_max_price: MaxPrice

    def add_configuration_set(self, scope: Construct, topic: sns.Topic) -> str:
        """Creates a set whose events go to the topic; returns the set's name."""
        return add_message_set(scope, "Voice", topic, ["VOICE_ALL"])
