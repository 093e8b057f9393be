"""The pydantic models of a request's body, composed of the channels' own models."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from messaging.channels.addresses import ADDRESS_TYPES
from messaging.channels.catalog import channels
from messaging.channels.content import channel_contents
from messaging.channels.fields import Line, RequestModel, SameAs, Text, one_of
from messaging.domain.plan import MAX_WAIT_SECONDS, MIN_WAIT_SECONDS
from messaging.domain.statuses import Success

MAX_STEPS = 10
MAX_EXPIRY_SECONDS = 10 * MAX_WAIT_SECONDS


class GeneralContent(RequestModel):
    """The content of every channel that has none of its own."""

    text: Text | None = None
    subject: Line | None = None
    html: Text | None = None


def _with_channels(
    name: str, types: Mapping[str, Any], base: type[RequestModel] = RequestModel
) -> type[RequestModel]:
    """The model with an optional field for each channel."""
    fields: dict[str, Any] = {channel: (one | None, None) for channel, one in types.items()}
    return create_model(name, __base__=base, **fields)


Recipients = _with_channels(
    "Recipients", {name: ADDRESS_TYPES[facts.address] for name, facts in channels().items()}
)
Senders = _with_channels("Senders", {name: one.sender for name, one in channel_contents().items()})
RequestContent = _with_channels(
    "RequestContent", {name: one.model for name, one in channel_contents().items()}, GeneralContent
)

_Channel = Annotated[str, one_of(channels())]
AnyRecipients = Annotated[RequestModel, SameAs(Recipients)]
AnySenders = Annotated[RequestModel, SameAs(Senders)]
_Content = Annotated[RequestModel, SameAs(RequestContent)]


Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
        Annotated[str, StringConstraints(max_length=256)],
    ],
    Field(max_length=20),
]


def _each_once(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("twice", "must not contain the same channel twice")
    return names


class ChannelStep(RequestModel):
    """A channel, or a broadcast on several."""

    channel: _Channel | None = None
    broadcast: (
        Annotated[
            list[_Channel],
            Field(min_length=1, max_length=len(channels())),
            AfterValidator(_each_once),
        ]
        | None
    ) = None
    wait_seconds: int | None = Field(default=None, ge=MIN_WAIT_SECONDS, le=MAX_WAIT_SECONDS)

    @model_validator(mode="after")
    def _channel_or_broadcast(self) -> Self:
        if (self.channel is None) == (self.broadcast is None):
            raise PydanticCustomError("one_form", "must contain either channel or broadcast")
        return self

    @property
    def channels(self) -> tuple[str, ...]:
        return (self.channel,) if self.channel else tuple(self.broadcast or ())


class RequestStep(ChannelStep):
    """A step of a message, with what differs from the other steps."""

    success: Annotated[str, one_of(Success)] = "delivered"
    to: AnyRecipients = Recipients()
    from_: AnySenders = Field(default=Senders(), alias="from")
    content: _Content = RequestContent()

    @field_validator("success")
    @classmethod
    def _reported_by_its_channels(cls, success: str, step: ValidationInfo) -> str:
        if success == Success.CONFIRMED:
            return success
        asked = {step.data.get("channel"), *(step.data.get("broadcast") or ())}
        reported = [facts.success for name, facts in channels().items() if name in asked]
        if any(success not in words for words in reported):
            common = [str(word) for word in Success if all(word in words for words in reported)]
            raise PydanticCustomError("success", "{sentence}", {"sentence": _only(success, common)})
        return success


def _only(success: str, common: list[str]) -> str:
    """`must be 'sent', 'delivered' or 'confirmed'; only whatsapp supports 'read'`."""
    able = [name for name, facts in channels().items() if success in facts.success]
    verb = "supports" if len(able) == 1 else "support"
    words = ", ".join(f"'{word}'" for word in common)
    return f"must be {words} or '{Success.CONFIRMED}'; only {' and '.join(able)} {verb} '{success}'"


class EmptyRequest(RequestModel):
    """What has nothing to say but its path."""


class AdvanceRequest(RequestModel):
    """`step`: the step to end, so that a repetition does not end the next one as well."""

    step: int


class MessageRequest(RequestModel):
    to: AnyRecipients = Recipients()
    from_: AnySenders = Field(default=Senders(), alias="from")
    content: _Content = RequestContent()
    steps: list[RequestStep] = Field(min_length=1, max_length=MAX_STEPS)
    category: Literal["authentication", "utility", "marketing"] = "utility"
    expires_in_seconds: int | None = Field(default=None, ge=MIN_WAIT_SECONDS, le=MAX_EXPIRY_SECONDS)
    metadata: Metadata = Field(default={})
