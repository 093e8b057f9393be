"""How parameters are declared: allowed values, in words and as a rule, and how text is parsed."""

import json
from typing import get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

ADDRESS = r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+"


class Parameters(BaseModel):
    """Parameters that are read together; the description of each has its allowed values."""

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
    """The allowed values of a parameter, as an error message names them."""
    return field.description or "one of " + ", ".join(map(str, get_args(field.annotation)))
