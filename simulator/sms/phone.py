"""An SMS on the phone: how it looks there, and what its owner's answer becomes on the topic."""

import uuid
from dataclasses import dataclass

from simulator.aws_model import Json
from simulator.provider import Account, Phone, Reply, State, Taken
from simulator.sms.events import EVENTS, own_number
from simulator.sms.text import encoding, length, parts

_ENCODINGS = {"GSM": "GSM-7", "Unicode": "UCS-2"}
# Nobody knows of TEXT_UNKNOWN whether it arrived; of the carrier's word, that it most likely did.
_NOT_FAILED = {
    "TEXT_QUEUED": State.ON_ITS_WAY,
    "TEXT_PENDING": State.ON_ITS_WAY,
    "TEXT_UNKNOWN": State.ON_ITS_WAY,
    "TEXT_SUCCESSFUL": State.DELIVERED,
    "TEXT_DELIVERED": State.DELIVERED,
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


def sender(request: Json) -> str:
    """A number, or the sender id that stands in its place."""
    identity = str(request.get("OriginationIdentity", ""))
    return identity if _is_sender_id(identity) else own_number(identity)


def shown(request: Json) -> Json:
    text = request["MessageBody"]
    return {
        "type": "text",
        "text": text,
        "encoding": _ENCODINGS[encoding(text)],
        "length": length(text),
        "segments": parts(text),
    }


@dataclass(frozen=True)
class SmsTwoWay:
    """Two-way SMS: https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html."""

    account: Account
    longest: int = 1600

    def why_not(self, request: Json) -> str | None:
        if _is_sender_id(str(request.get("OriginationIdentity", ""))):
            return "Nobody can answer a sender id: two-way SMS needs a number"
        return None

    def new_id(self, taken: Taken) -> str:  # noqa: ARG002 the protocol's
        return str(uuid.uuid4())

    def event(self, taken: Taken, reply: Reply) -> Json:
        word = reply.text.strip().upper()
        return {
            "originationNumber": taken.asked.to,
            "destinationNumber": sender(taken.asked.request),
            "messageKeyword": word if word in _KEYWORDS else f"KEYWORD_{self.account.id}",
            "messageBody": reply.text,
            "inboundMessageId": reply.id,
            "previousPublishedMessageId": taken.provider_id,
        }


PHONE = Phone(
    sender=sender,
    shown=shown,
    states={word: _NOT_FAILED.get(word, State.FAILED) for word in EVENTS},
    refusals={word: EVENTS[word] for word in _REFUSALS},
    delivered="TEXT_DELIVERED",
)


def _is_sender_id(identity: str) -> bool:
    """Whether it is a name, and no number, no id or ARN of one, and not left to AWS."""
    is_number = identity.removeprefix("+").isdigit()
    return bool(identity) and not is_number and not identity.startswith(_IDS)
