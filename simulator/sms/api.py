"""The counter of AWS End User Messaging SMS: SendTextMessage as AWS takes or refuses it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator.aws_model import AwsError, Json, Operation, operation, validation_message
from simulator.provider import Account, Asked, Due, Phone, Taken, TwoWay, check_word
from simulator.sms.events import EVENTS, PRICE_OF_A_PART, sms_event, within_ttl
from simulator.sms.phone import PHONE, SmsTwoWay
from simulator.sms.text import encoding, length, parts

# https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html
LONGEST = {"GSM": 1530, "Unicode": 630}


@dataclass(frozen=True)
class Sms:
    """pinpoint-sms-voice-v2."""

    account: Account
    channel: str = "sms"
    throttled: str = "ThrottlingException"
    phone: Phone = PHONE

    @property
    def operation(self) -> Operation:
        return operation("pinpoint-sms-voice-v2", "SendTextMessage")

    def read(self, body: Json) -> Asked:
        self._check_model(body)
        _check_length(body.get("MessageBody"))
        _check_price(body)
        return Asked(
            request=body,
            to=f"+{body['DestinationPhoneNumber'].removeprefix('+')}",
            echo=body.get("Context") or {},
            publishes="ConfigurationSetName" in body,
            dry_run=body.get("DryRun", False),
            ttl_seconds=body.get("TimeToLive"),
        )

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def answer(self, provider_id: str) -> Json:
        return {"MessageId": provider_id}

    def check_receipt(self, word: str) -> None:
        check_word(word, tuple(EVENTS))

    def plan(self, asked: Asked, dues: Sequence[Due]) -> Sequence[Due]:
        return dues if asked.ttl_seconds is None else within_ttl(dues, asked.ttl_seconds)

    def event(self, taken: Taken, word: str, at: datetime) -> Json:
        return sms_event(taken, word, at)

    @property
    def two_way(self) -> TwoWay:
        return SmsTwoWay(self.account)

    def _check_model(self, body: Json) -> None:
        if problems := self.operation.problems(body):
            fields = [{"Name": p.path.split(".")[0], "Message": p.constraint} for p in problems]
            raise AwsError(
                "ValidationException",
                validation_message(problems),
                Reason="FIELD_VALIDATION_FAILED",
                Fields=fields,
            )


def _check_length(text: str | None) -> None:
    if text is None:
        # The model does not require it, the service does.
        raise _field_error("MISSING_PARAMETER", "MessageBody", "MessageBody is missing")
    kind = encoding(text)
    if length(text) > LONGEST[kind]:
        raise _field_error(
            "INVALID_PARAMETER",
            "MessageBody",
            f"Invalid message: at most {LONGEST[kind]} characters in {kind} encoding",
        )


def _check_price(body: Json) -> None:
    highest = body.get("MaxPrice")
    if highest is not None and float(highest) < PRICE_OF_A_PART * parts(body["MessageBody"]):
        raise _field_error(
            "PRICE_OVER_THRESHOLD", "MaxPrice", "The message costs more than MaxPrice"
        )


def _field_error(reason: str, field: str, message: str) -> AwsError:
    fields = [{"Name": field, "Message": message}]
    return AwsError("ValidationException", message, Reason=reason, Fields=fields)
