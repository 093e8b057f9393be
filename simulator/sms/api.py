"""SendTextMessage of AWS End User Messaging SMS, validated as AWS does."""

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
from simulator.provider import (
    AcceptedMessage,
    AwsAccount,
    PhoneView,
    ProviderRequest,
    TwoWayMessaging,
)
from simulator.sms.events import PRICE_PER_PART, sms_event, time_to_live
from simulator.sms.phone import PHONE, TwoWaySms
from simulator.sms.text import encoding, length, parts

# https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html
MAX_LENGTH = {"GSM": 1530, "Unicode": 630}


def provider(account: AwsAccount) -> "SmsProvider":
    return SmsProvider(account)


@dataclass(frozen=True)
class SmsProvider:
    """`POST /` with X-Amz-Target: PinpointSMSVoiceV2.SendTextMessage."""

    account: AwsAccount
    channel: str = "sms"
    throttling_error: str = THROTTLING_ERROR
    phone: PhoneView = PHONE

    @property
    def operation(self) -> AwsOperation:
        return aws_operation(SERVICE, "SendTextMessage")

    def parse(self, body: Json) -> ProviderRequest:
        check_model(self.operation, body)
        _check_length(body.get("MessageBody"))
        _check_price(body)
        check_protect_configuration(body)
        return parse_request(body, time_to_live)

    def new_provider_id(self) -> str:
        return str(uuid.uuid4())

    def response(self, provider_id: str) -> Json:
        return {"MessageId": provider_id}

    def receipt_event(self, message: AcceptedMessage, receipt_type: str, at: datetime) -> Json:
        return sms_event(message, receipt_type, at)

    @property
    def two_way(self) -> TwoWayMessaging | None:
        return TwoWaySms(self.account)


def _check_length(text: str | None) -> None:
    if text is None:
        # The model does not require it, the service does.
        raise field_error("MISSING_PARAMETER", "MessageBody", "MessageBody is missing")
    text_encoding = encoding(text)
    if length(text) > MAX_LENGTH[text_encoding]:
        raise field_error(
            "INVALID_PARAMETER",
            "MessageBody",
            f"Invalid message: at most {MAX_LENGTH[text_encoding]} characters in {text_encoding} "
            "encoding",
        )


def _check_price(body: Json) -> None:
    max_price = body.get("MaxPrice")
    if max_price is not None and float(max_price) < PRICE_PER_PART * parts(body["MessageBody"]):
        raise field_error(
            "PRICE_OVER_THRESHOLD", "MaxPrice", "The message costs more than MaxPrice"
        )
