"""SendVoiceMessage of AWS End User Messaging, validated as AWS does."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from simulator.aws_end_user_messaging import (
    SERVICE,
    THROTTLING_ERROR,
    check_model,
    check_protect_configuration,
    field_error,
    parse_request,
)
from simulator.aws_model import AwsOperation, Json, aws_operation
from simulator.provider import AcceptedMessage, AwsAccount, PhoneView, ProviderRequest
from simulator.voice.events import PRICE_PER_MINUTE, time_to_live, voice_event
from simulator.voice.phone import PHONE

# https://docs.aws.amazon.com/sms-voice/latest/userguide/quotas.html: characters that are spoken;
# the model itself allows 6,000, which is for SSML with its tags.
MAX_SPOKEN = 3000
_TAG = re.compile(r"<[^>]*>")
_NUMBER_OR_POOL = re.compile(r"\+?\d+|phone-.*|pool-.*|arn:.*:(phone-number|pool)/.*")


def provider(account: AwsAccount) -> "VoiceProvider":
    return VoiceProvider(account)


@dataclass(frozen=True)
class VoiceProvider:
    """`POST /` with X-Amz-Target: PinpointSMSVoiceV2.SendVoiceMessage."""

    account: AwsAccount
    channel: str = "voice"
    throttling_error: str = THROTTLING_ERROR
    phone: PhoneView = PHONE
    two_way: None = None

    @property
    def operation(self) -> AwsOperation:
        return aws_operation(SERVICE, "SendVoiceMessage")

    def parse(self, body: Json) -> ProviderRequest:
        check_model(self.operation, body)
        _check_origination(body["OriginationIdentity"])
        _check_length(body)
        _check_price(body)
        check_protect_configuration(body)
        return parse_request(body, time_to_live)

    def new_provider_id(self) -> str:
        return str(uuid.uuid4())

    def response(self, provider_id: str) -> Json:
        return {"MessageId": provider_id}

    def receipt_event(self, message: AcceptedMessage, receipt_type: str, at: datetime) -> Json:
        return voice_event(message, receipt_type, at)


def _check_origination(identity: str) -> None:
    """A call needs a number: a sender ID cannot make one."""
    if not _NUMBER_OR_POOL.fullmatch(identity):
        raise field_error(
            "VOICE_CAPABILITY_NOT_AVAILABLE",
            "OriginationIdentity",
            "The origination identity does not have the voice capability",
        )


def _check_length(body: Json) -> None:
    text = body.get("MessageBody")
    if text is None:
        # The model does not require it; without it there is nothing to say.
        raise field_error("MISSING_PARAMETER", "MessageBody", "MessageBody is missing")
    spoken = _TAG.sub("", text) if body.get("MessageBodyTextType") == "SSML" else text
    if len(spoken) > MAX_SPOKEN:
        raise field_error(
            "INVALID_PARAMETER",
            "MessageBody",
            f"Invalid message: at most {MAX_SPOKEN} spoken characters",
        )


def _check_price(body: Json) -> None:
    max_price = body.get("MaxPricePerMinute")
    if max_price is not None and float(max_price) < PRICE_PER_MINUTE:
        raise field_error(
            "PRICE_OVER_THRESHOLD",
            "MaxPricePerMinute",
            "A minute of the call costs more than MaxPricePerMinute",
        )
