"""What the providers reported."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from console.execution import Condition
from console.facts import MessageFacts
from console.timeline.entries import DraftEntry
from console.words import capital, channel, duration
from messaging.domain.statuses import ReceiptKind

# What each kind of receipt means, shown beside the provider's own term.
MEANINGS: Final = {
    ReceiptKind.PROGRESS: "in progress",
    ReceiptKind.SENT: "sent",
    ReceiptKind.CARRIER_ACCEPTED: "accepted by the carrier",
    ReceiptKind.DELIVERED: "delivered",
    ReceiptKind.READ: "read",
    ReceiptKind.FAILED: "failed",
    ReceiptKind.UNCONFIRMED: "delivery cannot be confirmed",
    ReceiptKind.COMPLAINED: "the recipient reported it as spam",
    ReceiptKind.ENGAGED: "the recipient opened it or followed a link",
    ReceiptKind.UNKNOWN: "unknown to this version, ignored",
}
TONES: Final = {
    ReceiptKind.DELIVERED: "good",
    ReceiptKind.READ: "good",
    ReceiptKind.CARRIER_ACCEPTED: "good",
    ReceiptKind.FAILED: "bad",
    ReceiptKind.UNCONFIRMED: "warn",
    ReceiptKind.COMPLAINED: "bad",
}


def receipts(facts: MessageFacts) -> Iterator[DraftEntry]:
    for receipt in facts.receipts:
        text = _report(receipt)
        if _late(facts, receipt):
            text = f"{text}, after the wait had ended"
        tone = TONES.get(ReceiptKind(receipt["kind"]), "quiet")
        yield DraftEntry(_time(receipt["received_at"]), tone, text, _provider_time(receipt))


def _report(receipt: Mapping[str, Any]) -> str:
    word, meaning = receipt["word"], MEANINGS[ReceiptKind(receipt["kind"])]
    meanings = [meaning if meaning != word else None, receipt.get("reason")]
    name = capital(channel(receipt["channel"]))
    return ": ".join([f"{name} reported {word}", ", ".join(filter(None, meanings))]).rstrip(": ")


def _late(facts: MessageFacts, receipt: Mapping[str, Any]) -> bool:
    """Whether its state had timed out or ended for another reason before."""
    visit = facts.sending.get(int(receipt.get("attempt") or 0))
    if visit is None or not visit.ended or visit.exited_at is None:
        return False
    own = visit.condition is Condition.SUCCEEDED and visit.output.get("attempt") == visit.attempt
    return not own and _time(receipt["received_at"]) > visit.exited_at


def _provider_time(receipt: Mapping[str, Any]) -> str:
    """Providers' clocks differ, and WhatsApp's timestamps have whole seconds."""
    occurred = _time(receipt["occurred_at"])
    apart = _time(receipt["received_at"]) - occurred
    ago = f", {duration(apart.total_seconds())} earlier" if apart > timedelta(seconds=1) else ""
    clock = f"{occurred.astimezone():%H:%M:%S}.{occurred.microsecond // 1000:03}"
    return f"attempt {receipt.get('attempt')}; provider timestamp {clock}{ago}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
