"""The types of a request's fields: models without null, and strings with their error messages."""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    GetPydanticSchema,
    StringConstraints,
    field_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Control and format characters (such as the zero-width space), and separators.
_INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Zs"}
# Letters, marks and a symbol that fonts show as nothing: Unicode's Default_Ignorable_Code_Point,
# and the Braille pattern blank.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

T = TypeVar("T")


class StrictModel(BaseModel):
    """Rejects unknown fields, and values of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RequestModel(StrictModel):
    """A field without a value must be omitted: null is invalid."""

    @field_validator("*", mode="before")
    @classmethod
    def _not_null(cls, value: object) -> object:
        if value is None:
            raise PydanticCustomError("null", "must not be null")
        return value


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a string must match, and the error message for one that does not."""

    pattern: str
    sentence: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._matched, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"pattern": self.pattern}

    def _matched(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise PydanticCustomError("pattern", "{sentence}", {"sentence": self.sentence})
        return text


def between(low: int, high: int) -> AfterValidator:
    """Annotates a number that must not be less or more."""

    def check(number: int) -> int:
        if not low <= number <= high:
            sentence = f"is {number}; it must be from {low} to {high}"
            raise PydanticCustomError("range", "{sentence}", {"sentence": sentence})
        return number

    return AfterValidator(check)


def one_of(words: Iterable[str]) -> GetPydanticSchema:
    """Annotates a string that must be one of these words."""
    schema = core_schema.literal_schema([str(word) for word in words])
    return GetPydanticSchema(lambda _source, _handler: schema)


@dataclass(frozen=True)
class SameAs:
    """Annotates a field whose model is composed at startup."""

    model: type[BaseModel]

    def __get_pydantic_core_schema__(
        self, _source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return handler.generate_schema(self.model)


def not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    if not any(_is_visible(one) for one in text):
        raise PydanticCustomError("invisible", "must have at least one visible character")
    return text


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE and not _IGNORABLE.match(character)


def one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise PydanticCustomError(
            "one_line", "must not contain line breaks or other control characters"
        )
    return text


def finite(value: T) -> T:
    """JSON has no infinity, but 1e999 is parsed as one."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise PydanticCustomError("finite", "contains a number that is too large") from None
    return value


Text = Annotated[str, AfterValidator(not_blank)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=998), AfterValidator(one_line)]
FileName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=512),
    AfterValidator(one_line),
    AfterValidator(not_blank),
]
Link = Annotated[
    str,
    StringConstraints(max_length=2_048),
    Pattern(r"^https?://\S+$", "must be a URL that starts with https:// or http://"),
]
