"""Attempts: each is claimed once, and its status only rises."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from messaging.domain.errors import Unmatched
from messaging.domain.messages import (
    NOT_REQUESTED,
    RESPONSE_UNKNOWN,
    Attempt,
    AttemptId,
    Receipt,
)
from messaging.domain.plan import PlannedAttempt
from messaging.domain.statuses import ATTEMPT_RANK, AttemptStatus, Success
from messaging.store.receipts import MAX_REASON, Receipts
from messaging.store.table import Item, Key, Origin, Table, item_before, moment, timestamp

# No attempt may expire while its state waits, however short the retention is.
LONGEST_WAIT = timedelta(days=1)

_WHILE_SENDING = "#rank = :zero"


class AttemptObserver(Protocol):
    """Is called once for each status that rises, not for a repeated or outdated one."""

    def attempt_status_rose(self, attempt: Attempt) -> None: ...


class Attempts:
    """The attempts in the table."""

    def __init__(
        self, table: Table, receipts: Receipts, observer: AttemptObserver | None = None
    ) -> None:
        self._table = table
        self._receipts = receipts
        self._observer = observer

    def claim(
        self, attempt_id: AttemptId, channel: str, task_token: str, now: datetime
    ) -> tuple[Attempt, bool]:
        """The attempt, and whether the caller may send it: once, or again after `release` as long
        as its status has not changed.

        Every later caller stores its task token, because the state waits with the newest one. The
        SDK may repeat this call if its response is lost: that is the same caller.
        """
        changes = {
            "task_token": task_token,
            "channel": channel,
            "status": AttemptStatus.SENDING,
            "rank": ATTEMPT_RANK[AttemptStatus.SENDING],
            "claimed_at": timestamp(now),
            "claimed_by": uuid.uuid4().hex,
            "retained_until": self._table.retained_until(now + LONGEST_WAIT),
        }
        condition = (
            f"attribute_not_exists(sk) OR (released = :true AND {_WHILE_SENDING})"
            f" OR (#claimed_by = :claimed_by AND {_WHILE_SENDING})"
        )
        key = _key(attempt_id)
        try:
            item = self._table.update(
                key,
                changes,
                remove=("released", "reason"),
                condition=condition,
                values={":true": True, ":zero": 0},
            )
        except self._table.client.exceptions.ConditionalCheckFailedException:
            return attempt_from_item(self._table.update(key, {"task_token": task_token})), False
        return attempt_from_item(item), True

    def block(self, attempt_id: AttemptId, channel: str, at: datetime, reason: str) -> bool:
        """Whether the attempt is stored as skipped for this reason, so that it is never sent. An
        existing attempt is not changed.
        """
        new = self._table.put_new(
            _key(attempt_id),
            {
                "task_token": "",
                "channel": channel,
                "status": AttemptStatus.SKIPPED,
                "rank": ATTEMPT_RANK[AttemptStatus.SKIPPED],
                "claimed_at": timestamp(at),
                "skipped_at": timestamp(at),
                "reason": reason,
                "retained_until": self._table.retained_until(at + LONGEST_WAIT),
            },
        )
        return new or self._table.get(_key(attempt_id)).get("reason") == reason

    def require(self, attempt_id: AttemptId, channel: str, provider_id: str | None = None) -> None:
        """Raises `Unmatched` if there is no such attempt on the channel, or if it was sent with
        another provider id.
        """
        item = self._table.get(_key(attempt_id))
        _matched(item, attempt_id, Origin(channel, provider_id))

    def record_sent(
        self, attempt_id: AttemptId, provider_id: str, at: datetime, planned: PlannedAttempt
    ) -> Attempt:
        """The attempt afterwards: the status of an earlier receipt remains. The planned `success`
        is stored with the attempt, so that its receipts need not read the message.
        """
        self._receipts.link(provider_id, attempt_id, at, planned.channel)
        changes = {
            "status": AttemptStatus.SENT,
            "sent_at": timestamp(at),
            "provider_id": provider_id,
            "success": planned.success,
        }
        attempt = self._raise(attempt_id, AttemptStatus.SENT, changes, None)
        if attempt.provider_id != provider_id:
            item = self._table.update(_key(attempt_id), {"provider_id": provider_id})
            attempt = attempt_from_item(item)
        return attempt

    def update_status(
        self, attempt_id: AttemptId, status: AttemptStatus, at: datetime, reason: str | None = None
    ) -> Attempt:
        """The attempt afterwards: a status of a higher rank remains. Raises `Unmatched`."""
        changes = {"status": status, f"{status}_at": timestamp(at)}
        return self._raise(attempt_id, status, changes, reason)

    def apply_receipt(
        self, receipt: Receipt, attempt_id: AttemptId, status: AttemptStatus, at: datetime
    ) -> Attempt:
        """As `update_status`. Raises `Unmatched` also if the attempt is on another channel, or was
        sent with another provider id; before the send is recorded, the attempt takes the receipt's.

        A receipt of the kind `sent` usually reports what the send has recorded. A write that
        changes nothing costs five times as much as the read that avoids it.
        """
        origin = Origin(receipt.channel, receipt.provider_id)
        if status is AttemptStatus.SENT:
            item = self._table.get(_key(attempt_id))
            if item and item["rank"] >= ATTEMPT_RANK[status]:
                return attempt_from_item(_matched(item, attempt_id, origin))
        changes = {
            "status": status,
            f"{status}_at": timestamp(at),
            "provider_id": receipt.provider_id,
        }
        return self._raise(attempt_id, status, changes, receipt.reason, origin)

    def time_out(self, attempt: Attempt, at: datetime, reason: str | None = None) -> Attempt:
        """The attempt after its wait ended without a result: timed out, or failed if its provider
        was busy until then and nothing was sent, or skipped if nobody asked for it.
        """
        if attempt.waits_for_request:
            skipped = AttemptStatus.SKIPPED
            return self.update_status(attempt.attempt_id, skipped, at, NOT_REQUESTED)
        status = AttemptStatus.FAILED if attempt.released else AttemptStatus.TIMED_OUT
        unknown = RESPONSE_UNKNOWN if attempt.status is AttemptStatus.SENDING else None
        why = attempt.reason or reason or unknown
        return self.update_status(attempt.attempt_id, status, at, why)

    def release(self, attempt_id: AttemptId, reason: str) -> Attempt:
        """The attempt afterwards: nothing was sent, so it may be claimed again."""
        return self._update_while_sending(attempt_id, {"released": True, "reason": reason})

    def mark_ambiguous(self, attempt_id: AttemptId, reason: str) -> None:
        """The provider may have accepted the attempt: records why that is unknown."""
        self._update_while_sending(attempt_id, {"reason": reason})

    def _update_while_sending(self, attempt_id: AttemptId, changes: Mapping[str, Any]) -> Attempt:
        try:
            item = self._table.update(
                _key(attempt_id), changes, condition=_WHILE_SENDING, values={":zero": 0}
            )
        except self._table.client.exceptions.ConditionalCheckFailedException as failed:
            item = item_before(failed)
        return attempt_from_item(item)

    def _raise(
        self,
        attempt_id: AttemptId,
        status: AttemptStatus,
        changes: Mapping[str, Any],
        reason: str | None,
        origin: Origin | None = None,
    ) -> Attempt:
        rank, short = ATTEMPT_RANK[status], reason and reason[:MAX_REASON]
        item, rose = self._table.raise_rank(_key(attempt_id), rank, changes, short, origin)
        attempt = attempt_from_item(_matched(item, attempt_id, origin))
        if rose and self._observer:
            self._observer.attempt_status_rose(attempt)
        return attempt


def attempt_key(message_id: str, number: int) -> Key:
    return Key(message_id, f"attempt#{number:02}")


def attempt_from_item(item: Item) -> Attempt:
    return Attempt(
        attempt_id=AttemptId(item["pk"], int(item["sk"].removeprefix("attempt#"))),
        channel=item["channel"],
        status=AttemptStatus(item["status"]),
        task_token=item["task_token"],
        claimed_at=moment(item["claimed_at"]),
        provider_id=item.get("provider_id"),
        reason=item.get("reason"),
        released=item.get("released", False),
        success=Success(item["success"]) if "success" in item else None,
        times={
            status: moment(item[f"{status}_at"])
            for status in AttemptStatus
            if f"{status}_at" in item
        },
    )


def _key(attempt_id: AttemptId) -> Key:
    return attempt_key(attempt_id.message_id, attempt_id.number)


def _matched(item: Item, attempt_id: AttemptId, origin: Origin | None) -> Item:
    if not item or (origin and origin.channel != item["channel"]):
        raise Unmatched(f"no attempt {attempt_id}" + (f" on {origin.channel}" if origin else ""))
    if origin and origin.provider_id not in (None, item.get("provider_id", origin.provider_id)):
        raise Unmatched(f"attempt {attempt_id} was sent with another provider id")
    return item
