"""Sends voice messages with AWS End User Messaging, `SendVoiceMessage`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from messaging.channels.aws_end_user_messaging import SERVICE, context, time_to_live
from messaging.channels.provider_errors import provider_errors
from messaging.domain.content import Delivery

if TYPE_CHECKING:
    from mypy_boto3_pinpoint_sms_voice_v2 import PinpointSMSVoiceV2Client

__all__ = ["SERVICE", "VoiceChannel", "channel"]

# AWS's default.
DEFAULT_VOICE = "MATTHEW"


def channel(client: "PinpointSMSVoiceV2Client", setting: Callable[[str], str]) -> "VoiceChannel":
    return VoiceChannel(client, setting("CONFIGURATION_SET"))


class VoiceChannel:
    def __init__(self, client: "PinpointSMSVoiceV2Client", configuration_set: str) -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, delivery: Delivery) -> str:
        with provider_errors():
            response = self._client.send_voice_message(
                DestinationPhoneNumber=delivery.to,
                OriginationIdentity=delivery.sender,
                MessageBody=delivery.content.text or "",
                MessageBodyTextType="TEXT",
                VoiceId=delivery.content.voice_id or DEFAULT_VOICE,  # type: ignore[arg-type] # content.py has AWS's list
                ConfigurationSetName=self._configuration_set,
                TimeToLive=time_to_live(delivery),
                Context=context(delivery),
            )
        return response["MessageId"]
