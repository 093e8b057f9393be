"""The DynamoDB table: its keys, and the operations that read and write its items.

| pk                   | sk                       | is                                          |
|----------------------|--------------------------|---------------------------------------------|
| the message's id     | message                  | its plan and status, and a small request    |
| the message's id     | message#request          | a larger request, written once              |
| the message's id     | attempt#02               | one attempt and its newest task token       |
| the message's id     | receipt#02#time#word#key | one receipt, stored once                    |
| the message's id     | tombstone                | marks a message that was erased             |
| provider#its id      | attempt                  | the attempt that a provider's id belongs to |
| idempotency#its hash | request                  | the message that an idempotency key created |
| pending#a hash       | verification             | the message whose code is pending           |
| limit#kind#its name  | counter                  | the codes that were sent to a recipient …   |

A message's id contains no `#`, so no other kind of pk can equal one.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# For clients that only this package uses: its requests are typed, and validating each again takes a
# tenth of their time.
UNVALIDATED = Config(parameter_validation=False)
# BatchGetItem takes at most 100 keys.
KEYS_PER_BATCH = 100

Item = Mapping[str, Any]

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class Key(NamedTuple):
    """The key of an item."""

    pk: str
    sk: str


class Origin(NamedTuple):
    """The channel and the provider id of a receipt; None: it has no provider id."""

    channel: str
    provider_id: str | None


class WriteCondition(NamedTuple):
    """A condition in DynamoDB's language, and its values by their placeholders."""

    text: str
    values: dict[str, Any]


class Table:
    """The table's items. `retention`: how long items are kept; None: until they are deleted by
    request.
    """

    def __init__(
        self, client: "DynamoDBClient", name: str, retention: timedelta | None = None
    ) -> None:
        self.client = client
        self.name = name
        self._retention = retention

    def retained_until(self, at: datetime) -> int | None:
        """When an item expires whose retention begins at this time; None: never."""
        return None if self._retention is None else epoch(at + self._retention)

    def get(self, key: Key, *, consistent: bool = True) -> Item:
        """The item, empty if there is none. A read that is not `consistent` costs half: it may
        miss what was written in the last second.
        """
        response = self.client.get_item(
            TableName=self.name, Key=_marshal(key._asdict()), ConsistentRead=consistent
        )
        return _plain(response.get("Item", {}))

    def query(self, pk: str, first: str, last: str, *, consistent: bool = True) -> Iterator[Item]:
        """The items under `pk` whose `sk` is between the two, in its order."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.name,
            ConsistentRead=consistent,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=_marshal({":pk": pk, ":first": first, ":last": last}),
        )
        return (_plain(item) for page in pages for item in page["Items"])

    def batch(self, keys: list[Key], *, consistent: bool = True) -> list[Item]:
        """The items that exist, in no particular order."""
        items: list[Item] = []
        left: list[Any] = [_marshal(key._asdict()) for key in keys]
        while left:
            now, left = left[:KEYS_PER_BATCH], left[KEYS_PER_BATCH:]
            response = self.client.batch_get_item(
                RequestItems={self.name: {"Keys": now, "ConsistentRead": consistent}}
            )
            items += map(_plain, response["Responses"].get(self.name, []))
            # A response ends at 16 MB, or where the table throttles.
            for unprocessed in response["UnprocessedKeys"].values():
                left += unprocessed["Keys"]
        return items

    def pages(self, operation: Any, **parameters: Any) -> Iterator[Item]:  # noqa: ANN401 - its names are literals of the stubs
        """The items of a paginated `query` on an index or of a `scan`."""
        pages = self.client.get_paginator(operation).paginate(TableName=self.name, **parameters)
        return (_plain(item) for page in pages for item in page["Items"])

    def put(self, key: Key, item: Item) -> None:
        self.client.put_item(TableName=self.name, Item=_marshal({**key._asdict(), **item}))

    def put_new(self, key: Key, item: Item, *, expired_at: datetime | None = None) -> bool:
        """Whether the item is new. An existing one remains unless it had expired at `expired_at`:
        DynamoDB may delete expired items days later.
        """
        condition, values = "attribute_not_exists(pk)", dict[str, Any]()
        if expired_at is not None:
            condition += " OR retained_until <= :now"
            values = {":now": epoch(expired_at)}
        return self.put_if(key, item, condition, values)

    def put_if(self, key: Key, item: Item, condition: str, values: Mapping[str, Any]) -> bool:
        """Whether the condition was true, so that the item was written."""
        try:
            self.client.put_item(
                TableName=self.name,
                Item=_marshal({**key._asdict(), **item}),
                ConditionExpression=condition,
                **_values(values),
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def delete(self, key: Key) -> None:
        self.client.delete_item(TableName=self.name, Key=_marshal(key._asdict()))

    def raise_rank(
        self,
        key: Key,
        rank: int,
        changes: Mapping[str, Any],
        reason: str | None,
        only_if: "Origin | WriteCondition | None" = None,
    ) -> tuple[Item, bool]:
        """The item afterwards, empty if there is none, and whether its rank rose.

        The rank does not rise, and the item is not changed, if the item's rank is as high, if the
        item has another channel or another provider id than the given origin, or if it does not
        meet the given condition. A claim and a reason belong to a status: the next one has its own
        or none.
        """
        condition, values = _rises(rank, only_if)
        try:
            item = self.update(
                key,
                {**changes, "rank": rank, "reason": reason},
                remove=("claimed_by",) if reason else ("claimed_by", "reason"),
                condition=condition,
                values=values,
            )
        except self.client.exceptions.ConditionalCheckFailedException as failed:
            return item_before(failed), False
        return item, True

    def update(  # noqa: PLR0913 - the parts of one UpdateItem
        self,
        key: Key,
        changes: Mapping[str, Any],
        *,
        remove: tuple[str, ...] = (),
        add: Mapping[str, Any] | None = None,
        condition: str = "attribute_exists(pk)",
        values: Mapping[str, Any] | None = None,
    ) -> Item:
        """The item after the changes; None leaves an attribute unchanged. What is to `add` is added
        to a number or to a set.

        Raises the client's ConditionalCheckFailedException.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        added = add or {}
        names = {f"#{name}": name for name in (*given, *remove, *added)}
        names |= {word: word[1:] for word in ("#rank", "#channel") if word in condition}
        bound = {f":{name}": value for name, value in (given | dict(added)).items()}
        bound |= dict(values or {})
        response = self.client.update_item(
            TableName=self.name,
            Key=_marshal(key._asdict()),
            UpdateExpression=_expression(given, remove, added),
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            **_values(bound),
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return _plain(response["Attributes"])


def _rises(rank: int, only_if: Origin | WriteCondition | None) -> WriteCondition:
    """The condition of `raise_rank`."""
    rises = WriteCondition("#rank < :new", {":new": rank})
    match only_if:
        case Origin(channel, provider_id):
            return _of_origin(rises, channel, provider_id)
        case WriteCondition(text, values):
            return WriteCondition(f"{rises.text} AND {text}", rises.values | values)
        case None:
            return rises


def _of_origin(rises: WriteCondition, channel: str, provider_id: str | None) -> WriteCondition:
    text = f"{rises.text} AND #channel = :its_own"
    values = rises.values | {":its_own": channel}
    if provider_id is None:
        return WriteCondition(text, values)
    own = f"({text} AND attribute_not_exists(provider_id)) OR ({text} AND provider_id = :sent_as)"
    return WriteCondition(own, values | {":sent_as": provider_id})


def key_of(item: Item) -> Key:
    return Key(item["pk"], item["sk"])


def item_before(failed: ClientError) -> Item:
    """The item that failed the condition, empty if there is none; saves reading it."""
    response: Mapping[str, Any] = failed.response
    return _plain(response.get("Item", {}))


def timestamp(at: datetime) -> str:
    """Sortable as text: always in UTC, always with milliseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def moment(timestamp: str) -> datetime:
    return datetime.fromisoformat(timestamp)


def epoch(at: datetime) -> int:
    """Seconds since 1970, as DynamoDB's TTL requires."""
    return int(at.timestamp())


def _expression(given: Mapping[str, Any], remove: tuple[str, ...], added: Mapping[str, Any]) -> str:
    clauses = {
        "SET": [f"#{name} = :{name}" for name in given],
        "REMOVE": [f"#{name}" for name in remove],
        "ADD": [f"#{name} :{name}" for name in added],
    }
    return " ".join(f"{word} {', '.join(parts)}" for word, parts in clauses.items() if parts)


def _values(bound: Mapping[str, Any]) -> dict[str, Any]:
    return {"ExpressionAttributeValues": _marshal(bound)} if bound else {}


def _marshal(item: Mapping[str, Any]) -> dict[str, Any]:
    """In DynamoDB's types, without None values. The serializer rejects subclasses of str."""
    return {
        name: _serialize(str(value) if isinstance(value, str) else value)
        for name, value in item.items()
        if value is not None
    }


def _plain(item: Item) -> Item:
    return {name: _deserialize(value) for name, value in item.items()}
