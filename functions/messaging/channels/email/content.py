"""The content of an email (subject and body, or an SES template) and its sender."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from messaging.channels.addresses import email_address
from messaging.channels.content import ChannelContent
from messaging.channels.fields import Line, Pattern, RequestModel, Text, finite
from messaging.domain.content import Content

# A name before an address; a character that separates addresses is valid only inside quotes.
_NAMED = re.compile(r'(?:"[^"<>]*"|[^"<>,;:@]*)\s*<([^<>]+)>')


def _email_sender(text: str) -> str:
    named = _NAMED.fullmatch(text)
    email_address(named.group(1) if named else text)
    return text


EmailSender = Annotated[Line, AfterValidator(_email_sender)]


class EmailTemplate(RequestModel):
    name: Annotated[
        str,
        Pattern(r"^[A-Za-z0-9_-]{1,64}$", "can contain up to 64 letters, digits, _ and -"),
    ]
    data: Annotated[dict[str, JsonValue], AfterValidator(finite)] = Field(default={})


class EmailContent(RequestModel):
    subject: Line | None = None
    text: Text | None = None
    html: Text | None = None
    template: EmailTemplate | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "EmailContent":
        if self.template and len(self.model_fields_set) > 1:
            raise PydanticCustomError(
                "one_form", "must contain either template, or subject, text and html"
            )
        return self


def _is_complete(content: Content) -> bool:
    words = content.subject and (content.text or content.html)
    return bool(content.template or words)


CONTENT = ChannelContent(EmailContent, EmailSender, _is_complete)
