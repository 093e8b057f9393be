"""Verifications: the pending one of a recipient, and what is written of a message with a code."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import Message
from messaging.domain.statuses import MESSAGE_RANK, MessageStatus
from messaging.store.messages import MESSAGE, message_from_item
from messaging.store.table import Key, Table, epoch, item_before, moment, timestamp

_CONFIRMED = MESSAGE_RANK[MessageStatus.CONFIRMED]
_MAY_BE_APPROVED = "#rank < :confirmed AND attribute_not_exists(cancelled_at)"
_WAS_APPROVED = "confirmed_by = :approved_by"
# `max_checks` is absent if the code is the caller's own, and then nothing is less than it.
_MAY_BE_CHECKED = "checks < max_checks AND expires_at > :now AND NOT contains(check_times, :check)"


@dataclass(frozen=True, slots=True)
class PendingVerification:
    """Which message has the pending code, and until when the code is valid at most."""

    message_id: str
    until: datetime


class Verifications:
    """The verifications in the table. Each condition recognizes its own write, because the SDK
    repeats a call whose response was lost.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def pending(self, key: str) -> PendingVerification | None:
        """The verification with this key that was started last. DynamoDB may delete it days after
        it expired.
        """
        item = self._table.get(_pending_key(key))
        if not item:
            return None
        return PendingVerification(item["message_id"], moment(item["expires_at"]))

    def take(self, key: str, message_id: str, until: datetime, instead_of: str | None) -> bool:
        """Whether this message is the pending one from now on. Another one keeps its place, unless
        it is the one `instead_of` which this one is.
        """
        condition, values = "attribute_not_exists(pk) OR message_id = :mine", {":mine": message_id}
        if instead_of:
            condition += " OR message_id = :before"
            values[":before"] = instead_of
        item = {
            "message_id": message_id,
            "expires_at": timestamp(until),
            "retained_until": epoch(until),
        }
        return self._table.put_if(_pending_key(key), item, condition, values)

    def count_check(
        self, message_id: str, at: datetime, *, bound: bool, approved_by: str | None = None
    ) -> tuple[Message, bool]:
        """The message afterwards, and whether the check was counted, which its comparison requires:
        not if the code can no longer be approved. `bound`: whether the check names a payment, as
        the verification then must. `approved_by`: the check that approved the code, if this one
        repeats it. Raises `UnknownMessage`.
        """
        check = f"{timestamp(at)} {uuid.uuid4().hex[:12]}"
        payment = f"attribute_{'exists' if bound else 'not_exists'}(bound)"
        values: dict[str, object] = {":now": timestamp(at), ":check": check}
        if approved_by:
            permitted, values[":approved_by"] = _WAS_APPROVED, approved_by
        else:
            permitted, values[":confirmed"] = _MAY_BE_APPROVED, _CONFIRMED
        try:
            item = self._table.update(
                Key(message_id, MESSAGE),
                {},
                add={"checks": 1, "check_times": {check}},
                condition=f"{permitted} AND {_MAY_BE_CHECKED} AND {payment}",
                values=values,
            )
        except self._table.client.exceptions.ConditionalCheckFailedException as failed:
            item = item_before(failed)
            if not item:
                raise UnknownMessage(message_id) from failed
        return message_from_item(item), check in item.get("check_times", ())

    def request_send(self, message_id: str, at: datetime, cool_down: timedelta) -> bool:
        """Whether another send may be requested now: this long after the start and after the last
        request.
        """
        earlier = "last_send_requested_at <= :limit"
        try:
            self._table.update(
                Key(message_id, MESSAGE),
                {"last_send_requested_at": timestamp(at)},
                condition=(
                    "(accepted_at <= :limit AND attribute_not_exists(last_send_requested_at))"
                    f" OR {earlier} OR last_send_requested_at = :last_send_requested_at"
                ),
                values={":limit": timestamp(at - cool_down)},
            )
        except self._table.client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _pending_key(key: str) -> Key:
    return Key(f"pending#{key}", "verification")
