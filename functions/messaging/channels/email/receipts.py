"""Reads Amazon SES events.

Formats: "event-publishing-retrieving-sns-contents" in the Amazon SES developer guide.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from messaging.domain.messages import AttemptId, Receipt, SetupMessage
from messaging.domain.statuses import ReceiptKind

_KINDS = {
    "Send": ReceiptKind.SENT,
    "Delivery": ReceiptKind.DELIVERED,
    "DeliveryDelay": ReceiptKind.PROGRESS,
    "Bounce": ReceiptKind.FAILED,
    "Reject": ReceiptKind.FAILED,
    "Rendering Failure": ReceiptKind.FAILED,
    "Complaint": ReceiptKind.COMPLAINED,
    "Open": ReceiptKind.ENGAGED,
    "Click": ReceiptKind.ENGAGED,
    "Subscription": ReceiptKind.ENGAGED,
}
# The field of an event type's details, if it is not the type in lower case.
_PARTS = {"Rendering Failure": "failure", "DeliveryDelay": "deliveryDelay"}


def parse(event: Mapping[str, Any]) -> tuple[Receipt, ...]:
    """The one receipt of an event. Configuration sets publish an `eventType`, identities a
    `notificationType` and no tags.
    """
    word = event.get("eventType") or event["notificationType"]
    kind = _KINDS.get(word, ReceiptKind.UNKNOWN)
    mail, part = event["mail"], event.get(_PARTS.get(word, word.lower())) or {}
    return (
        Receipt(
            channel="email",
            kind=kind,
            word=word,
            occurred_at=datetime.fromisoformat(part.get("timestamp") or mail["timestamp"]),
            provider_id=mail["messageId"],
            echo=_echo(mail.get("tags") or {}),
            reason=_reason(word, part) if kind is ReceiptKind.FAILED else None,
            key=part.get("feedbackId") or "",
        ),
    )


def _echo(tags: Mapping[str, list[str]]) -> AttemptId | None:
    if not tags.get("message_id") or not tags.get("attempt"):
        return None
    return AttemptId.parse(f"{tags['message_id'][0]}.{tags['attempt'][0]}")


def _reason(word: str, part: Mapping[str, Any]) -> str:
    """SES's own types; the diagnostic text is omitted because it contains the address."""
    types = (word, part.get("bounceType"), part.get("bounceSubType"), part.get("reason"))
    return " ".join(one for one in types if one)


def parse_subscribed(_: Mapping[str, Any]) -> tuple[SetupMessage, ...]:
    """What SES publishes when a topic begins to receive the notifications of an identity."""
    return (SetupMessage(),)


def _is_mail(event: Mapping[str, Any]) -> bool:
    return "mail" in event


def _is_subscribed(event: Mapping[str, Any]) -> bool:
    return event.get("notificationType") == "AmazonSnsSubscriptionSucceeded"


FORMATS = ((_is_mail, parse), (_is_subscribed, parse_subscribed))
