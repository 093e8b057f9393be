"""What SMS and voice in AWS End User Messaging (pinpoint-sms-voice-v2) have in common."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from messaging.domain.content import Delivery
from messaging.domain.messages import AttemptId, Receipt
from messaging.domain.statuses import ReceiptKind

SERVICE = "pinpoint-sms-voice-v2"
# docs.aws.amazon.com/sms-voice/latest/userguide/sender-id.html
LONGEST_SENDER_ID = 11
MAX_TIME_TO_LIVE = 259_200
_PREFIX = re.compile("^(TEXT|RCS|VOICE)_")


def is_notify_configuration(sender: str) -> bool:
    """Whether the sender is the id or the ARN of a Notify configuration, which sends AWS's own
    templates from AWS's own numbers.

    docs.aws.amazon.com/sms-voice/latest/userguide/notify.html
    """
    has_its_id = sender.startswith("nc-") and len(sender) > LONGEST_SENDER_ID
    return has_its_id or ":notify-configuration/" in sender


def time_to_live(delivery: Delivery) -> int:
    """The request parameter TimeToLive, in seconds."""
    return min(delivery.valid_seconds, MAX_TIME_TO_LIVE)


def context(delivery: Delivery) -> dict[str, str]:
    """The request parameter Context, which every event contains."""
    attempt = delivery.attempt_id
    return {"message_id": attempt.message_id, "attempt": str(attempt.number)}


def fraud_protection(
    delivery: Delivery, protect_configuration: str, **codes_max_price: str
) -> dict[str, Any]:
    """The request parameters against fraud, without those that are empty: the Protect configuration
    of every message, and the highest price of one with a code, by the name of its parameter.

    docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html and
    API_SendVoiceMessage.html
    """
    prices = codes_max_price if delivery.verification else {}
    parameters = {"ProtectConfigurationId": protect_configuration, **prices}
    return {name: value for name, value in parameters.items() if value}


def receipt(event: Mapping[str, Any], channel: str, kinds: Mapping[str, ReceiptKind]) -> Receipt:
    """The receipt in a delivery event; `kinds`: by event type without its prefix. A kind that ends
    the attempt counts only with `isFinal`.
    """
    word = event.get("eventType") or event["messageStatus"]
    kind = kinds.get(_PREFIX.sub("", word), ReceiptKind.UNKNOWN)
    if not event.get("isFinal"):
        kind = _NOT_YET_FINAL.get(kind, kind)
    return Receipt(
        channel=channel,
        kind=kind,
        word=word,
        occurred_at=datetime.fromtimestamp(event["eventTimestamp"] / 1000, UTC),
        provider_id=event["messageId"],
        echo=_echo(event.get("context") or {}),
        reason=_reason(word, event) if kind is ReceiptKind.FAILED else None,
    )


_NOT_YET_FINAL = {
    ReceiptKind.CARRIER_ACCEPTED: ReceiptKind.SENT,
    ReceiptKind.FAILED: ReceiptKind.PROGRESS,
    ReceiptKind.UNCONFIRMED: ReceiptKind.PROGRESS,
}


def _echo(context: Mapping[str, str]) -> AttemptId | None:
    if "message_id" not in context:
        return None
    return AttemptId.parse(f"{context['message_id']}.{context.get('attempt')}")


def _reason(word: str, event: Mapping[str, Any]) -> str:
    return f"{word} {event.get('messageStatusDescription') or ''}".strip()
