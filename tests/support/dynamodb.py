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
    """The condition was not true, so nothing was written. Contains the item if the request
    asks for it with ReturnValuesOnConditionCheckFailure.
    """

    def __init__(self, item: Item, request: Mapping[str, Any]) -> None:
        super().__init__()
        with_item = item and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        self.response = {"Item": item} if with_item else {}


class MemoryDynamoDB:
    """One table. `items` may be looked at."""

    exceptions = SimpleNamespace(ConditionalCheckFailedException=ConditionalCheckFailed)

    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}

    def get_item(self, **request: Any) -> dict[str, Any]:
        item = self.items.get(_key(request["Key"]))
        return {"Item": deepcopy(item)} if item else {}

    def put_item(self, **request: Any) -> dict[str, Any]:
        key = _key(request["Item"])
        self._check(self.items.get(key, {}), request)
        self.items[key] = deepcopy(request["Item"])
        return {}

    def update_item(self, **request: Any) -> dict[str, Any]:
        key = _key(request["Key"])
        before = self.items.get(key, {})
        self._check(before, request)
        after = {**request["Key"], **before, **_sets(request)}
        for name in _removes(request):
            after.pop(name, None)
        self.items[key] = after
        return {"Attributes": deepcopy(after)}

    def get_paginator(self, operation: str) -> SimpleNamespace:
        assert operation == "query"
        return SimpleNamespace(paginate=self._query)

    def _query(self, **request: Any) -> Iterator[dict[str, Any]]:
        condition = "pk = :pk AND sk BETWEEN :first AND :last"
        assert request["KeyConditionExpression"] == condition
        values = request["ExpressionAttributeValues"]
        holder, first, last = (values[name]["S"] for name in (":pk", ":first", ":last"))
        keys = sorted(key for key in self.items if key[0] == holder and first <= key[1] <= last)
        yield {"Items": [deepcopy(self.items[key]) for key in keys]}

    @staticmethod
    def _check(item: Item, request: Mapping[str, Any]) -> None:
        condition = request.get("ConditionExpression", "")
        if condition and not _true(condition, item, request):
            raise ConditionalCheckFailed(item, request)


def _key(item: Mapping[str, Any]) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def _name(word: str, request: Mapping[str, Any]) -> str:
    return str(request["ExpressionAttributeNames"][word]) if word.startswith("#") else word


def _sets(request: Mapping[str, Any]) -> Item:
    """`SET #a = :a, #b = :b REMOVE #c`: its first half."""
    half = request["UpdateExpression"].partition("REMOVE")[0].removeprefix("SET").strip()
    pairs = (pair.split(" = ") for pair in half.split(", ") if pair)
    values = request.get("ExpressionAttributeValues", {})
    return {_name(name.strip(), request): deepcopy(values[value.strip()]) for name, value in pairs}


def _removes(request: Mapping[str, Any]) -> list[str]:
    half = request["UpdateExpression"].partition("REMOVE")[2].strip()
    return [_name(word.strip(), request) for word in half.split(",") if word]


def _true(condition: str, item: Item, request: Mapping[str, Any]) -> bool:
    """Terms with OR between them, each of parts with AND between them."""
    return any(
        all(_part(part.strip(" ()"), item, request) for part in term.split(" AND "))
        for term in condition.split(" OR ")
    )


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "<>": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
}


def _part(part: str, item: Item, request: Mapping[str, Any]) -> bool:
    function, _, name = part.partition("(")
    if function == "attribute_exists":
        return _name(name, request) in item
    if function == "attribute_not_exists":
        return _name(name, request) not in item
    left, sign, right = part.split()
    held = item.get(_name(left, request))
    # Nothing is equal to, or less than, what is not there.
    return held is not None and _COMPARE[sign](_plain(held), _plain(_value(right, request)))


def _value(word: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    value: Mapping[str, Any] = request["ExpressionAttributeValues"][word]
    return value


def _plain(value: Mapping[str, Any]) -> Any:
    return float(value["N"]) if "N" in value else next(iter(value.values()))
