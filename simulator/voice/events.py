"""The events that AWS End User Messaging publishes of a call, in their documented format."""

from datetime import datetime

from simulator.aws_end_user_messaging import message_event
from simulator.aws_model import Json
from simulator.provider import AcceptedMessage, TimeToLive

# https://docs.aws.amazon.com/end-user-messaging/latest/userguide/nx-features-messaging-events.html
# Event types with their meanings. The events themselves hold no description.
EVENTS = {
    "VOICE_INITIATED": "The call is ready to be dialed",
    "VOICE_RINGING": "The phone rings",
    "VOICE_ANSWERED": "The call was answered",
    "VOICE_COMPLETED": "The call was answered and the message was played to its end",
    "VOICE_BUSY": "The line is busy",
    "VOICE_NO_ANSWER": "Nobody answers",
    "VOICE_FAILED": "The call failed",
    "VOICE_TTL_EXPIRED": "The time to live ended before the call was answered",
}
_IN_PROGRESS = ("VOICE_INITIATED", "VOICE_RINGING", "VOICE_ANSWERED")
# The price of one minute in AWS's own sample event.
PRICE_PER_MINUTE = 0.013
# How fast a voice reads, about.
_CHARACTERS_PER_SECOND = 15


def time_to_live(seconds: float) -> TimeToLive:
    """What the request parameter TimeToLive means for the receipts."""
    return TimeToLive(seconds, in_progress=_IN_PROGRESS, expired="VOICE_TTL_EXPIRED")


def voice_event(message: AcceptedMessage, event_type: str, at: datetime) -> Json:
    is_final = event_type not in _IN_PROGRESS
    return {
        **message_event(message, event_type, at, is_final=is_final),
        **(_call(message) if event_type == "VOICE_COMPLETED" else {}),
    }


def _call(message: AcceptedMessage) -> Json:
    """How long the call took, and what it costs: each minute that began."""
    seconds = 1 + len(message.request.body["MessageBody"]) // _CHARACTERS_PER_SECOND
    minutes = -(-seconds // 60)
    return {
        "callDurationInSeconds": seconds,
        "totalDurationInMinutes": minutes,
        "totalMessagePrice": round(minutes * PRICE_PER_MINUTE, 5),
    }
