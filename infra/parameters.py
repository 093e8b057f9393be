"""How parameters are declared: what each may be, in words and as a rule, and how text is read."""

import json
from typing import get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

ADDRESS = r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+"


class Parameters(BaseModel):
    """Parameters that are read together; each says in its description what it may be."""

    # A short code in cdk.json is a number for JSON, and a sender all the same.
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


def from_text(kind: type) -> BeforeValidator:
    """Reads a value that is text on the command line, and refuses all but this very type.

    For Python, true is a whole number as well.
    """

    def read(value: object) -> object:
        found = json.loads(value) if isinstance(value, str) else value
        if type(found) is not kind:
            raise ValueError(found)
        return found

    return BeforeValidator(read)


NUMBER = from_text(int)
SWITCH = from_text(bool)


def whole(low: int, high: int) -> FieldInfo:
    may_be = f"a whole number from {low:,} to {high:,}"
    field: FieldInfo = Field(ge=low, le=high, description=may_be)
    return field


def matching(pattern: str, may_be: str) -> FieldInfo:
    field: FieldInfo = Field(pattern=rf"\A(?:{pattern})\z", description=may_be)
    return field


def allowed_values(field: FieldInfo) -> str:
    """What a parameter may be, as an error says it."""
    return field.description or "one of " + ", ".join(map(str, get_args(field.annotation)))
