"""Reads AWS End User Messaging SMS events.

Formats: "configuration-sets-event-format", "configuration-sets-event-types" and
"two-way-sms-payload" in the AWS End User Messaging SMS user guide; RCS events in its newer edition.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from messaging.domain.messages import AttemptId, Receipt
from messaging.domain.statuses import ReceiptKind

# eventType without its TEXT_ or RCS_. A kind that ends the attempt counts only with `isFinal`.
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
_NOT_YET_FINAL = {
    ReceiptKind.CARRIER_ACCEPTED: ReceiptKind.SENT,
    ReceiptKind.FAILED: ReceiptKind.PROGRESS,
    ReceiptKind.UNCONFIRMED: ReceiptKind.PROGRESS,
}


def parse(event: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """The one receipt of a delivery event."""
    word = str(event.get("eventType") or event["messageStatus"])
    kind = _KINDS.get(word.removeprefix("TEXT_").removeprefix("RCS_"), ReceiptKind.UNKNOWN)
    if not event.get("isFinal"):
        kind = _NOT_YET_FINAL.get(kind, kind)
    return (
        Receipt(
            channel="sms",
            kind=kind,
            word=word,
            occurred_at=datetime.fromtimestamp(event["eventTimestamp"] / 1000, UTC),
            provider_id=event["messageId"],
            echo=_echo(event.get("context") or {}),
            reason=_reason(word, event) if kind is ReceiptKind.FAILED else None,
        ),
    )


def _echo(context: Mapping[str, str]) -> AttemptId | None:
    if "message_id" not in context:
        return None
    return AttemptId.parse(f"{context['message_id']}.{context.get('attempt')}")


def _reason(word: str, event: Mapping[str, Any]) -> str:
    return f"{word} {event.get('messageStatusDescription') or ''}".strip()


def parse_inbound(event: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """A person's answer; its text is left out. It names the message it answers, if any."""
    return (
        Receipt(
            channel="sms",
            kind=ReceiptKind.UNKNOWN,
            word="inbound",
            occurred_at=datetime.now(UTC),
            provider_id=event.get("previousPublishedMessageId"),
            key=event["inboundMessageId"],
        ),
    )


# By the field that only these events have.
FORMATS = {"messageStatus": parse, "inboundMessageId": parse_inbound}
