"""A call on the phone: who calls, and what is said."""

from simulator.aws_end_user_messaging import origination_number
from simulator.aws_model import Json
from simulator.provider import PhoneState, PhoneView
from simulator.voice.events import EVENTS

_NOT_FAILED = {
    "VOICE_INITIATED": PhoneState.IN_TRANSIT,
    "VOICE_RINGING": PhoneState.IN_TRANSIT,
    "VOICE_ANSWERED": PhoneState.IN_TRANSIT,
    "VOICE_COMPLETED": PhoneState.DELIVERED,
}
_REFUSALS = ("VOICE_BUSY", "VOICE_NO_ANSWER")


def content(body: Json) -> Json:
    return {"type": "text", "text": body["MessageBody"]}


PHONE = PhoneView(
    sender=origination_number,
    content=content,
    states={event_type: _NOT_FAILED.get(event_type, PhoneState.FAILED) for event_type in EVENTS},
    refusals={event_type: EVENTS[event_type] for event_type in _REFUSALS},
    delivered="VOICE_COMPLETED",
    unsupported={
        "read": "A call has no read receipt: it is delivered when the message was played",
        "reply": "A call that reads a text takes no reply",
    },
)
