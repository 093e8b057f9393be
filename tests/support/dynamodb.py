"""A DynamoDB table in memory, for tests that make hundreds of thousands of calls.

It knows the operations and conditions that the store uses, and passes the store's own tests.
"""

import re
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

    def batch_get_item(self, **request: Any) -> dict[str, dict[str, Any]]:
        [(table, wanted)] = request["RequestItems"].items()
        keys = [_key(key) for key in wanted["Keys"]]
        # As DynamoDB: "Provided list of item keys contains duplicates".
        assert len(set(keys)) == len(keys)
        found = [self.items.get(key) for key in keys]
        items = [deepcopy(item) for item in found if item]
        return {"Responses": {table: items}, "UnprocessedKeys": {}}

    def put_item(self, **request: Any) -> dict[str, Any]:
        key = _key(request["Item"])
        self._check(self.items.get(key, {}), request)
        self.items[key] = deepcopy(request["Item"])
        return {}

    def update_item(self, **request: Any) -> dict[str, Any]:
        key = _key(request["Key"])
        before = self.items.get(key, {})
        self._check(before, request)
        after = {**request["Key"], **before, **_sets(request), **_adds(before, request)}
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


def _clause(word: str, request: Mapping[str, Any]) -> list[str]:
    """The parts of one clause of `SET #a = :a, #b = :b REMOVE #c ADD #d :d`."""
    clauses = re.split(r"\b(SET|REMOVE|ADD)\b", request["UpdateExpression"])
    found = dict(zip(clauses[1::2], clauses[2::2], strict=True))
    return [part.strip() for part in found.get(word, "").split(",") if part.strip()]


def _sets(request: Mapping[str, Any]) -> Item:
    pairs = (part.split(" = ") for part in _clause("SET", request))
    return {_name(name, request): deepcopy(dict(_value(value, request))) for name, value in pairs}


def _adds(before: Item, request: Mapping[str, Any]) -> Item:
    """Sums of numbers, unions of sets of strings."""
    after: Item = {}
    for name, bound in (part.split() for part in _clause("ADD", request)):
        held, value = before.get(_name(name, request), {}), _value(bound, request)
        if "N" in value:
            after[_name(name, request)] = {"N": str(int(held.get("N", "0")) + int(value["N"]))}
        else:
            after[_name(name, request)] = {"SS": sorted({*held.get("SS", ()), *value["SS"]})}
    return after


def _removes(request: Mapping[str, Any]) -> list[str]:
    return [_name(part, request) for part in _clause("REMOVE", request)]


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
    ">": lambda one, other: one > other,
}


def _part(part: str, item: Item, request: Mapping[str, Any]) -> bool:
    function, _, name = part.partition("(")
    if function == "attribute_exists":
        return _name(name, request) in item
    if function == "attribute_not_exists":
        return _name(name, request) not in item
    if function == "NOT contains":
        attribute, _, bound = name.partition(", ")
        return _value(bound, request)["S"] not in item.get(attribute, {}).get("SS", ())
    left, sign, right = part.split()
    held = item.get(_name(left, request))
    other = _value(right, request) if right.startswith(":") else item.get(right)
    # Nothing is equal to, or less or more than, what is not there.
    return held is not None and other is not None and _COMPARE[sign](_plain(held), _plain(other))


def _value(word: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    value: Mapping[str, Any] = request["ExpressionAttributeValues"][word]
    return value


def _plain(value: Mapping[str, Any]) -> Any:
    return float(value["N"]) if "N" in value else next(iter(value.values()))
