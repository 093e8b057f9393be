"""The events that AWS End User Messaging SMS publishes, in its documented format."""

from datetime import datetime

from simulator.aws_end_user_messaging import country_code, message_event
from simulator.aws_model import Json
from simulator.provider import AcceptedMessage, TimeToLive
from simulator.sms.text import encoding, parts

# https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
# Event types with their descriptions. TEXT_SENT is missing: AWS lists it but does not publish it.
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
_IN_PROGRESS = ("TEXT_QUEUED", "TEXT_PENDING")
PRICE_PER_PART = 0.00581
_FEE_PER_PART = 0.00302
# That of the account, in AWS's sample event.
_PROTECT_CONFIGURATION = "protect-d7777777777777710000000000000000"


def time_to_live(seconds: float) -> TimeToLive:
    """What the request parameter TimeToLive means for the receipts."""
    return TimeToLive(seconds, in_progress=_IN_PROGRESS, expired="TEXT_TTL_EXPIRED")


def sms_event(message: AcceptedMessage, event_type: str, at: datetime) -> Json:
    body = message.request.body
    country = country_code(message.request.to)
    return {
        **message_event(message, event_type, at, is_final=event_type not in _IN_PROGRESS),
        "isInternationalSend": country != "US",
        **_carrier(event_type, country),
        "messageEncoding": encoding(body["MessageBody"]),
        "messageType": body.get("MessageType", "TRANSACTIONAL"),
        "messageStatusDescription": EVENTS[event_type],
        **_costs(event_type, parts(body["MessageBody"])),
        **(_protect(body) if event_type == "TEXT_PROTECT_BLOCKED" else {}),
    }


def _carrier(event_type: str, country: str) -> Json:
    if event_type in _IN_PROGRESS or country != "US":
        return {}
    return {"mcc": "310", "mnc": "800", "carrierName": "Example Carrier"}


def _costs(event_type: str, count: int) -> Json:
    if event_type == "TEXT_PROTECT_BLOCKED":
        return {"totalMessageParts": count, "totalMessagePrice": 0, "totalCarrierFee": 0}
    return {
        "totalMessageParts": count,
        "totalMessagePrice": round(count * PRICE_PER_PART, 5),
        "totalCarrierFee": round(count * _FEE_PER_PART, 5),
    }


def _protect(body: Json) -> Json:
    """The protect configuration that blocked the message: the request's, if it names one."""
    named = body.get("ProtectConfigurationId", _PROTECT_CONFIGURATION)
    return {
        "protectConfiguration": {
            "protectConfigurationId": named.rpartition("/")[2],
            "protectStatus": "FILTER",
        },
        "protectConfigurationAssessment": {
            "protectRecommendation": "BLOCK",
            "protectInsights": {"blockReason": "AIT_SUSPECTED"},
        },
    }
