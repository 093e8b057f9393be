"""The events that AWS End User Messaging SMS publishes, in its documented format."""

from collections.abc import Sequence
from datetime import datetime

from simulator.aws_model import Json
from simulator.provider import Due, Taken, milliseconds
from simulator.sms.text import encoding, parts

# https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
# Event type: its description. TEXT_SENT is left out: AWS names it, but does not publish it.
EVENTS = {
    "TEXT_QUEUED": "Message is queued for delivery",
    "TEXT_PENDING": "Message has not yet been delivered",
    "TEXT_SUCCESSFUL": "Message has been accepted by phone carrier",
    "TEXT_DELIVERED": "Message has been accepted by phone",
    "TEXT_INVALID": "Phone number is invalid",
    "TEXT_INVALID_MESSAGE": "Message is invalid",
    "TEXT_UNREACHABLE": "Phone is currently unreachable/unavailable",
    "TEXT_CARRIER_UNREACHABLE": "Phone carrier is currently unreachable/unavailable",
    "TEXT_BLOCKED": "Phone has blocked SMS",
    "TEXT_CARRIER_BLOCKED": "Phone carrier has blocked this message",
    "TEXT_SPAM": "Message is detected as spam by phone carrier",
    "TEXT_UNKNOWN": "Unknown error attempting to reach phone",
    "TEXT_TTL_EXPIRED": "Message TTL has expired",
    "TEXT_PROTECT_BLOCKED": "Message blocked by protect configuration",
}
_UNDER_WAY = ("TEXT_QUEUED", "TEXT_PENDING")
PRICE_OF_A_PART = 0.00581
_FEE_OF_A_PART = 0.00302
OWN_NUMBER = "+12065550100"
_PROTECT = {
    "protectConfiguration": {
        "protectConfigurationId": "protect-d7777777777777710000000000000000",
        "protectStatus": "FILTER",
    },
    "protectConfigurationAssessment": {
        "protectRecommendation": "BLOCK",
        "protectInsights": {"blockReason": "AIT_SUSPECTED"},
    },
}
# The countries that have simulator numbers; a longer code stands before a shorter one.
_COUNTRIES = {
    "+447937": "JE", "+61": "AU", "+43": "AT", "+32": "BE", "+56": "CL", "+420": "CZ",
    "+45": "DK", "+372": "EE", "+358": "FI", "+33": "FR", "+852": "HK", "+36": "HU",
    "+39": "IT", "+44": "GB", "+352": "LU", "+31": "NL", "+47": "NO", "+48": "PL",
    "+351": "PT", "+40": "RO", "+34": "ES", "+46": "SE", "+41": "CH", "+886": "TW", "+1": "US",
}  # fmt: skip


def within_ttl(dues: Sequence[Due], ttl_seconds: float) -> Sequence[Due]:
    """The receipts as TimeToLive lets them come: what is not handed over by then expires.

    A message that has its result already, or is marked `despite_ttl` (the carrier has it, only its
    receipt is late), is beyond the reach of the time to live.
    """
    kept: list[Due] = []
    for due in dues:
        if due.after > ttl_seconds and not due.despite_ttl:
            return [*kept, Due(ttl_seconds, "TEXT_TTL_EXPIRED")]
        kept.append(due)
        if due.receipt not in _UNDER_WAY:
            return dues
    return kept


def sms_event(taken: Taken, word: str, at: datetime) -> Json:
    request = taken.asked.request
    country = _country(taken.asked.to)
    return {
        "eventType": word,
        "eventVersion": "1.0",
        "eventTimestamp": milliseconds(at),
        "isFinal": word not in _UNDER_WAY,
        "originationPhoneNumber": own_number(request.get("OriginationIdentity", "")),
        "destinationPhoneNumber": taken.asked.to,
        "isoCountryCode": country,
        "isInternationalSend": country != "US",
        **_carrier(word, country),
        "messageId": taken.provider_id,
        "messageRequestTimestamp": milliseconds(taken.at),
        "messageEncoding": encoding(request["MessageBody"]),
        "messageType": request.get("MessageType", "TRANSACTIONAL"),
        "messageStatus": word.removeprefix("TEXT_"),
        "messageStatusDescription": EVENTS[word],
        **({"context": dict(taken.asked.echo)} if taken.asked.echo else {}),
        **_costs(word, parts(request["MessageBody"])),
    }


def _country(number: str) -> str:
    found = (country for code, country in _COUNTRIES.items() if number.startswith(code))
    return next(found, "ZZ")


def own_number(identity: str) -> str:
    """The number that an origination identity stands for."""
    # An id, an ARN or a pool stands for a number that only AWS knows.
    number = f"+{identity.removeprefix('+')}"
    return number if number[1:].isdigit() else OWN_NUMBER


def _carrier(word: str, country: str) -> Json:
    if word in _UNDER_WAY or country != "US":
        return {}
    return {"mcc": "310", "mnc": "800", "carrierName": "Example Carrier"}


def _costs(word: str, count: int) -> Json:
    if word == "TEXT_PROTECT_BLOCKED":
        return {"totalMessageParts": count, "totalMessagePrice": 0, "totalCarrierFee": 0} | _PROTECT
    return {
        "totalMessageParts": count,
        "totalMessagePrice": round(count * PRICE_OF_A_PART, 5),
        "totalCarrierFee": round(count * _FEE_OF_A_PART, 5),
    }
