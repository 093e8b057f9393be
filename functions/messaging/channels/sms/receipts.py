"""Reads AWS End User Messaging SMS events.

Formats: "configuration-sets-event-format", "configuration-sets-event-types" and
"two-way-sms-payload" in the AWS End User Messaging SMS user guide; RCS events in its newer edition.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from messaging.channels.aws_end_user_messaging import receipt
from messaging.domain.messages import Receipt
from messaging.domain.statuses import ReceiptKind

# By eventType without the prefix TEXT_ or RCS_.
_KINDS = {
    "QUEUED": ReceiptKind.PROGRESS,
    "PENDING": ReceiptKind.PROGRESS,
    "FALLEN_BACK_TO_SMS": ReceiptKind.PROGRESS,
    "SENT": ReceiptKind.SENT,
    "SUCCESSFUL": ReceiptKind.CARRIER_ACCEPTED,
    "DELIVERED": ReceiptKind.DELIVERED,
    "READ": ReceiptKind.READ,
    "INVALID": ReceiptKind.FAILED,
    "INVALID_MESSAGE": ReceiptKind.FAILED,
    "UNREACHABLE": ReceiptKind.FAILED,
    "CARRIER_UNREACHABLE": ReceiptKind.FAILED,
    "BLOCKED": ReceiptKind.FAILED,
    "CARRIER_BLOCKED": ReceiptKind.FAILED,
    "SPAM": ReceiptKind.FAILED,
    "FAILED": ReceiptKind.FAILED,
    "UNROUTABLE": ReceiptKind.FAILED,
    "TTL_EXPIRED": ReceiptKind.FAILED,
    "PROTECT_BLOCKED": ReceiptKind.FAILED,
    "UNKNOWN": ReceiptKind.UNCONFIRMED,
}


def parse(event: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """The one receipt of a delivery event."""
    return (receipt(event, "sms", _KINDS),)


def parse_inbound(event: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """A recipient's reply, without its text. It names the message it replies to, if any, and has
    no time: that of the topic stays the same when the event is delivered again.
    """
    return (
        Receipt(
            channel="sms",
            kind=ReceiptKind.UNKNOWN,
            word="inbound",
            occurred_at=datetime.fromisoformat(event["published_at"]),
            provider_id=event.get("previousPublishedMessageId"),
            key=event["inboundMessageId"],
        ),
    )


def _is_delivery(event: Mapping[str, Any]) -> bool:
    """An event of the service's first version has no `eventType`."""
    kind = str(event.get("eventType") or "TEXT_")
    return "messageStatus" in event and kind.startswith(("TEXT_", "RCS_"))


def _is_inbound(event: Mapping[str, Any]) -> bool:
    return "inboundMessageId" in event


FORMATS = ((_is_delivery, parse), (_is_inbound, parse_inbound))
