"""Sends voice messages with AWS End User Messaging, `SendVoiceMessage`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from messaging.channels.aws_end_user_messaging import (
    SERVICE,
    context,
    fraud_protection,
    time_to_live,
)
from messaging.channels.provider_errors import provider_errors
from messaging.domain.content import Delivery

if TYPE_CHECKING:
    from mypy_boto3_pinpoint_sms_voice_v2 import PinpointSMSVoiceV2Client

__all__ = ["SERVICE", "VoiceChannel", "channel"]

# AWS's default.
DEFAULT_VOICE = "MATTHEW"


def channel(client: "PinpointSMSVoiceV2Client", setting: Callable[[str], str]) -> "VoiceChannel":
    return VoiceChannel(
        client,
        setting("CONFIGURATION_SET"),
        setting("PROTECT_CONFIGURATION"),
        setting("CODES_MAX_PRICE"),
    )


class VoiceChannel:
    """`protect_configuration` applies to every call, `codes_max_price`, of a minute, to those with
    a code; each is empty for none.
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
            response = self._client.send_voice_message(
                DestinationPhoneNumber=delivery.to,
                OriginationIdentity=delivery.sender,
                MessageBody=delivery.content.text or "",
                MessageBodyTextType="TEXT",
                VoiceId=delivery.content.voice_id or DEFAULT_VOICE,  # type: ignore[arg-type] # content.py has AWS's list
                ConfigurationSetName=self._configuration_set,
                TimeToLive=time_to_live(delivery),
                Context=context(delivery),
                **fraud_protection(
                    delivery, self._protect_configuration, MaxPricePerMinute=self._codes_max_price
                ),
            )
        return response["MessageId"]
