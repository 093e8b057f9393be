"""What a caller may ask for: checks a request and names every wrong field."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, from_json

from messaging.api import sample, validation
from messaging.api.validation import MAX_EXPIRY_SECONDS
from messaging.channels.catalog import channels
from messaging.domain.content import Content, address, content
from messaging.domain.errors import InvalidRequest, Problem
from messaging.domain.messages import MESSAGE_ID, Message
from messaging.domain.plan import MAX_WAIT_SECONDS, MIN_WAIT_SECONDS, RequestedStep, make_plan
from messaging.domain.statuses import Success

MAX_BYTES = 262_144  # the hard limit of an execution's input
MAX_KEPT_BYTES = 384_000  # DynamoDB's item of 400 KiB, less what stands beside the request
MAX_STEPS = 10

# SendTextMessage's MessageBody; Meta's text body.
MAX_TEXT = {"sms": 1_600, "whatsapp": 4_096}

Channel = Literal["whatsapp", "sms", "email"]
_NEEDS = {
    "whatsapp": "a text, a template, an image or a document",
    "sms": "a text",
    "email": "a subject with text or html, or a template",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# A name before an address; what separates addresses in a header only inside quotes.
_NAMED = re.compile(r'(?:"[^"<>]*"|[^"<>,;:@]*)\s*<([^<>]+)>')

T = TypeVar("T")


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise PydanticCustomError("one_line", "holds a line break or another control character")
    return text


def _said(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "is blank")
    return text


def _email_address(text: str) -> str:
    try:
        address = validate_email(
            text, check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        raise PydanticCustomError(
            "email", "is not an email address; write it like ana@example.com"
        ) from None
    return address.ascii_email or text  # SES wants a domain's name in ASCII


def _email_sender(text: str) -> str:
    named = _NAMED.fullmatch(text)
    _email_address(named.group(1) if named else text)
    return text


def _each_once(channels: list[str]) -> list[str]:
    if len(set(channels)) < len(channels):
        raise PydanticCustomError("twice", "names a channel twice; each may be there once")
    return channels


def _finite(value: T) -> T:
    """JSON has no infinity, but 1e999 is read as one."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise PydanticCustomError("finite", "holds a number that is too large") from None
    return value


Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
EmailAddress = Annotated[str, AfterValidator(_email_address)]
Text = Annotated[str, AfterValidator(_said)]
SmsText = Annotated[str, StringConstraints(max_length=MAX_TEXT["sms"]), AfterValidator(_said)]
WhatsAppText = Annotated[
    str, StringConstraints(max_length=MAX_TEXT["whatsapp"]), AfterValidator(_said)
]
Line = Annotated[str, StringConstraints(min_length=1, max_length=998), AfterValidator(_one_line)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=512), AfterValidator(_one_line)]
Link = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2_048)]
Caption = Annotated[str, StringConstraints(min_length=1, max_length=1_024)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _not_null(cls, value: object) -> object:
        if value is None:
            raise PydanticCustomError("null", "must not be null")
        return value


class Recipients(_Model):
    whatsapp: Phone | None = None
    sms: Phone | None = None
    email: EmailAddress | None = None


class Senders(_Model):
    whatsapp: (
        Annotated[
            str,
            StringConstraints(
                pattern=r"^(arn:aws[a-z-]*:social-messaging:[a-z0-9-]+:\d{12}:phone-number-id/[0-9a-zA-Z]+|phone-number-id-[0-9a-zA-Z]+)$",
                max_length=115,
            ),
        ]
        | None
    ) = None
    sms: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:/+-]{1,256}$")] | None = None
    email: Annotated[Line, AfterValidator(_email_sender)] | None = None


class Media(_Model):
    link: Link
    caption: Caption | None = None


class Document(Media):
    filename: Name | None = None


class WhatsAppTemplate(_Model):
    """Components as Meta defines them, passed on as they are."""

    name: Name
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(_[A-Z]{2,4})?$")]
    components: Annotated[list[dict[str, JsonValue]], AfterValidator(_finite)] = Field(
        default=[], max_length=20
    )


class EmailTemplate(_Model):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    data: Annotated[dict[str, JsonValue], AfterValidator(_finite)] = {}


class SmsContent(_Model):
    text: SmsText


class WhatsAppContent(_Model):
    text: WhatsAppText | None = None
    template: WhatsAppTemplate | None = None
    image: Media | None = None
    document: Document | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "WhatsAppContent":
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError(
                "one_form", "needs exactly one of text, template, image and document"
            )
        return self


class EmailContent(_Model):
    subject: Line | None = None
    text: Text | None = None
    html: Text | None = None
    template: EmailTemplate | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "EmailContent":
        if self.template and len(self.model_fields_set) > 1:
            raise PydanticCustomError(
                "one_form", "needs either a template or subject, text and html, not both"
            )
        return self


class RequestContent(_Model):
    text: Text | None = None
    subject: Line | None = None
    html: Text | None = None
    whatsapp: WhatsAppContent | None = None
    sms: SmsContent | None = None
    email: EmailContent | None = None


class RequestStep(_Model):
    """A channel, or a broadcast over several."""

    channel: Channel | None = None
    broadcast: (
        Annotated[
            list[Channel],
            Field(min_length=1, max_length=len(channels())),
            AfterValidator(_each_once),
        ]
        | None
    ) = None
    wait_seconds: int | None = Field(default=None, ge=MIN_WAIT_SECONDS, le=MAX_WAIT_SECONDS)
    success: Literal["sent", "delivered", "read"] = "delivered"
    to: Recipients = Recipients()
    from_: Senders = Field(default=Senders(), alias="from")
    content: RequestContent = RequestContent()

    @field_validator("success")
    @classmethod
    def _read_on_whatsapp_only(cls, success: str, step: ValidationInfo) -> str:
        channels = {step.data.get("channel"), *(step.data.get("broadcast") or ())}
        if success == "read" and channels & {"sms", "email"}:
            raise PydanticCustomError(
                "read", "may be 'sent' or 'delivered'; only whatsapp reports 'read'"
            )
        return success

    @model_validator(mode="after")
    def _channel_or_broadcast(self) -> "RequestStep":
        if (self.channel is None) == (self.broadcast is None):
            raise PydanticCustomError("one_form", "needs either channel or broadcast, and not both")
        return self

    @property
    def channels(self) -> tuple[str, ...]:
        return (self.channel,) if self.channel else tuple(self.broadcast or ())


class MessageRequest(_Model):
    to: Recipients = Recipients()
    from_: Senders = Field(default=Senders(), alias="from")
    content: RequestContent = RequestContent()
    steps: list[RequestStep] = Field(min_length=1, max_length=MAX_STEPS)
    category: Literal["authentication", "utility", "marketing"] = "utility"
    expires_in_seconds: int | None = Field(default=None, ge=MIN_WAIT_SECONDS, le=MAX_EXPIRY_SECONDS)
    metadata: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
        Annotated[str, StringConstraints(max_length=256)],
    ] = Field(default={}, max_length=20)


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request: `document` is its JSON, `steps` what the planner reads of it."""

    document: Mapping[str, Any]
    steps: tuple[RequestedStep, ...]
    expires_in_seconds: int | None

    def message(self, message_id: str, now: datetime, default_waits: Mapping[str, int]) -> Message:
        """The message with its plan; `default_waits` are seconds by channel."""
        expiry = self.expires_in_seconds
        return Message(
            message_id=message_id,
            accepted_at=now,
            plan=make_plan(self.steps, default_waits, expiry),
            expires_at=now + timedelta(seconds=expiry) if expiry else None,
        )


def read(body: bytes) -> object:
    """The JSON of a body. Raises `InvalidRequest` where it is none."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidRequest([Problem("", f"is not JSON: {error}")]) from error


def check_message_id(message_id: str) -> None:
    """Raises `InvalidRequest` where the name of an execution cannot be a message's id."""
    if not MESSAGE_ID.fullmatch(message_id):
        detail = "may hold only 0-9, A-Z, a-z, _ and -: it becomes the message's id"
        raise InvalidRequest([Problem("the execution's name", detail)])


def check(body: object, senders: Mapping[str, str]) -> Request:
    """The request in a JSON document, ours or the sample's; `senders` are the stack's, by channel.

    Raises `InvalidRequest` with one problem per wrong field.
    """
    if not sample.is_sample(body):
        return _check(body, senders)
    asked = validation.validated(sample.SampleRequest, body)
    try:
        return _check(sample.translated(asked), senders)
    except InvalidRequest as error:
        raise InvalidRequest(sample.in_its_words(error.problems, asked)) from error


def _check(body: object, senders: Mapping[str, str]) -> Request:
    model = validation.validated(MessageRequest, body)
    document = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    document |= {"category": model.category}
    _check_size(document)
    if lacks := list(_missing(document, model, senders)):
        raise InvalidRequest(lacks)
    steps = tuple(
        RequestedStep(
            step.channels, step.broadcast is not None, step.wait_seconds, Success(step.success)
        )
        for step in model.steps
    )
    return Request(document, steps, model.expires_in_seconds)


def _check_size(document: Mapping[str, Any]) -> None:
    """1e15 is four characters as it is sent and sixteen as it is kept."""
    size = len(json.dumps(document, ensure_ascii=False).encode())
    if size > MAX_KEPT_BYTES:
        detail = f"takes {size} bytes when it is written out; it may take {MAX_KEPT_BYTES}"
        raise InvalidRequest([Problem("", detail)])


def _missing(
    document: Mapping[str, Any], model: MessageRequest, senders: Mapping[str, str]
) -> Iterator[Problem]:
    """What each planned channel lacks; the same lack in several steps is one problem."""
    seen = set()
    for number, step in enumerate(model.steps):
        for channel in step.channels:
            for problem in _lacks(document, number, channel, senders):
                if problem not in seen:
                    seen.add(problem)
                    yield problem


def _lacks(
    document: Mapping[str, Any], number: int, channel: str, senders: Mapping[str, str]
) -> Iterator[Problem]:
    step = document["steps"][number]
    if not address(document, step, channel, "to"):
        yield Problem(
            _place(step, number, "to", channel), f"is missing, and a step sends by {channel}"
        )
    if not address(document, step, channel, "from") and not senders.get(channel):
        yield Problem(
            _place(step, number, "from", channel),
            "is missing, and this stack has no sender of its own",
        )
    said = content(document, step, channel)
    if lack := _no_content(channel, said):
        yield Problem(_place(step, number, "content", channel), lack)
    limit = MAX_TEXT.get(channel)
    if limit and said.text and len(said.text) > limit:
        yield Problem(
            _text_pointer(document, number),
            f"has {len(said.text)} characters; {channel} takes at most {limit}, "
            f"and content.{channel}.text can say it shorter",
        )


def _place(step: Mapping[str, Any], number: int, field: str, channel: str) -> str:
    """Where a lack is filled: in the step if it has such a field of its own."""
    return f"/steps/{number}/{field}/{channel}" if field in step else f"/{field}/{channel}"


def _no_content(channel: str, said: Content) -> str | None:
    words = said.text
    if channel == "email":
        words = said.subject and (said.text or said.html)
    if words or said.template or said.image or said.document:
        return None
    return f"is missing; {channel} needs {_NEEDS[channel]}"


def _text_pointer(document: Mapping[str, Any], number: int) -> str:
    own = "text" in document["steps"][number].get("content", {})
    return f"/steps/{number}/content/text" if own else "/content/text"
