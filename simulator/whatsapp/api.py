"""The counter of AWS End User Messaging Social: SendWhatsAppMessage as AWS takes or refuses it."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator.aws_model import (
    AwsError,
    Json,
    Operation,
    decoded,
    json_in,
    operation,
    validation_message,
)
from simulator.provider import Account, Asked, Due, Phone, Taken, TwoWay, check_word
from simulator.whatsapp.events import RECEIPTS, whatsapp_event
from simulator.whatsapp.message import checked
from simulator.whatsapp.phone import PHONE, WhatsAppTwoWay

_API_VERSION = re.compile(r"v[1-9][0-9]*\.[0-9]+")


@dataclass(frozen=True)
class WhatsApp:
    """socialmessaging."""

    account: Account
    channel: str = "whatsapp"
    throttled: str = "ThrottledRequestException"
    phone: Phone = PHONE

    @property
    def operation(self) -> Operation:
        return operation("socialmessaging", "SendWhatsAppMessage")

    def read(self, body: Json) -> Asked:
        if problems := self.operation.problems(body):
            raise AwsError("ValidationException", validation_message(problems))
        if not _API_VERSION.fullmatch(body["metaApiVersion"]):
            raise AwsError("ValidationException", "metaApiVersion has the form v20.0")
        message = _message(decoded(body["message"], "message"))
        data = message.get("biz_opaque_callback_data")
        return Asked(
            request=body | {"message": message},
            to=f"+{message['to'].removeprefix('+')}",
            echo={} if data is None else {"biz_opaque_callback_data": data},
        )

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def answer(self, provider_id: str) -> Json:
        return {"messageId": provider_id}

    def check_receipt(self, word: str) -> None:
        check_word(word, RECEIPTS)

    def plan(self, asked: Asked, dues: Sequence[Due]) -> Sequence[Due]:  # noqa: ARG002 the protocol's
        return dues

    def event(self, taken: Taken, word: str, at: datetime) -> Json:
        return whatsapp_event(self.account, taken, word, at)

    @property
    def two_way(self) -> TwoWay:
        return WhatsAppTwoWay(self.account)


def _message(blob: bytes) -> Json:
    try:
        return checked(json_in(blob))
    except ValueError as error:
        raise AwsError("InvalidParametersException", f"message: {error}") from error
