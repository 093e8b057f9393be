"""Sends SMS with AWS End User Messaging SMS: `SendTextMessage`, or `SendNotifyTextMessage`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypedDict

from messaging.channels.aws_end_user_messaging import (
    SERVICE,
    context,
    fraud_protection,
    is_notify_configuration,
    time_to_live,
)
from messaging.channels.provider_errors import provider_errors
from messaging.domain.content import Delivery

if TYPE_CHECKING:
    from mypy_boto3_pinpoint_sms_voice_v2 import PinpointSMSVoiceV2Client
    from mypy_boto3_pinpoint_sms_voice_v2.literals import MessageTypeType

__all__ = ["SERVICE", "SmsChannel", "channel"]


class _Feedback(TypedDict, total=False):
    MessageFeedbackEnabled: bool


def channel(client: "PinpointSMSVoiceV2Client", setting: Callable[[str], str]) -> "SmsChannel":
    return SmsChannel(
        client,
        setting("CONFIGURATION_SET"),
        setting("PROTECT_CONFIGURATION"),
        setting("CODES_MAX_PRICE"),
    )


class SmsChannel:
    """`protect_configuration` applies to every text, `codes_max_price` to those with a code; each
    is empty for none.
    """

    def __init__(
        self,
        client: "PinpointSMSVoiceV2Client",
        configuration_set: str,
        protect_configuration: str = "",
        codes_max_price: str = "",
    ) -> None:
        self._client = client
        self._configuration_set = configuration_set
        self._protect_configuration = protect_configuration
        self._codes_max_price = codes_max_price

    def send(self, delivery: Delivery) -> str:
        with provider_errors():
            if is_notify_configuration(delivery.sender):
                return self._send_template(delivery)
            return self._send_text(delivery)

    def _send_text(self, delivery: Delivery) -> str:
        response = self._client.send_text_message(
            DestinationPhoneNumber=delivery.to,
            OriginationIdentity=delivery.sender,
            MessageBody=delivery.content.text or "",
            MessageType=_message_type(delivery.category),
            ConfigurationSetName=self._configuration_set,
            TimeToLive=time_to_live(delivery),
            Context=context(delivery),
            **_feedback(delivery),
            **fraud_protection(
                delivery, self._protect_configuration, MaxPrice=self._codes_max_price
            ),
        )
        return response["MessageId"]

    def _send_template(self, delivery: Delivery) -> str:
        template = delivery.content.template or {}
        response = self._client.send_notify_text_message(
            NotifyConfigurationId=delivery.sender,
            DestinationPhoneNumber=delivery.to,
            TemplateId=template["name"],
            TemplateVariables=dict(template.get("data", {})),
            ConfigurationSetName=self._configuration_set,
            TimeToLive=time_to_live(delivery),
            Context=context(delivery),
            **_feedback(delivery),
        )
        return response["MessageId"]


def _message_type(category: str) -> "MessageTypeType":
    return "PROMOTIONAL" if category == "marketing" else "TRANSACTIONAL"


def _feedback(delivery: Delivery) -> _Feedback:
    """AWS counts a message with feedback as failed unless `feedback.py` reports it as received:
    docs.aws.amazon.com/sms-voice/latest/userguide/message-feedback.html. So only for a code that
    this service checks.
    """
    verification = delivery.verification
    checked = verification is not None and not verification.own_code
    return {"MessageFeedbackEnabled": True} if checked else {}
