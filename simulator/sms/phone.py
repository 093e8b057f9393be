"""An SMS on the phone: its sender and content, and the event of a reply to it."""

import uuid
from dataclasses import dataclass

from simulator.aws_end_user_messaging import origination_number
from simulator.aws_model import Json
from simulator.provider import (
    AcceptedMessage,
    AwsAccount,
    PhoneState,
    PhoneView,
    RecipientReply,
)
from simulator.sms.events import EVENTS
from simulator.sms.text import encoding, length, parts

_ENCODINGS = {"GSM": "GSM-7", "Unicode": "UCS-2"}
# TEXT_UNKNOWN says neither that it arrived nor that it failed; a message that the carrier has
# accepted (TEXT_SUCCESSFUL) most likely arrived.
_NOT_FAILED = {
    "TEXT_QUEUED": PhoneState.IN_TRANSIT,
    "TEXT_PENDING": PhoneState.IN_TRANSIT,
    "TEXT_UNKNOWN": PhoneState.IN_TRANSIT,
    "TEXT_SUCCESSFUL": PhoneState.DELIVERED,
    "TEXT_DELIVERED": PhoneState.DELIVERED,
}
_REFUSALS = ("TEXT_BLOCKED", "TEXT_UNREACHABLE")
# https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords-required.html
_KEYWORDS = frozenset(
    {
        *("ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD"),
        *("UNSUBSCRIBE", "HELP", "START", "UNSTOP"),
    }
)
_IDS = ("arn:", "phone-", "pool-")


def sender(body: Json) -> str:
    """The origination number, or the sender ID in its place."""
    identity = _identity(body)
    return identity if _is_sender_id(identity) else origination_number(body)


def content(body: Json) -> Json:
    text = body["MessageBody"]
    return {
        "type": "text",
        "text": text,
        "encoding": _ENCODINGS[encoding(text)],
        "length": length(text),
        "segments": parts(text),
    }


@dataclass(frozen=True)
class TwoWaySms:
    """Two-way SMS: https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html."""

    account: AwsAccount
    max_length: int = 1600

    def unavailable(self, body: Json) -> str | None:
        if _is_sender_id(_identity(body)):
            return "A sender ID cannot receive replies: two-way SMS needs a number"
        return None

    def new_reply_id(self, message: AcceptedMessage) -> str:  # noqa: ARG002 - the protocol has it
        return str(uuid.uuid4())

    def reply_event(self, message: AcceptedMessage, reply: RecipientReply) -> Json:
        keyword = reply.text.strip().upper()
        return {
            "originationNumber": message.request.to,
            "destinationNumber": sender(message.request.body),
            "messageKeyword": keyword if keyword in _KEYWORDS else f"KEYWORD_{self.account.id}",
            "messageBody": reply.text,
            "inboundMessageId": reply.id,
            "previousPublishedMessageId": message.provider_id,
        }


PHONE = PhoneView(
    sender=sender,
    content=content,
    states={event_type: _NOT_FAILED.get(event_type, PhoneState.FAILED) for event_type in EVENTS},
    refusals={event_type: EVENTS[event_type] for event_type in _REFUSALS},
    delivered="TEXT_DELIVERED",
    unsupported={"read": "An SMS has no read receipt; only RCS has one"},
)


def _identity(body: Json) -> str:
    return str(body.get("OriginationIdentity", ""))


def _is_sender_id(identity: str) -> bool:
    """Whether it is an alphanumeric sender ID: not a number, its ID or ARN, nor missing."""
    is_number = identity.removeprefix("+").isdigit()
    return bool(identity) and not is_number and not identity.startswith(_IDS)
