"""Reads AWS End User Messaging Social events: Meta's webhook entries in AWS's envelope.

Formats: "managing-event-destination-dlrs" and "managing-event-destinations-status" in the AWS End
User Messaging Social user guide; Meta's "status messages webhook reference".
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from messaging.domain.messages import AttemptId, Receipt
from messaging.domain.statuses import ReceiptKind

_KINDS = {
    "accepted": ReceiptKind.PROGRESS,
    "warning": ReceiptKind.PROGRESS,
    "sent": ReceiptKind.SENT,
    "delivered": ReceiptKind.DELIVERED,
    "read": ReceiptKind.READ,
    "played": ReceiptKind.READ,
    "failed": ReceiptKind.FAILED,
    # AWS's own, after retrying the call to Meta for 180 minutes.
    "Message retries exhausted, dropping message.": ReceiptKind.FAILED,
}


def parse(event: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """One receipt per status and per inbound message in the entry; there can be several."""
    entry = json.loads(event["whatsAppWebhookEntry"])
    return tuple(
        receipt
        for change in entry.get("changes", [])
        for receipt in _change(change.get("value", {}), event.get("messageId"))
    )


def _change(value: Mapping[str, Any], provider_id: str | None) -> Iterator[Receipt]:
    for status in value.get("statuses", []):
        yield _status(status, provider_id)
    for message in value.get("messages", []):
        yield _inbound(message)


def _status(status: Mapping[str, Any], provider_id: str | None) -> Receipt:
    word = str(status.get("status"))
    kind = _KINDS.get(word, ReceiptKind.UNKNOWN)
    return Receipt(
        channel="whatsapp",
        kind=kind,
        word=word,
        occurred_at=_at(status),
        provider_id=provider_id,
        wamid=status.get("id"),
        echo=AttemptId.parse(str(status.get("biz_opaque_callback_data"))),
        reason=_reason(word, status) if kind is ReceiptKind.FAILED else None,
    )


def _reason(word: str, status: Mapping[str, Any]) -> str:
    """Meta's code and title; its message may contain the phone number."""
    errors = (f"{error.get('code')} {error.get('title')}" for error in status.get("errors", []))
    return "; ".join(errors) or word


def _inbound(message: Mapping[str, Any]) -> Receipt:
    """A recipient's reply, without its content. It names the message it replies to, if any."""
    return Receipt(
        channel="whatsapp",
        kind=ReceiptKind.UNKNOWN,
        word=f"inbound {message.get('type')}",
        occurred_at=_at(message),
        wamid=message.get("context", {}).get("id"),
        key=str(message.get("id")),
    )


def _at(item: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(item["timestamp"]), UTC)


def parse_eventbridge(detail: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """The one receipt of an event on the default bus, which has no wamid and no echo field."""
    status = {**detail, "id": None, "timestamp": detail["eventTimestamp"]}
    return (_status(status, detail["messageId"]),)


def _is_entry(event: Mapping[str, Any]) -> bool:
    return "whatsAppWebhookEntry" in event


def _is_detail(event: Mapping[str, Any]) -> bool:
    return "wabaId" in event


FORMATS = ((_is_entry, parse), (_is_detail, parse_eventbridge))
