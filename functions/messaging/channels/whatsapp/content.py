"""The content of a WhatsApp message, in one of Meta's formats, and its sender."""

from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from messaging.channels.catalog import channels
from messaging.channels.content import ChannelContent
from messaging.channels.fields import Link, Name, Pattern, RequestModel, finite, not_blank
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
Caption = Annotated[str, StringConstraints(min_length=1, max_length=1_024)]


class WhatsAppMedia(RequestModel):
    link: Link
    caption: Caption | None = None


class WhatsAppDocument(WhatsAppMedia):
    filename: Name | None = None


class WhatsAppTemplate(RequestModel):
    """Components as Meta defines them, passed on unchanged."""

    name: Name
    language: Annotated[
        str,
        Pattern(r"^[a-z]{2,3}(_[A-Z]{2,4})?$", "must be a language code, for example en or en_US"),
    ]
    components: Annotated[list[dict[str, JsonValue]], AfterValidator(finite)] = Field(
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


CONTENT = ChannelContent(WhatsAppContent, WhatsAppSender, _is_complete)
