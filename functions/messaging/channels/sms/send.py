"""Sends SMS with AWS End User Messaging SMS: `SendTextMessage`, or `SendNotifyTextMessage`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from messaging.channels.aws_end_user_messaging import (
    SERVICE,
    context,
    is_notify_configuration,
    time_to_live,
)
from messaging.channels.provider_errors import provider_errors
from messaging.domain.content import Delivery

if TYPE_CHECKING:
    from mypy_boto3_pinpoint_sms_voice_v2 import PinpointSMSVoiceV2Client
    from mypy_boto3_pinpoint_sms_voice_v2.literals import MessageTypeType

__all__ = ["SERVICE", "SmsChannel", "channel"]


def channel(client: "PinpointSMSVoiceV2Client", setting: Callable[[str], str]) -> "SmsChannel":
    return SmsChannel(client, setting("CONFIGURATION_SET"))


class SmsChannel:
    def __init__(self, client: "PinpointSMSVoiceV2Client", configuration_set: str) -> None:
        self._client = client
        self._configuration_set = configuration_set

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
        )
        return response["MessageId"]


def _message_type(category: str) -> "MessageTypeType":
    return "PROMOTIONAL" if category == "marketing" else "TRANSACTIONAL"
