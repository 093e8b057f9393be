"""Messages: each with its plan, its status and its request.

A request may be 400 times as large as the rest and never changes. A change of the status must not
write it again, so it is in an item of its own, unless both fit into one unit of a write.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import NOT_CONFIRMED, Attempt, Message, MessageHistory
from messaging.domain.plan import Plan, PlannedAttempt, PlannedStep
from messaging.domain.statuses import CLOSED, MESSAGE_RANK, MessageStatus, Success
from messaging.domain.verifications import (
    Alphabet,
    Autofill,
    Verification,
    VerificationStatus,
    verification_status,
)
from messaging.store.attempts import attempt_from_item, attempt_key
from messaging.store.table import (
    KEYS_PER_BATCH,
    Item,
    Key,
    Table,
    WriteCondition,
    item_before,
    moment,
    timestamp,
)

# The index of recent messages spreads the writes of one day over this many keys.
RECENT_SHARDS = 8

MESSAGE, _REQUEST = "message", "message#request"

[_CLOSED_RANK] = {MESSAGE_RANK[status] for status in CLOSED}

# A write is billed per KB of the item. This is what is left for the plan and the request, in bytes,
# after an id of 80 characters and all other attributes of a message:
# docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
_ROOM_IN_ONE_UNIT = 660


class _Ending(NamedTuple):
    """How a message ends: `channel` is the one that delivered it."""

    status: MessageStatus
    at: datetime
    reason: str | None = None
    channel: str | None = None


class MessageObserver(Protocol):
    """Is called once for each status that rises, not for a repeated or outdated one."""

    def message_status_rose(
        self, status: MessageStatus, age: timedelta, channel: str | None, reason: str | None
    ) -> None: ...


class Messages:
    """The messages in the table."""

    def __init__(self, table: Table, observer: MessageObserver | None = None) -> None:
        self._table = table
        self._observer = observer

    def add(self, message: Message, request: Mapping[str, Any] | None = None) -> bool:
        """Whether the message is new; an existing one with its id is not changed. `request` is None
        if there is none to send.

        A large request is written first: a message that can be read has its request.
        """
        retained_until = self._table.retained_until(message.ends_by)
        item = {**_item(message), "retained_until": retained_until}
        stored = None if request is None else _json(request)
        policy = item["verification"] or ""
        if stored and len((item["plan"] + policy + stored).encode()) > _ROOM_IN_ONE_UNIT:
            alone = {"request": stored, "retained_until": retained_until}
            self._table.put_new(Key(message.message_id, _REQUEST), alone)
        else:
            item["request"] = stored
        new = self._table.put_new(Key(message.message_id, MESSAGE), item)
        if new and self._observer:
            self._observer.message_status_rose(message.status, timedelta(0), None, message.reason)
        return new

    def history(self, message_id: str) -> MessageHistory:
        """The message and the attempts so far, as of now. Raises `UnknownMessage`."""
        return _history(message_id, self._table.query(message_id, "attempt", MESSAGE))[0]

    def history_and_request(
        self, message_id: str, *, consistent: bool = True
    ) -> tuple[MessageHistory, Mapping[str, Any]]:
        """The same, with the request in the same call; empty if there is none.

        A read that is not `consistent` costs half: it may miss what was written in the last second.
        """
        items = self._table.query(message_id, "attempt", _REQUEST, consistent=consistent)
        return _history(message_id, items)

    def update_status(
        self,
        message_id: str,
        status: MessageStatus,
        at: datetime,
        *,
        reason: str | None = None,
        channel: str | None = None,
    ) -> MessageStatus:
        """The message's status afterwards: a higher one remains. Raises `UnknownMessage`.

        `channel` is the one that delivered it.
        """
        return self._end(message_id, _Ending(status, at, reason, channel))[0].status

    def confirm(self, message_id: str, at: datetime, by: str | None) -> tuple[Message, bool]:
        """The message afterwards: confirmed, unless it was rejected or its caller cancelled it;
        and whether this call confirmed it. `by`: the check that confirms it; only the first one is
        stored. Raises `UnknownMessage`.
        """
        allowed = "#status <> :rejected AND attribute_not_exists(cancelled_at)"
        return self._end(
            message_id,
            _Ending(MessageStatus.CONFIRMED, at),
            {"confirmed_by": by},
            WriteCondition(allowed, {":rejected": MessageStatus.REJECTED}),
        )

    def cancel(self, message_id: str, at: datetime, reason: str, *, by_caller: bool) -> Message:
        """The message afterwards: cancelled, unless it had ended. Raises `UnknownMessage`.

        A code that can still be entered is cancelled `by_caller` also after its message ended,
        whose status and reason remain.
        """
        ending = _Ending(MessageStatus.CANCELLED, at, reason)
        cancelled_at = timestamp(at) if by_caller else None
        message, _ = self._end(message_id, ending, {"cancelled_at": cancelled_at})
        if by_caller and _has_pending_code(message, at):
            return self._cancel_code(message_id, at)
        return message

    def _cancel_code(self, message_id: str, at: datetime) -> Message:
        """The message afterwards: its code is cancelled, unless it was confirmed meanwhile."""
        try:
            item = self._table.update(
                Key(message_id, MESSAGE),
                {"cancelled_at": timestamp(at)},
                condition="#rank < :confirmed AND attribute_not_exists(cancelled_at)",
                values={":confirmed": MESSAGE_RANK[MessageStatus.CONFIRMED]},
            )
        except self._table.client.exceptions.ConditionalCheckFailedException as failed:
            item = item_before(failed)
        if not item:
            raise UnknownMessage(message_id)
        return message_from_item(item)

    def close_as_delivered(self, message_id: str, at: datetime, channel: str) -> Message:
        """The message afterwards: delivered if it was closed, otherwise unchanged. Raises
        `UnknownMessage`.
        """
        return self._end(
            message_id,
            _Ending(MessageStatus.DELIVERED, at, NOT_CONFIRMED, channel),
            only_if=WriteCondition("#rank = :closed", {":closed": _CLOSED_RANK}),
        )[0]

    def advance(self, message_id: str, step: int, at: datetime) -> Message:
        """The message afterwards: `advanced_to` is at least this step, unless the message had
        ended. Raises `UnknownMessage`.
        """
        try:
            item = self._table.update(
                Key(message_id, MESSAGE),
                {"advanced_to": step, _advance(step): timestamp(at)},
                condition="(#rank < :closed AND attribute_not_exists(advanced_to))"
                " OR (#rank < :closed AND advanced_to < :advanced_to)",
                values={":closed": _CLOSED_RANK},
            )
        except self._table.client.exceptions.ConditionalCheckFailedException as failed:
            item = item_before(failed)
        if not item:
            raise UnknownMessage(message_id)
        return message_from_item(item)

    def _end(
        self,
        message_id: str,
        ending: _Ending,
        changes: Mapping[str, Any] | None = None,
        only_if: WriteCondition | None = None,
    ) -> tuple[Message, bool]:
        """The message afterwards, and whether its status rose."""
        status, at, reason, channel = ending
        changes = {"status": status, "concluded_at": timestamp(at), **(changes or {})}
        item, rose = self._table.raise_rank(
            Key(message_id, MESSAGE), MESSAGE_RANK[status], changes, reason, only_if
        )
        if not item:
            raise UnknownMessage(message_id)
        if rose and self._observer:
            age = at - moment(item["accepted_at"])
            self._observer.message_status_rose(status, age, channel, reason)
        return message_from_item(item), rose

    def recent(self, day: date, shard: int, since: datetime) -> Iterator[tuple[datetime, str]]:
        """When each message of the day and shard was accepted, and its id, newest first. Pages are
        read on demand; a message that was stored a moment ago may be missing.
        """
        items = self._table.pages(
            "query",
            IndexName="Recent",
            KeyConditionExpression="listed_under = :here AND accepted_at >= :since",
            ExpressionAttributeValues={
                ":here": {"S": f"{day}#{shard}"},
                ":since": {"S": timestamp(since)},
            },
            ScanIndexForward=False,
            PaginationConfig={"PageSize": KEYS_PER_BATCH},
        )
        return ((moment(item["accepted_at"]), item["pk"]) for item in items)

    def histories(
        self, planned: Mapping[str, int]
    ) -> dict[str, tuple[MessageHistory, Mapping[str, Any]]]:
        """The histories and requests of these messages, as of now, without those that do not exist.

        `planned`: the number of attempts in each message's plan, 0 if it is unknown: then they are
        read after the message, not with it.
        """
        items = self._table.batch(_keys(planned, dict.fromkeys(planned, -1)))
        found = {item["pk"]: message_from_item(item) for item in items if item["sk"] == MESSAGE}
        counts = {name: len(message.plan.attempts) for name, message in found.items()}
        items += self._table.batch(_keys(counts, planned))
        grouped: dict[str, list[Item]] = {name: [] for name in found}
        for item in items:
            if item["pk"] in grouped:
                grouped[item["pk"]].append(item)
        return {
            name: _history(name, sorted(own, key=lambda item: str(item["sk"])))
            for name, own in grouped.items()
        }


def _has_pending_code(message: Message, at: datetime) -> bool:
    policy = message.verification
    return policy is not None and (
        verification_status(message, policy, at) is VerificationStatus.PENDING
    )


def _history(
    message_id: str, items: Iterator[Item] | list[Item]
) -> tuple[MessageHistory, Mapping[str, Any]]:
    message: Message | None = None
    request: Mapping[str, Any] = {}
    attempts: list[Attempt] = []
    for item in items:
        match item["sk"]:
            case "message":
                message = message_from_item(item)
                request = json.loads(item.get("request", "{}"))
            case "message#request":
                # A message's own request decides: another one under its id came too late.
                request = request or json.loads(item["request"])
            case _:
                attempts.append(attempt_from_item(item))
    if message is None:
        raise UnknownMessage(message_id)
    # An attempt outside the plan was never sent by the plan's steps, so nothing is decided by it.
    numbers = {planned.number for planned in message.plan.attempts}
    return MessageHistory(message, tuple(one for one in attempts if one.number in numbers)), request


def _keys(attempts: Mapping[str, int], known: Mapping[str, int]) -> list[Key]:
    """The keys of each message's first attempts, up to this number, after the last one that is
    known. 0 stands for the message with its request, -1 for nothing.
    """
    keys = []
    for name, count in attempts.items():
        for number in range(known[name] + 1, count + 1):
            if number:
                keys.append(attempt_key(name, number))
            else:
                keys += [Key(name, MESSAGE), Key(name, _REQUEST)]
    return keys


def _item(message: Message) -> dict[str, Any]:
    day = f"{message.accepted_at:%Y-%m-%d}"
    return {
        "status": message.status,
        "rank": MESSAGE_RANK[message.status],
        "accepted_at": timestamp(message.accepted_at),
        "expires_at": message.expires_at and timestamp(message.expires_at),
        "plan": _json(_plan_document(message.plan)),
        **_verification_attributes(message),
        "reason": message.reason,
        "problems": _json(list(message.problems)) if message.problems else None,
        "listed_under": f"{day}#{zlib.crc32(message.message_id.encode()) % RECENT_SHARDS}",
    }


def message_from_item(item: Item) -> Message:
    return Message(
        message_id=item["pk"],
        accepted_at=moment(item["accepted_at"]),
        plan=_plan(json.loads(item["plan"])),
        status=MessageStatus(item["status"]),
        expires_at=_moment(item, "expires_at"),
        concluded_at=_moment(item, "concluded_at"),
        reason=item.get("reason"),
        problems=tuple(json.loads(item.get("problems", "[]"))),
        cancelled_at=_moment(item, "cancelled_at"),
        advanced_to=int(item.get("advanced_to", 0)),
        verification=_verification(item),
        checks=int(item.get("checks", 0)),
        check_times=tuple(sorted(moment(one.split()[0]) for one in item.get("check_times", ()))),
        last_send_requested_at=_moment(item, "last_send_requested_at"),
        advances={
            step: moment(item[_advance(step)])
            for step in range(1, int(item.get("advanced_to", 0)) + 1)
            if _advance(step) in item
        },
        confirmed_by=item.get("confirmed_by"),
    )


def _moment(item: Item, name: str) -> datetime | None:
    return moment(item[name]) if name in item else None


def _advance(step: int) -> str:
    """The attribute that has the time at which the caller asked for this step."""
    return f"advanced_to_{step}_at"


def _plan_document(plan: Plan) -> list[dict[str, Any]]:
    """The steps, without the numbers, which follow from their order: every byte is billed."""
    return [
        {
            "waits": {one.channel: one.wait_seconds for one in step.attempts},
            "success": step.success,
            **{name: True for name in ("broadcast", "on_request") if getattr(step, name)},
        }
        for step in plan.steps
    ]


def _verification_attributes(message: Message) -> dict[str, Any]:
    """The policy, and what of it the condition of a check needs as attributes of their own. A code
    of the caller is not checked here, so it has none of those.
    """
    policy = message.verification
    if policy is None:
        return {"verification": None}
    document = {name: value for name, value in asdict(policy).items() if value}
    attributes = {"verification": _json(document), "bound": True if policy.payee else None}
    if policy.own_code:
        return attributes
    return {**attributes, "max_checks": policy.max_checks, "checks": message.checks}


def _verification(item: Item) -> Verification | None:
    if "verification" not in item:
        return None
    stored = json.loads(item["verification"])
    autofill = stored.pop("autofill", None)
    return Verification(
        **{
            **stored,
            "alphabet": Alphabet(stored["alphabet"]),
            "autofill": Autofill(**autofill) if autofill else None,
            "counted_as": tuple(stored.get("counted_as", ())),
        }
    )


def _plan(stored: list[Mapping[str, Any]]) -> Plan:
    steps: list[PlannedStep] = []
    attempts = 0
    for number, step in enumerate(stored, 1):
        success, waits = Success(step["success"]), step["waits"].items()
        planned = tuple(
            PlannedAttempt(attempt, number, channel, wait, success)
            for attempt, (channel, wait) in enumerate(waits, attempts + 1)
        )
        attempts += len(planned)
        flags = step.get("broadcast", False), step.get("on_request", False)
        steps.append(PlannedStep(number, planned, *flags))
    return Plan(tuple(steps))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
