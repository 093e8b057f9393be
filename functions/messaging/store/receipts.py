"""Receipts: what providers reported, and which attempt a provider's own id belongs to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from messaging.domain.messages import AttemptId, Receipt
from messaging.store.table import Key, Table, timestamp

# The reason of a failure is displayed; the providers' own reasons are a tenth of this long.
MAX_REASON = 1_000


class Receipts:
    """The receipts in the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, receipt: Receipt, attempt_id: AttemptId | None, now: datetime) -> None:
        """Stores the receipt with its message, or under the provider's id if it has no attempt. The
        same receipt is stored once.
        """
        holder = attempt_id.message_id if attempt_id else f"provider#{receipt.key}"
        number = attempt_id.number if attempt_id else 0
        occurred = timestamp(receipt.occurred_at)
        self._table.put(
            Key(holder, f"receipt#{number:02}#{occurred}#{receipt.word}#{receipt.key}"),
            {
                "attempt": number or None,
                "channel": receipt.channel,
                "kind": receipt.kind,
                "word": receipt.word,
                "reason": receipt.reason and receipt.reason[:MAX_REASON],
                "provider_id": receipt.provider_id,
                "wamid": receipt.wamid,
                "occurred_at": occurred,
                "received_at": timestamp(now),
                "retained_until": self._table.retained_until(now),
            },
        )

    def of(self, message_id: str) -> list[Mapping[str, Any]]:
        """The receipts of a message, by attempt and then by when they occurred."""
        return list(self._table.query(message_id, "receipt#", "receipt#~"))

    def link(self, provider_id: str, attempt_id: AttemptId, now: datetime, channel: str) -> None:
        """Stores which attempt the provider's id belongs to, for `find`."""
        self._table.put(
            Key(f"provider#{provider_id}", "attempt"),
            {
                "attempt_id": str(attempt_id),
                "channel": channel,
                "retained_until": self._table.retained_until(now),
            },
        )

    def find(self, provider_id: str, channel: str) -> AttemptId | None:
        """The attempt to which this id of the channel's provider belongs."""
        key = Key(f"provider#{provider_id}", "attempt")
        # A link is never changed, so what the cheaper read finds is true.
        link = self._table.get(key, consistent=False) or self._table.get(key)
        return AttemptId.parse(link["attempt_id"]) if link.get("channel") == channel else None
