"""The content of a WhatsApp message, in one of Meta's formats, and its sender."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from messaging.channels.catalog import channels
from messaging.channels.content import ChannelContent
from messaging.channels.fields import FileName, Link, Pattern, RequestModel, finite, not_blank
from messaging.domain.content import Content

# The phone number's id in AWS End User Messaging Social, or its ARN.
WhatsAppSender = Annotated[
    str,
    StringConstraints(max_length=115),
    Pattern(
        r"^(arn:aws[a-z-]*:social-messaging:[a-z0-9-]+:\d{12}:phone-number-id/[0-9a-zA-Z]+|phone-number-id-[0-9a-zA-Z]+)$",
        "must be a phone number id: phone-number-id- followed by 32 hexadecimal digits",
    ),
]
Caption = Annotated[
    str, StringConstraints(min_length=1, max_length=1_024), AfterValidator(not_blank)
]


def _usable(component: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Meta rejects a component or parameter without a type (100) and a text without a value
    (131008): developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes.
    """
    parameters = component.get("parameters", [])
    if not _has_words(component, "type"):
        raise PydanticCustomError("component", "must have a type, for example body")
    if not isinstance(parameters, list) or not all(map(_is_usable, parameters)):
        raise PydanticCustomError(
            "parameters",
            "must have parameters that are objects with a type and a value that is not blank",
        )
    return component


def _is_usable(parameter: object) -> bool:
    if not isinstance(parameter, dict) or not _has_words(parameter, "type"):
        return False
    return parameter["type"] != "text" or _has_words(parameter, "text")


def _has_words(holder: Mapping[str, JsonValue], field: str) -> bool:
    value = holder.get(field)
    return isinstance(value, str) and bool(value.strip())


Component = Annotated[dict[str, JsonValue], AfterValidator(_usable)]


class WhatsAppMedia(RequestModel):
    link: Link
    caption: Caption | None = None


class WhatsAppDocument(WhatsAppMedia):
    filename: FileName | None = None


class WhatsAppTemplate(RequestModel):
    """Components as Meta defines them, passed on unchanged."""

    name: Annotated[
        str,
        Pattern(r"^[a-z0-9_]{1,512}$", "can contain up to 512 lowercase letters, digits and _"),
    ]
    language: Annotated[
        str,
        Pattern(r"^[a-z]{2,3}(_[A-Z]{2,4})?$", "must be a language code, for example en or en_US"),
    ]
    components: Annotated[list[Component], AfterValidator(finite)] = Field(
        default=[], max_length=20
    )


class WhatsAppContent(RequestModel):
    text: (
        Annotated[
            str,
            StringConstraints(max_length=channels()["whatsapp"].max_text),
            AfterValidator(not_blank),
        ]
        | None
    ) = None
    template: WhatsAppTemplate | None = None
    image: WhatsAppMedia | None = None
    document: WhatsAppDocument | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "WhatsAppContent":
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError(
                "one_form", "must contain exactly one of text, template, image and document"
            )
        return self


def _is_complete(content: Content) -> bool:
    return bool(content.text or content.template or content.image or content.document)


def _payment_problem(_sender: str) -> str:
    return "an authentication template of WhatsApp cannot show the payee and the amount"


CONTENT = ChannelContent(
    WhatsAppContent,
    WhatsAppSender,
    _is_complete,
    keeps_template=True,
    payment_problem=_payment_problem,
)
