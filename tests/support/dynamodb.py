"""A DynamoDB table in memory, for tests that make hundreds of thousands of calls.

It knows the operations and conditions that the store uses, and passes the store's own tests.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

Item = dict[str, dict[str, Any]]
Key = tuple[str, str]


class ConditionalCheckFailed(Exception):
    """The condition was not true, so nothing was written. It tells the item if it was asked to."""

    def __init__(self, item: Item, asked: Mapping[str, Any]) -> None:
        super().__init__()
        told = item and asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        self.response = {"Item": item} if told else {}


class MemoryDynamoDB:
    """One table. `items` may be looked at."""

    exceptions = SimpleNamespace(ConditionalCheckFailedException=ConditionalCheckFailed)

    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}

    def get_item(self, **asked: Any) -> dict[str, Any]:
        item = self.items.get(_key(asked["Key"]))
        return {"Item": deepcopy(item)} if item else {}

    def put_item(self, **asked: Any) -> dict[str, Any]:
        key = _key(asked["Item"])
        self._check(self.items.get(key, {}), asked)
        self.items[key] = deepcopy(asked["Item"])
        return {}

    def update_item(self, **asked: Any) -> dict[str, Any]:
        key = _key(asked["Key"])
        before = self.items.get(key, {})
        self._check(before, asked)
        after = {**asked["Key"], **before, **_sets(asked)}
        for name in _removes(asked):
            after.pop(name, None)
        self.items[key] = after
        return {"Attributes": deepcopy(after)}

    def get_paginator(self, operation: str) -> SimpleNamespace:
        assert operation == "query"
        return SimpleNamespace(paginate=self._query)

    def _query(self, **asked: Any) -> Iterator[dict[str, Any]]:
        condition = "pk = :pk AND sk BETWEEN :first AND :last"
        assert asked["KeyConditionExpression"] == condition
        values = asked["ExpressionAttributeValues"]
        holder, first, last = (values[name]["S"] for name in (":pk", ":first", ":last"))
        keys = sorted(key for key in self.items if key[0] == holder and first <= key[1] <= last)
        yield {"Items": [deepcopy(self.items[key]) for key in keys]}

    @staticmethod
    def _check(item: Item, asked: Mapping[str, Any]) -> None:
        condition = asked.get("ConditionExpression", "")
        if condition and not _true(condition, item, asked):
            raise ConditionalCheckFailed(item, asked)


def _key(item: Mapping[str, Any]) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def _name(word: str, asked: Mapping[str, Any]) -> str:
    return str(asked["ExpressionAttributeNames"][word]) if word.startswith("#") else word


def _sets(asked: Mapping[str, Any]) -> Item:
    """`SET #a = :a, #b = :b REMOVE #c`: its first half."""
    half = asked["UpdateExpression"].partition("REMOVE")[0].removeprefix("SET").strip()
    pairs = (pair.split(" = ") for pair in half.split(", ") if pair)
    values = asked.get("ExpressionAttributeValues", {})
    return {_name(name.strip(), asked): deepcopy(values[value.strip()]) for name, value in pairs}


def _removes(asked: Mapping[str, Any]) -> list[str]:
    half = asked["UpdateExpression"].partition("REMOVE")[2].strip()
    return [_name(word.strip(), asked) for word in half.split(",") if word]


def _true(condition: str, item: Item, asked: Mapping[str, Any]) -> bool:
    """Terms with OR between them, each of parts with AND between them."""
    return any(
        all(_part(part.strip(" ()"), item, asked) for part in term.split(" AND "))
        for term in condition.split(" OR ")
    )


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
}


def _part(part: str, item: Item, asked: Mapping[str, Any]) -> bool:
    function, _, name = part.partition("(")
    if function == "attribute_exists":
        return _name(name, asked) in item
    if function == "attribute_not_exists":
        return _name(name, asked) not in item
    left, sign, right = part.split()
    held = item.get(_name(left, asked))
    # Nothing is equal to, or less than, what is not there.
    return held is not None and _COMPARE[sign](_plain(held), _plain(_value(right, asked)))


def _value(word: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    value: Mapping[str, Any] = asked["ExpressionAttributeValues"][word]
    return value


def _plain(value: Mapping[str, Any]) -> Any:
    return float(value["N"]) if "N" in value else next(iter(value.values()))
