"""SMS: AWS End User Messaging SMS and Voice."""

from typing import Annotated, Literal, Self

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_smsvoice as smsvoice
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.channel_config import ChannelConfig
from infra.end_user_messaging import MaxPrice, ProtectConfiguration, add_message_set
from infra.parameters import matching

# The sender that the stack creates itself.
NOTIFY = "notify"


class SmsConfig(ChannelConfig, alias_generator="sms_{}".format):
    service = "sms-voice"
    sdk_service = "pinpoint-sms-voice-v2"
    send_actions = ("SendTextMessage", "SendNotifyTextMessage")
    # What a request names beside its sender may be checked as well:
    # docs.aws.amazon.com/service-authorization/latest/reference/list_pinpoint-sms-voice-v2.html
    send_resources = (
        *("phone-number/*", "pool/*", "sender-id/*", "notify-configuration/*"),
        *("configuration-set/{configuration_set}", "protect-configuration/*"),
    )
    feedback_actions = ("PutMessageFeedback",)
    feedback_resources = ("message/*",)
    # A configuration set, or for two-way messages a phone number or a pool:
    # docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-sns-creating-role.html and
    # two-way-sms-iam-policy-auto.html
    event_source = "*"
    example_sender = r"^\+1\d{3}55501\d\d$"
    send_fields = ("protect_configuration", "codes_max_price", "notify_code_template")
    receipt_fields = ("carrier_receipt",)

    sender: Annotated[
        str,
        matching(
            r"[A-Za-z0-9_:/+-]{0,256}",
            "a phone number in E.164, the id or ARN of a phone number, pool, sender id or Notify "
            "configuration, `notify` to create such a configuration, or empty for none",
        ),
    ]
    # The brand that AWS reviews for the Notify configuration which `notify` creates.
    notify_name: Annotated[
        str, matching(r"[A-Za-z0-9_ -]{1,15}", "1 to 15 letters, digits, spaces, _ and -")
    ]
    # AWS's template for the codes that a Notify configuration sends.
    notify_code_template: Annotated[
        str, matching(r"[A-Za-z0-9_-]{1,256}", "the id of a Notify template with the variable code")
    ]
    protect_configuration: ProtectConfiguration
    # The most that an SMS with a code may cost: AWS does not send a dearer one.
    codes_max_price: MaxPrice
    # What it counts as when the recipient's carrier, not the device, took an SMS.
    carrier_receipt: Literal["delivered", "sent"]

    def deployed(self, scope: Construct) -> Self:
        """With `notify`, a Notify configuration is the sender: AWS's numbers, without a number of
        one's own.

        docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-smsvoice-notifyconfiguration.html
        """
        if self.sender != NOTIFY:
            return self
        configuration = smsvoice.CfnNotifyConfiguration(
            scope,
            "SmsNotify",
            display_name=self.notify_name,
            use_case="CODE_VERIFICATION",
            enabled_channels=["SMS"],
        )
        # The type is newer than the CDK's list of types.
        Validations.of(configuration).acknowledge(
            Acknowledgment(id="CloudFormation-Validate::F3006", reason="The type is new.")
        )
        return self.model_copy(update={"sender": configuration.ref})

    def add_configuration_set(self, scope: Construct, topic: sns.Topic) -> str:
        """Creates a set whose events go to the topic; returns the set's name."""
        # A pool with an RCS agent delivers by RCS and reports that:
        # docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_EventDestination.html
        return add_message_set(scope, "Sms", topic, ["TEXT_ALL", "RCS_ALL"])
