"""Says in our words what pydantic found wrong: one problem per field, with what it may be."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from messaging.domain.errors import InvalidRequest, Problem
from messaging.domain.plan import MAX_WAIT_SECONDS, MIN_WAIT_SECONDS

M = TypeVar("M", bound=BaseModel)

MAX_EXPIRY_SECONDS = 10 * MAX_WAIT_SECONDS


def validated(model: type[M], body: object) -> M:
    """The body as the model has it. Raises `InvalidRequest`."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise InvalidRequest([_problem(one) for one in error.errors(include_url=False)]) from error


# Pydantic's error types in our words; what is not here keeps pydantic's.
_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "literal_error": "may be {expected}",
    "greater_than_equal": "is {input}; it must be at least {ge}",
    "less_than_equal": "is {input}; it may be at most {le}",
    "string_too_short": "must not be empty",
    "string_too_long": "has {length} characters; it may have at most {max_length}",
    "too_short": "must not be empty",
    "too_long": "has {length} entries; it may have at most {max_length}",
    "invalid_key": "must have text as keys",
}
_RANGES = {
    "wait_seconds": (MIN_WAIT_SECONDS, MAX_WAIT_SECONDS),
    "expires_in_seconds": (MIN_WAIT_SECONDS, MAX_EXPIRY_SECONDS),
}
_PATTERNS = {
    "sms": "must be a phone number in E.164, like +14255550156",
    "whatsapp": "must be a phone number in E.164, like +14255550156",
    "link": "must be a link that starts with https:// or http://",
    "language": "must be a language code, like en or en_US",
    "name": "may hold letters, digits, _ and -, at most 64",
}
_SENDER_PATTERNS = {
    "sms": "must be a phone number, a pool, a sender id or one's ARN",
    "whatsapp": "must be a phone number id, like phone-number-id- and 32 hexadecimal digits",
}


# What pydantic adds to the place of a wrong name in an object.
_KEY = "[key]"


def _problem(error: ErrorDetails) -> Problem:
    path = [str(part) for part in error["loc"] if part != _KEY]
    return Problem("".join(f"/{_escape(part)}" for part in path), _sentence(error, path))


def _escape(part: str) -> str:
    """As RFC 6901 has it."""
    return part.replace("~", "~0").replace("/", "~1")


def _sentence(error: ErrorDetails, path: list[str]) -> str:
    field = path[-1] if path else ""
    kind = error["type"]
    if kind in {"greater_than_equal", "less_than_equal"} and field in _RANGES:
        low, high = _RANGES[field]
        return f"is {error['input']}; it may be {low} to {high}"
    if kind == "string_pattern_mismatch":
        patterns = _SENDER_PATTERNS if "from" in path else _PATTERNS
        return patterns.get(field, "is not of the right form")
    given = error["input"]
    facts = {
        **error.get("ctx", {}),
        "input": given if isinstance(given, int | float) else "wrong",
        "length": len(given) if isinstance(given, str | list | dict) else 0,
    }
    return _SENTENCES.get(kind, error["msg"]).format(**facts)
