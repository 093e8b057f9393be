"""SendWhatsAppMessage of AWS End User Messaging Social, validated as AWS and Meta do."""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from simulator.aws_model import (
    AwsError,
    AwsOperation,
    Json,
    aws_operation,
    decoded,
    parse_json,
    validation_message,
)
from simulator.provider import (
    AcceptedMessage,
    AwsAccount,
    PhoneView,
    ProviderRequest,
    TwoWayMessaging,
)
from simulator.whatsapp.authentication import rejection
from simulator.whatsapp.events import whatsapp_event
from simulator.whatsapp.message import validated
from simulator.whatsapp.phone import PHONE, TwoWayWhatsApp

_API_VERSION = re.compile(r"v[1-9][0-9]*\.[0-9]+")


def provider(account: AwsAccount) -> "WhatsAppProvider":
    return WhatsAppProvider(account)


@dataclass(frozen=True)
class WhatsAppProvider:
    """`POST /v1/whatsapp/send` of the service socialmessaging."""

    account: AwsAccount
    channel: str = "whatsapp"
    throttling_error: str = "ThrottledRequestException"
    phone: PhoneView = PHONE

    @property
    def operation(self) -> AwsOperation:
        return aws_operation("socialmessaging", "SendWhatsAppMessage")

    def parse(self, body: Json) -> ProviderRequest:
        if violations := self.operation.violations(body):
            raise AwsError("ValidationException", validation_message(violations))
        if not _API_VERSION.fullmatch(body["metaApiVersion"]):
            raise AwsError("ValidationException", "metaApiVersion must have the form v20.0")
        message = _message(decoded(body["message"], "message"))
        # Its sender puts the message ID and the number of the attempt into it: `ID.1`.
        data = message.get("biz_opaque_callback_data")
        message_id, _, attempt = (data or "").rpartition(".")
        return ProviderRequest(
            body=body | {"message": message},
            to=f"+{message['to'].removeprefix('+')}",
            echo={} if data is None else {"biz_opaque_callback_data": data},
            message_id=message_id or None,
            attempt=attempt or None,
            rejection=rejection(message["template"]) if "template" in message else None,
        )

    def new_provider_id(self) -> str:
        return str(uuid.uuid4())

    def response(self, provider_id: str) -> Json:
        return {"messageId": provider_id}

    def receipt_event(self, message: AcceptedMessage, receipt_type: str, at: datetime) -> Json:
        return whatsapp_event(self.account, message, receipt_type, at)

    @property
    def two_way(self) -> TwoWayMessaging:
        return TwoWayWhatsApp(self.account)


def _message(blob: bytes) -> Json:
    try:
        return validated(parse_json(blob))
    except ValueError as error:
        raise AwsError("InvalidParametersException", f"message: {error}") from error
