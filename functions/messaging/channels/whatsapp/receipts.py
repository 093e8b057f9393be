"""Reads AWS End User Messaging Social events: Meta's webhook entries in AWS's envelope.

Formats: "managing-event-destination-dlrs" and "managing-event-destinations-status" in the AWS End
User Messaging Social user guide; Meta's "status messages webhook reference".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from messaging.channels.reading import EventItem, each
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


def parse(event: Mapping[str, Any]) -> tuple[EventItem, ...]:
    """One receipt per status and per inbound message in the entry; there can be several."""
    entry = json.loads(event["whatsAppWebhookEntry"])
    found = tuple(each(entry.get("changes"), partial(_change, event.get("messageId"))))
    if len({one.wamid if isinstance(one, Receipt) else one for one in found}) == 1:
        return found
    # The envelope has one id, and nothing says which of the messages it belongs to.
    return tuple(
        replace(one, provider_id=None) if isinstance(one, Receipt) else one for one in found
    )


def _change(provider_id: str | None, change: Mapping[str, Any]) -> Iterator[EventItem]:
    value = change.get("value") or {}
    yield from each(value.get("statuses"), partial(_statuses, provider_id))
    yield from each(value.get("messages"), _inbound)


def _statuses(provider_id: str | None, status: Mapping[str, Any]) -> tuple[Receipt, ...]:
    return (_status(status, provider_id),)


def _status(status: Mapping[str, Any], provider_id: str | None) -> Receipt:
    word = status["status"]
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
    errors = (f"{error.get('code')} {error.get('title')}" for error in status.get("errors") or ())
    return "; ".join(errors) or word


def _inbound(message: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """A recipient's reply, without its content. It names the message it replies to, if any."""
    return (
        Receipt(
            channel="whatsapp",
            kind=ReceiptKind.UNKNOWN,
            word="inbound " + message["type"],
            occurred_at=_at(message),
            wamid=(message.get("context") or {}).get("id"),
            key=message["id"],
        ),
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
