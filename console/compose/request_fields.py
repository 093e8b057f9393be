"""The form's fields, derived from the request's models: a channel's fields appear by themselves."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError, create_model
from pydantic.fields import FieldInfo

from console import words
from messaging.api.models import MessageRequest
from messaging.channels.catalog import channels
from messaging.channels.fields import SameAs

# How a field's text becomes JSON. A `LINE` holds no line break.
TEXT, LINE, NUMBER, JSON = "text", "line", "number", "json"
# The alternative that a channel's plain fields are; every object is an alternative of its own.
PLAIN: Final = "text"
_SPELLING = {"html": "HTML", "filename": "file name"}
_ADDRESS = {"phone": "number", "email": "address"}


@dataclass(frozen=True)
class RequestField:
    """One value of the request; `pointer` is its JSON pointer and the id of its element."""

    pointer: str
    kind: str
    options: tuple[str, ...] = ()
    default: str = ""

    @property
    def parent(self) -> str:
        """The pointer of the object that has this field."""
        return self.pointer.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def path(self) -> list[str]:
        return self.pointer[1:].split("/")

    @property
    def channel(self) -> str:
        """The channel whose own content it is part of; empty for all other fields."""
        root, *rest = self.path
        return rest[0] if root == "content" and len(rest) > 1 else ""

    @property
    def alternative(self) -> str:
        """Which way to say something on its channel it belongs to."""
        return self.path[2] if len(self.path) > 3 else PLAIN  # noqa: PLR2004 - content, channel, object, field

    @property
    def label(self) -> str:
        """`/content/whatsapp/template/name` as `WhatsApp template name`."""
        root, *rest = self.path
        if root == "to":
            rest.append(_ADDRESS[channels()[self.name].address])
        if root == "from":
            rest.append("sender")
        parts = (words.channel(_SPELLING.get(part, part)) for part in rest or [root])
        text = words.capital(" ".join(parts).replace("_", " "))
        return f"{text}, as JSON" if self.kind == JSON else text

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The options with their labels; the default is what is sent when nothing is chosen."""
        unset = [] if self.default else [("", "default")]
        return unset + [("" if one == self.default else one, one) for one in self.options]


def fields_of(model: type[BaseModel], place: str = "") -> Iterator[RequestField]:
    """The fields of a model and of all models in it, but for its lists and maps of models."""
    for name, info in model.model_fields.items():
        pointer, kind = f"{place}/{info.alias or name}", _type_of(info)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from fields_of(kind, pointer)
        elif pointer not in {"/steps", "/metadata"}:
            default = info.default if isinstance(info.default, str) else ""
            options = get_args(kind) if get_origin(kind) is Literal else ()
            yield RequestField(pointer, _kind(kind, info), options, default)


def by_channel(fields: Iterable[RequestField]) -> dict[str, dict[str, list[RequestField]]]:
    """Each channel's own content: its fields by alternative. Only one alternative can be sent."""
    content: dict[str, dict[str, list[RequestField]]] = {}
    for field in fields:
        if field.channel:
            alternatives = content.setdefault(field.channel, {})
            alternatives.setdefault(field.alternative, []).append(field)
    return content


def channels_with(name: str) -> list[str]:
    """The channels that use the shared content of this name."""
    return [channel for channel in CONTENT if f"/content/{channel}/{name}" in FIELDS]


def _type_of(info: FieldInfo) -> Any:  # noqa: ANN401 - any type
    """Without `None` and without constraints."""
    composed = [one.model for one in info.metadata if isinstance(one, SameAs)]
    kind: Any = composed[0] if composed else info.annotation
    if NoneType in get_args(kind):
        kind = get_args(kind)[0]
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _kind(kind: Any, info: FieldInfo) -> str:  # noqa: ANN401 - any type
    if kind is int:
        return NUMBER
    if get_origin(kind) is Literal:
        return LINE
    if kind is str:
        return TEXT if _may_hold_line_breaks(info) else LINE
    return JSON


def _may_hold_line_breaks(info: FieldInfo) -> bool:
    constraints: Any = (info.annotation, info)
    try:
        create_model("Alone", value=constraints).model_validate({"value": "two\nlines"})
    except ValidationError:
        return False
    return True


FIELDS: Final[Mapping[str, RequestField]] = {
    field.pointer: field for field in fields_of(MessageRequest)
}
CONTENT: Final[Mapping[str, Mapping[str, list[RequestField]]]] = by_channel(FIELDS.values())
# Where a channel has several alternatives, a field of the form chooses one: values and labels.
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    f"/content/{channel}": {
        "": "the content above",
        **{one: "text" if one == PLAIN else one for one in alternatives},
    }
    for channel, alternatives in CONTENT.items()
    if len(alternatives) > 1
}
