"""Reads the voice events of AWS End User Messaging.

Formats: "Voice example event log" in the AWS End User Messaging user guide
(nx-features-messaging-events) and "configuration-sets-event-types" in that of SMS.
"""

from collections.abc import Mapping
from typing import Any

from messaging.channels.aws_end_user_messaging import receipt
from messaging.domain.messages import Receipt
from messaging.domain.statuses import ReceiptKind

# By eventType without the prefix VOICE_. COMPLETED: the audio was played to a person or voicemail.
# SPAM and PROTECT_BLOCKED are statuses that AWS documents without an event type of their own.
_KINDS = {
    "INITIATED": ReceiptKind.PROGRESS,
    "RINGING": ReceiptKind.SENT,
    "ANSWERED": ReceiptKind.SENT,
    "COMPLETED": ReceiptKind.DELIVERED,
    "BUSY": ReceiptKind.FAILED,
    "NO_ANSWER": ReceiptKind.FAILED,
    "FAILED": ReceiptKind.FAILED,
    "TTL_EXPIRED": ReceiptKind.FAILED,
    "SPAM": ReceiptKind.FAILED,
    "PROTECT_BLOCKED": ReceiptKind.FAILED,
    "UNKNOWN": ReceiptKind.UNCONFIRMED,
}


def parse(event: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """The one receipt of a call's event."""
    return (receipt(event, "voice", _KINDS),)


def _is_call(event: Mapping[str, Any]) -> bool:
    return "messageStatus" in event and str(event.get("eventType")).startswith("VOICE_")


FORMATS = ((_is_call, parse),)
