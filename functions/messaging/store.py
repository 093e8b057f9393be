"""Everything that is known about a message, in one DynamoDB table.

| message_id           | item                        | is                                    |
|----------------------|-----------------------------|---------------------------------------|
| the message's id     | message                     | the request, its plan, its status     |
| the message's id     | attempt#02                  | one attempt and its newest task token |
| the message's id     | receipt#02#time#word#key    | one receipt, the same one only once   |
| provider#its id      | attempt                     | which attempt a provider's id means   |
| idempotency#its hash | request                     | which message an idempotency key made |
| the message's id     | tombstone                   | all that is left of one that was erased |

A status only ever rises in rank. Nothing is deleted but by DynamoDB's TTL on `retained_until`, and
by `forget`, which a person asks for.
"""

import json
import uuid
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from messaging.domain.errors import UnknownMessage, Unmatched
from messaging.domain.messages import (
    Attempt,
    AttemptId,
    DroppedStep,
    Message,
    MessageHistory,
    Plan,
    PlannedAttempt,
    Receipt,
)
from messaging.domain.statuses import (
    ATTEMPT_RANK,
    MESSAGE_RANK,
    AttemptStatus,
    MessageStatus,
    Success,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# For the clients of those who only ask by this file: its requests are typed, and looking through
# each again takes a tenth of all their time.
UNCHECKED = Config(parameter_validation=False)
IDEMPOTENCY_HOURS = 24
# No attempt may vanish while its state waits, however short the retention is.
LONGEST_WAIT = timedelta(days=1)
# A write of one day's messages is spread over this many keys of the index of recent ones.
RECENT_SHARDS = 8
# More keys than this one BatchGetItem does not take.
KEYS_AT_ONCE = 100
# What a provider says about a failure is shown to people; its own sentences are a tenth of this.
MAX_REASON = 1_000

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class Reserved(Enum):
    """What became of taking an idempotency key."""

    OURS = "ours"
    DONE = "done"
    IN_PROGRESS = "in progress"
    OTHER_BODY = "other body"


@dataclass(frozen=True, slots=True)
class Reservation:
    message_id: str
    state: Reserved


class Watch(Protocol):
    """Is told of every status that rose, once: not of what came again or too late to change it."""

    def attempt_rose(self, attempt: Attempt) -> None: ...

    def message_rose(
        self, status: MessageStatus, age: timedelta, channel: str | None, reason: str | None
    ) -> None: ...


class Store:
    """The table `Messages`. The client is given; `retention` is how long items are kept."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        retention: timedelta = timedelta(0),
        watch: Watch | None = None,
    ) -> None:
        self._client = client
        self._table = table
        self._retention = retention
        self._watch = watch

    # ---- the message

    def add(self, message: Message) -> bool:
        """Whether the message is new; one of its id is left as it is."""
        day = f"{message.accepted_at:%Y-%m-%d}"
        item = {
            "message_id": message.message_id,
            "item": "message",
            "status": message.status,
            "rank": MESSAGE_RANK[message.status],
            "accepted_at": _text(message.accepted_at),
            "expires_at": message.expires_at and _text(message.expires_at),
            "request": _json(message.request),
            "plan": _json(asdict(message.plan)),
            "reason": message.reason,
            "problems": _json(list(message.problems)) if message.problems else None,
            "listed_under": f"{day}#{zlib.crc32(message.message_id.encode()) % RECENT_SHARDS}",
            "retained_until": self._retained_until(message.ends_by),
        }
        new = self._put_new(item)
        if new and self._watch:
            self._watch.message_rose(message.status, timedelta(0), None, message.reason)
        return new

    def history(self, message_id: str) -> MessageHistory:
        """The message and the attempts so far, as of now. Raises `UnknownMessage`."""
        items = list(self._query(message_id, "attempt", "message"))
        message = next((item for item in items if item["item"] == "message"), None)
        if message is None:
            raise UnknownMessage(message_id)
        attempts = (item for item in items if item["item"] != "message")
        return MessageHistory(_message(message), tuple(_attempt(item) for item in attempts))

    def conclude(
        self,
        message_id: str,
        status: MessageStatus,
        at: datetime,
        reason: str | None = None,
        channel: str | None = None,
    ) -> MessageStatus:
        """The message's status afterwards: a higher one stays. Raises `UnknownMessage`.

        `channel` is the one that got it through.
        """
        item, rose = self._raise(
            _key(message_id, "message"),
            MESSAGE_RANK[status],
            {"status": status, "concluded_at": _text(at)},
            reason,
        )
        if not item:
            raise UnknownMessage(message_id)
        if rose and self._watch:
            self._watch.message_rose(status, at - _time(item["accepted_at"]), channel, reason)
        return MessageStatus(item["status"])

    # ---- many messages, for people who look

    def recent(self, day: date, shard: int, since: datetime) -> Iterator[tuple[datetime, str]]:
        """When each message of the day and shard was accepted, and its id, newest first. Read page
        by page as it is asked for; what was stored a moment ago may be missing.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="Recent",
            KeyConditionExpression="listed_under = :here AND accepted_at >= :since",
            ExpressionAttributeValues={
                ":here": {"S": f"{day}#{shard}"},
                ":since": {"S": _text(since)},
            },
            ScanIndexForward=False,
            PaginationConfig={"PageSize": KEYS_AT_ONCE},
        )
        items = (_plain(item) for page in pages for item in page["Items"])
        return ((_time(item["accepted_at"]), item["message_id"]) for item in items)

    def histories(self, asked: Mapping[str, int]) -> dict[str, MessageHistory]:
        """The stories of these messages, as of now, without those that are not there.

        `asked` has for each id how many attempts its plan has, 0 where that is not known: then
        they are read after the message, not with it.
        """
        items = self._batch(_message_keys(asked, dict.fromkeys(asked, -1)))
        found = {item["message_id"]: _message(item) for item in items if item["item"] == "message"}
        rest = {name: len(message.plan.attempts) for name, message in found.items()}
        items += self._batch(_message_keys(rest, asked))
        attempts: dict[str, list[Attempt]] = {name: [] for name in found}
        for item in items:
            if item["item"] != "message" and item["message_id"] in found:
                attempts[item["message_id"]].append(_attempt(item))
        return {
            name: MessageHistory(message, tuple(sorted(attempts[name], key=lambda one: one.number)))
            for name, message in found.items()
        }

    # ---- its attempts

    def claim(
        self, attempt_id: AttemptId, channel: str, task_token: str, now: datetime
    ) -> tuple[Attempt, bool]:
        """The attempt, and whether the caller may send it: once, or again after `release` as long
        as nothing else became of it.

        Whoever else comes leaves the newest task token, because the state waits with that one.
        The SDK may repeat this call when its answer is lost: that is the same caller.
        """
        changes = {
            "task_token": task_token,
            "channel": channel,
            "status": AttemptStatus.SENDING,
            "rank": ATTEMPT_RANK[AttemptStatus.SENDING],
            "claimed_at": _text(now),
            "claimed_by": uuid.uuid4().hex,
            "retained_until": self._retained_until(now + LONGEST_WAIT),
        }
        condition = (
            "attribute_not_exists(#item) OR (released = :true AND #rank = :zero)"
            " OR (#claimed_by = :claimed_by AND #rank = :zero)"
        )
        key, free = _attempt_key(attempt_id), {":true": {"BOOL": True}, ":zero": {"N": "0"}}
        try:
            item = self._update(key, changes, ("released", "reason"), condition, free)
        except self._client.exceptions.ConditionalCheckFailedException:
            return _attempt(self._update(key, {"task_token": task_token})), False
        return _attempt(item), True

    def expect(self, attempt_id: AttemptId, channel: str) -> None:
        """Raises `Unmatched` where there is no such attempt on the channel."""
        _matched(self._get(_attempt_key(attempt_id)), attempt_id, channel)

    def note_sent(
        self,
        attempt_id: AttemptId,
        provider_id: str,
        at: datetime,
        planned: PlannedAttempt,
    ) -> Attempt:
        """The attempt as it is then: a receipt may have come before, its status stays. What was
        `planned` is noted along, which saves its receipts a reading of the story.
        """
        self.link(provider_id, attempt_id, at, planned.channel)
        changes = {
            "status": AttemptStatus.SENT,
            "sent_at": _text(at),
            "provider_id": provider_id,
            "success": planned.success,
        }
        attempt = self._note(attempt_id, AttemptStatus.SENT, changes, None)
        if attempt.provider_id != provider_id:
            attempt = _attempt(self._update(_attempt_key(attempt_id), {"provider_id": provider_id}))
        return attempt

    def note(
        self,
        attempt_id: AttemptId,
        status: AttemptStatus,
        at: datetime,
        reason: str | None = None,
    ) -> Attempt:
        """The attempt as it is then: a status of a higher rank stays. Raises `Unmatched`."""
        changes = {"status": status, f"{status}_at": _text(at)}
        return self._note(attempt_id, status, changes, reason)

    def note_receipt(
        self, receipt: Receipt, attempt_id: AttemptId, status: AttemptStatus, at: datetime
    ) -> Attempt:
        """As `note`. An attempt on another channel is not the receipt's, whatever that says."""
        changes = {"status": status, f"{status}_at": _text(at), "provider_id": receipt.provider_id}
        return self._note(attempt_id, status, changes, receipt.reason, receipt.channel)

    def _note(
        self,
        attempt_id: AttemptId,
        status: AttemptStatus,
        changes: dict[str, Any],
        reason: str | None,
        channel: str | None = None,
    ) -> Attempt:
        item, rose = self._raise(
            _attempt_key(attempt_id),
            ATTEMPT_RANK[status],
            changes,
            reason and reason[:MAX_REASON],
            channel,
        )
        attempt = _attempt(_matched(item, attempt_id, channel))
        if rose and self._watch:
            self._watch.attempt_rose(attempt)
        return attempt

    def give_up(self, attempt: Attempt, at: datetime, reason: str | None = None) -> Attempt:
        """Its wait is over without an answer; if it was busy to the end, nothing was sent. The
        attempt as it is then.
        """
        status = AttemptStatus.FAILED if attempt.released else AttemptStatus.TIMED_OUT
        return self.note(attempt.attempt_id, status, at, attempt.reason or reason)

    def release(self, attempt_id: AttemptId, reason: str) -> Attempt:
        """Nothing was sent, so the attempt may be claimed again. The attempt as it is then."""
        return self._update_while_sending(attempt_id, {"released": True, "reason": reason})

    def doubt(self, attempt_id: AttemptId, reason: str) -> None:
        """The provider may have taken it: why nobody knows."""
        self._update_while_sending(attempt_id, {"reason": reason})

    def _update_while_sending(self, attempt_id: AttemptId, changes: dict[str, Any]) -> Attempt:
        key = _attempt_key(attempt_id)
        try:
            item = self._update(key, changes, (), "#rank = :zero", {":zero": {"N": "0"}})
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            item = _as_it_was(refused)
        return _attempt(item)

    # ---- what providers said

    def keep(self, receipt: Receipt, attempt_id: AttemptId | None, now: datetime) -> None:
        """Stores the receipt beside its attempt, or under the provider's id if it has none."""
        holder = attempt_id.message_id if attempt_id else f"provider#{receipt.key}"
        number = attempt_id.number if attempt_id else 0
        occurred = _text(receipt.occurred_at)
        self._put(
            {
                "message_id": holder,
                "item": f"receipt#{number:02}#{occurred}#{receipt.word}#{receipt.key}",
                "attempt": number or None,
                "channel": receipt.channel,
                "kind": receipt.kind,
                "word": receipt.word,
                "reason": receipt.reason and receipt.reason[:MAX_REASON],
                "provider_id": receipt.provider_id,
                "wamid": receipt.wamid,
                "occurred_at": occurred,
                "received_at": _text(now),
                "retained_until": self._retained_until(now),
            }
        )

    def receipts(self, message_id: str) -> list[Mapping[str, Any]]:
        """The receipts of a message, by attempt and then by when they occurred."""
        return list(self._query(message_id, "receipt#", "receipt#~"))

    def link(self, provider_id: str, attempt_id: AttemptId, now: datetime, channel: str) -> None:
        """From now on `find` knows the provider's id."""
        self._put(
            {
                "message_id": f"provider#{provider_id}",
                "item": "attempt",
                "attempt_id": str(attempt_id),
                "channel": channel,
                "retained_until": self._retained_until(now),
            }
        )

    def find(self, provider_id: str, channel: str) -> AttemptId | None:
        """Which attempt the channel's provider means by its id."""
        link = self._get(_key(f"provider#{provider_id}", "attempt"))
        return AttemptId.parse(link["attempt_id"]) if link.get("channel") == channel else None

    # ---- idempotency keys

    def reserve(
        self, key: str, fingerprint: str, message_id: str, now: datetime, lock: timedelta
    ) -> Reservation:
        """Takes the key for a message of this id, or says which message has it.

        A caller who died between taking the key and finishing leaves it locked until `lock` is
        over; the next one then goes on with the same message id, so that nothing is sent twice.
        """
        item = {
            "message_id": f"idempotency#{key}",
            "item": "request",
            "made": message_id,
            "fingerprint": fingerprint,
            "locked_until": _text(now + lock),
            "retained_until": _epoch(now + timedelta(hours=IDEMPOTENCY_HOURS)),
        }
        if self._put_new(item, "OR retained_until <= :now", {":now": {"N": str(_epoch(now))}}):
            return Reservation(message_id, Reserved.OURS)
        held = self._get(_key(f"idempotency#{key}", "request"))
        if held["made"] == message_id:  # the SDK has repeated the call, its answer was lost
            return Reservation(message_id, Reserved.OURS)
        return self._held(held, fingerprint, now, lock)

    def _held(
        self, held: Mapping[str, Any], fingerprint: str, now: datetime, lock: timedelta
    ) -> Reservation:
        if held["fingerprint"] != fingerprint:
            return Reservation(held["made"], Reserved.OTHER_BODY)
        if "locked_until" not in held:
            return Reservation(held["made"], Reserved.DONE)
        taken = held["locked_until"] <= _text(now) and self._take_over(held, now + lock)
        return Reservation(held["made"], Reserved.OURS if taken else Reserved.IN_PROGRESS)

    def _take_over(self, held: Mapping[str, Any], until: datetime) -> bool:
        try:
            self._update(
                _key(held["message_id"], held["item"]),
                {"locked_until": _text(until)},
                condition="locked_until = :was",
                values={":was": {"S": held["locked_until"]}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def finish(self, key: str) -> None:
        """The message of this key is on its way: from now on the key repeats the answer."""
        self._update(_key(f"idempotency#{key}", "request"), {}, ("locked_until",))

    # ---- erasing

    def forget(self, message_id: str) -> int:
        """How many items were erased: the message and all that leads to it. Only its id is left,
        for as long as the message would have been kept, so that a late receipt finds nothing to
        change and nobody to wait for. Raises `UnknownMessage`.

        No function may delete: this is for a person, and reads the whole table.
        """
        items = list(self._query(message_id, "attempt", "receipt#~"))
        message = next((item for item in items if item["item"] == "message"), None)
        if message is None:
            raise UnknownMessage(message_id)
        self._put(
            {
                "message_id": message_id,
                "item": "tombstone",
                "retained_until": int(message["retained_until"]),
            }
        )
        # The message itself goes last: what breaks off half way can be begun again.
        keys = [*self._leading_to(message_id), *map(_key_of, items)]
        for key in sorted(keys, key=lambda key: key == _key_of(message)):
            self._client.delete_item(TableName=self._table, Key=key)
        return len(keys)

    def forgotten(self, message_id: str) -> bool:
        return bool(self._get(_key(message_id, "tombstone")))

    def _leading_to(self, message_id: str) -> Iterator[dict[str, Any]]:
        """The keys of the providers' ids and of the idempotency key that mean this message."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression="made = :id OR begins_with(attempt_id, :its)",
            ExpressionAttributeValues={":id": {"S": message_id}, ":its": {"S": f"{message_id}."}},
            ProjectionExpression="message_id, #item",
            ExpressionAttributeNames={"#item": "item"},
        )
        return (_key_of(_plain(item)) for page in pages for item in page["Items"])

    # ---- DynamoDB

    def _query(self, message_id: str, first: str, last: str) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="message_id = :message AND #item BETWEEN :first AND :last",
            ExpressionAttributeNames={"#item": "item"},
            ExpressionAttributeValues={
                ":message": {"S": message_id},
                ":first": {"S": first},
                ":last": {"S": last},
            },
        )
        return (_plain(item) for page in pages for item in page["Items"])

    def _get(self, key: dict[str, Any]) -> Mapping[str, Any]:
        """The item, empty if there is none."""
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return _plain(answer.get("Item", {}))

    def _batch(self, keys: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
        """Those of the items that are there, in no order."""
        items: list[Mapping[str, Any]] = []
        while keys:
            now, keys = keys[:KEYS_AT_ONCE], keys[KEYS_AT_ONCE:]
            answer = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": now, "ConsistentRead": True}}
            )
            items += map(_plain, answer["Responses"].get(self._table, []))
            # An answer ends at 16 MB, and where the table is busy.
            for left in answer["UnprocessedKeys"].values():
                keys += left["Keys"]
        return items

    def _put(self, item: Mapping[str, Any]) -> None:
        self._client.put_item(TableName=self._table, Item=_marshal(item))

    def _put_new(
        self,
        item: Mapping[str, Any],
        condition: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_marshal(item),
                ConditionExpression=f"attribute_not_exists(message_id) {condition}",
                **_values(values or {}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _raise(
        self,
        key: dict[str, Any],
        rank: int,
        changes: dict[str, Any],
        reason: str | None = None,
        channel: str | None = None,
    ) -> tuple[Mapping[str, Any], bool]:
        """The item afterwards, empty if there is none, and whether its rank rose. If not, it is as
        it was; so it is where a channel is given and the item is another one's.

        A reason belongs to its status: the next status brings its own or none.
        """
        remove = () if reason else ("reason",)
        try:
            item = self._update(
                key,
                {**changes, "rank": rank, "reason": reason},
                remove,
                "#rank < :new" + (" AND #channel = :its_own" if channel else ""),
                {":new": {"N": str(rank)}} | ({":its_own": {"S": channel}} if channel else {}),
            )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            return _as_it_was(refused), False
        return item, True

    def _update(
        self,
        key: dict[str, Any],
        changes: Mapping[str, Any],
        remove: tuple[str, ...] = (),
        condition: str = "attribute_exists(#item)",
        values: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """The item after the changes; what is None is left as it is."""
        given = {name: value for name, value in changes.items() if value is not None}
        sets = ", ".join(f"#{name} = :{name}" for name in given)
        drops = ", ".join(f"#{name}" for name in remove)
        expression = (f"SET {sets} " if sets else "") + (f"REMOVE {drops}" if drops else "")
        names = {f"#{name}": name for name in (*given, *remove)}
        names |= {word: word[1:] for word in ("#item", "#rank", "#channel") if word in condition}
        answer = self._client.update_item(
            TableName=self._table,
            Key=key,
            UpdateExpression=expression.strip(),
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            **_values(
                {f":{name}": _serialize(_bare(value)) for name, value in given.items()}
                | dict(values or {})
            ),
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return _plain(answer["Attributes"])

    def _retained_until(self, now: datetime) -> int:
        return _epoch(now + self._retention)


def _values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"ExpressionAttributeValues": values} if values else {}


def _as_it_was(refused: ClientError) -> Mapping[str, Any]:
    """The item that the condition did not fit, empty if there is none; saves reading it."""
    response: Mapping[str, Any] = refused.response
    return _plain(response.get("Item", {}))


def _key(message_id: str, item: str) -> dict[str, Any]:
    return {"message_id": {"S": message_id}, "item": {"S": item}}


def _key_of(item: Mapping[str, Any]) -> dict[str, Any]:
    return _key(item["message_id"], item["item"])


def _attempt_key(attempt_id: AttemptId) -> dict[str, Any]:
    return _key(attempt_id.message_id, f"attempt#{attempt_id.number:02}")


def _message_keys(attempts: Mapping[str, int], known: Mapping[str, int]) -> list[dict[str, Any]]:
    """For each message the keys of so many attempts, without those that are known: 0 is the message
    itself, -1 not even that.
    """
    return [
        _key(name, f"attempt#{number:02}" if number else "message")
        for name, count in attempts.items()
        for number in range(known[name] + 1, count + 1)
    ]


def _marshal(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serialize(_bare(value)) for name, value in item.items() if value is not None}


def _bare(value: object) -> object:
    """The serializer knows `str` but not its enumerations."""
    return str(value) if isinstance(value, str) else value


def _plain(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: _deserialize(value) for name, value in item.items()}


def _message(item: Mapping[str, Any]) -> Message:
    return Message(
        message_id=item["message_id"],
        accepted_at=_time(item["accepted_at"]),
        request=json.loads(item["request"]),
        plan=_plan_from_json(json.loads(item["plan"])),
        status=MessageStatus(item["status"]),
        expires_at=_time(item["expires_at"]) if "expires_at" in item else None,
        concluded_at=_time(item["concluded_at"]) if "concluded_at" in item else None,
        reason=item.get("reason"),
        problems=tuple(json.loads(item.get("problems", "[]"))),
    )


def _matched(
    item: Mapping[str, Any], attempt_id: AttemptId, channel: str | None
) -> Mapping[str, Any]:
    if not item or channel not in (None, item["channel"]):
        raise Unmatched(f"no attempt {attempt_id}" + (f" on {channel}" if channel else ""))
    return item


def _attempt(item: Mapping[str, Any]) -> Attempt:
    key = item["message_id"], int(item["item"].removeprefix("attempt#"))
    return Attempt(
        attempt_id=AttemptId(*key),
        channel=item["channel"],
        status=AttemptStatus(item["status"]),
        task_token=item["task_token"],
        claimed_at=_time(item["claimed_at"]),
        provider_id=item.get("provider_id"),
        reason=item.get("reason"),
        released=item.get("released", False),
        success=Success(item["success"]) if "success" in item else None,
        times={
            status: _time(item[f"{status}_at"])
            for status in AttemptStatus
            if f"{status}_at" in item
        },
    )


def _plan_from_json(stored: Mapping[str, Any]) -> Plan:
    attempts = (
        PlannedAttempt(**{**one, "success": Success(one["success"])}) for one in stored["attempts"]
    )
    return Plan(tuple(attempts), tuple(DroppedStep(**one) for one in stored["dropped"]))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(at: datetime) -> str:
    """Sorts as text: always UTC, always milliseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
