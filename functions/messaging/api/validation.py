"""Describes what pydantic found invalid: one problem per field, with its valid values."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from messaging.api.models import MAX_EXPIRY_SECONDS
from messaging.domain.errors import Problem
from messaging.domain.plan import MAX_WAIT_SECONDS, MIN_WAIT_SECONDS

M = TypeVar("M", bound=BaseModel)

Location: TypeAlias = tuple[int | str, ...]

# By pydantic's error type; any other type keeps pydantic's own message.
_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not a valid field",
    "string_type": "must be a string",
    "int_type": "must be an integer",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be an array",
    "literal_error": "must be {expected}",
    "greater_than_equal": "is {input}; the minimum is {ge}",
    "less_than_equal": "is {input}; the maximum is {le}",
    "string_too_short": "must not be empty",
    "string_too_long": "has {length} characters; the maximum is {max_length}",
    "too_short": "must not be empty",
    "too_long": "has {length} entries; the maximum is {max_length}",
    "invalid_key": "must have string keys",
}
_RANGES = {
    "wait_seconds": (MIN_WAIT_SECONDS, MAX_WAIT_SECONDS),
    "expires_in_seconds": (MIN_WAIT_SECONDS, MAX_EXPIRY_SECONDS),
}
# What pydantic adds to the location of an invalid key.
_KEY = "[key]"


@dataclass(frozen=True, slots=True)
class InvalidField:
    """An invalid field: its location in the body, and the problem."""

    location: Location
    problem: Problem


def validated(model: type[M], body: object) -> tuple[M | None, list[InvalidField]]:
    """The validated body, or its invalid fields in the order of the model."""
    try:
        return model.model_validate(body), []
    except ValidationError as error:
        return None, [_invalid_field(model, one) for one in error.errors(include_url=False)]


def _invalid_field(model: type[BaseModel], error: ErrorDetails) -> InvalidField:
    location = tuple(part for part in error["loc"] if part != _KEY)
    pointer = "".join(f"/{escaped(str(part))}" for part in location)
    detail = _sentence(error, location)
    if error["type"] == "extra_forbidden" and (nearest := _nearest_field(model, location)):
        detail += f"; did you mean `{nearest}`?"
    return InvalidField(location, Problem(pointer, detail))


def _nearest_field(model: type[BaseModel], location: Location) -> str | None:
    """The field whose name resembles the last part of the location, or begins with it."""
    *way, unknown = location
    fields = list(_fields(_schema(model), way))
    completed = [name for name in fields if name.startswith(f"{unknown}_")]
    near = completed or get_close_matches(str(unknown), fields, 1)
    return near[0] if near else None


def _fields(schema: Mapping[str, Any], way: list[int | str]) -> Mapping[str, Any]:
    """The fields of the object there, by the JSON schema of the whole."""
    found: Mapping[str, Any] = schema
    for part in way:
        found = found["items"] if isinstance(part, int) else found["properties"][part]
        found = next((one for one in found.get("anyOf", ()) if one != {"type": "null"}), found)
        if "$ref" in found:
            found = schema["$defs"][found["$ref"].rpartition("/")[2]]
    fields: Mapping[str, Any] = found["properties"]
    return fields


@cache
def _schema(model: type[BaseModel]) -> Mapping[str, Any]:
    return model.model_json_schema()


def escaped(part: str) -> str:
    """A part of a JSON pointer, as RFC 6901 escapes it."""
    return part.replace("~", "~0").replace("/", "~1")


def _sentence(error: ErrorDetails, location: Location) -> str:
    field = location[-1] if location else ""
    kind = error["type"]
    if kind in {"greater_than_equal", "less_than_equal"} and field in _RANGES:
        low, high = _RANGES[str(field)]
        return f"is {error['input']}; it must be from {low} to {high}"
    given = error["input"]
    facts = {
        **error.get("ctx", {}),
        "input": given if isinstance(given, int | float) else "wrong",
        "length": len(given) if isinstance(given, str | list | dict) else 0,
    }
    return _SENTENCES[kind].format(**facts) if kind in _SENTENCES else error["msg"]
