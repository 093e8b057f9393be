"""What a caller may ask for: checks a request and names every wrong field."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError, from_json

from messaging import problems, sample
from messaging.errors import InvalidRequest, Problem
from messaging.messages import Content, Message
from messaging.planning import MAX_WAIT_SECONDS, MIN_WAIT_SECONDS, Step, address, content, plan
from messaging.problems import MAX_EXPIRY_SECONDS
from messaging.statuses import Success

MAX_BYTES = 262_144  # the hard limit of an execution's input
MAX_STEPS = 10

# SendTextMessage's MessageBody; Meta's text body.
MAX_TEXT = {"sms": 1_600, "whatsapp": 4_096}

Channel = Literal["whatsapp", "sms", "email"]
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


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
        validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise PydanticCustomError(
            "email", "is not an email address; write it like ana@example.com"
        ) from None
    return text


def _email_sender(text: str) -> str:
    name = re.fullmatch(r"(?:[^<>]*<)?([^<>]+?)>?", text)
    _email_address(name.group(1) if name else text)
    return text


Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
EmailAddress = Annotated[str, AfterValidator(_email_address)]
Text = Annotated[str, AfterValidator(_said)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=998), AfterValidator(_one_line)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=512), AfterValidator(_one_line)]
Link = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2_048)]
Caption = Annotated[str, StringConstraints(min_length=1, max_length=1_024)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


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
    components: list[dict[str, JsonValue]] = Field(default=[], max_length=20)


class EmailTemplate(_Model):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    data: dict[str, JsonValue] = {}


class SmsContent(_Model):
    text: Annotated[Text, StringConstraints(max_length=MAX_TEXT["sms"])]


class WhatsAppContent(_Model):
    text: Annotated[Text, StringConstraints(max_length=MAX_TEXT["whatsapp"])] | None = None
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
    broadcast: list[Channel] | None = Field(default=None, min_length=1, max_length=3)
    wait_seconds: int | None = Field(default=None, ge=MIN_WAIT_SECONDS, le=MAX_WAIT_SECONDS)
    success: Literal["sent", "delivered", "read"] = "delivered"
    to: Recipients = Recipients()
    from_: Senders = Field(default=Senders(), alias="from")
    content: RequestContent = RequestContent()

    @model_validator(mode="after")
    def _channel_or_broadcast(self) -> "RequestStep":
        if (self.channel is None) == (self.broadcast is None):
            raise PydanticCustomError("one_form", "needs either channel or broadcast")
        if len(set(self.channels)) < len(self.channels):
            raise PydanticCustomError("twice", "names a channel twice in broadcast")
        if self.success == "read" and set(self.channels) != {"whatsapp"}:
            raise PydanticCustomError("read", "may ask for success read on whatsapp only")
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
    steps: tuple[Step, ...]
    expires_in_seconds: int | None

    @property
    def broadcasts(self) -> tuple[int, ...]:
        return tuple(number for number, step in enumerate(self.steps, 1) if step.broadcast)

    def message(self, message_id: str, now: datetime, default_waits: Mapping[str, int]) -> Message:
        """The message with its plan; `default_waits` are seconds by channel."""
        expiry = self.expires_in_seconds
        return Message(
            message_id=message_id,
            accepted_at=now,
            request=self.document,
            plan=plan(self.steps, default_waits, expiry),
            expires_at=now + timedelta(seconds=expiry) if expiry else None,
        )


def read(body: bytes) -> object:
    """The JSON of a body. Raises `InvalidRequest` where it is none."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidRequest([Problem("", f"is not JSON: {error}")]) from error


def check(body: object, senders: Mapping[str, str]) -> Request:
    """The request in a JSON document, ours or the sample's; `senders` are the stack's, by channel.

    Raises `InvalidRequest` with one problem per wrong field.
    """
    if not sample.is_sample(body):
        return _check(body, senders)
    asked = problems.validated(sample.SampleRequest, body)
    try:
        return _check(sample.translated(asked), senders)
    except InvalidRequest as error:
        raise InvalidRequest(sample.in_its_words(error.problems, asked)) from error


def _check(body: object, senders: Mapping[str, str]) -> Request:
    model = problems.validated(MessageRequest, body)
    document = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    document |= {"category": model.category}
    if lacks := list(_missing(document, model, senders)):
        raise InvalidRequest(lacks)
    steps = tuple(
        Step(step.channels, step.broadcast is not None, step.wait_seconds, Success(step.success))
        for step in model.steps
    )
    return Request(document, steps, model.expires_in_seconds)


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
        yield Problem(f"/to/{channel}", f"is missing, and a step sends by {channel}")
    if not address(document, step, channel, "from") and not senders.get(channel):
        yield Problem(f"/from/{channel}", "is missing, and this stack has no sender of its own")
    said = content(document, step, channel)
    if lack := _no_content(channel, said):
        yield Problem(f"/content/{channel}", lack)
    limit = MAX_TEXT.get(channel)
    if limit and said.text and len(said.text) > limit:
        yield Problem(
            _text_pointer(document, number),
            f"has {len(said.text)} characters; {channel} takes at most {limit}, "
            f"and content.{channel}.text can say it shorter",
        )


def _no_content(channel: str, said: Content) -> str | None:
    if said.template or said.image or said.document:
        return None
    if channel == "email":
        if said.subject and (said.text or said.html):
            return None
        return "is missing; email needs a subject with text or html, or a template"
    return None if said.text else f"is missing, and content.text does not say it for {channel}"


def _text_pointer(document: Mapping[str, Any], number: int) -> str:
    own = "text" in document["steps"][number].get("content", {})
    return f"/steps/{number}/content/text" if own else "/content/text"
