"""The content of an email (subject and body, or an SES template) and its sender."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from messaging.channels.addresses import email_address
from messaging.channels.content import ChannelContent
from messaging.channels.fields import Line, Pattern, RequestModel, Text, finite
from messaging.domain.content import Content

# A name before an address. RFC 5322 (3.2.3) also forbids . ( ) [ ] \ outside quotation marks; the
# sending of an email quotes a name that has them, as no reader takes them for anything else.
_NAMED = re.compile(r'((?:"(?:[^"\\]|\\.)*"|[^"<>,;:@]*)\s*)<([^<>]+)>')
_UNQUOTED = re.compile(r'[^"<>]*?([,;:@])[^"<>]*<[^<>]+>')
_WORDS = {",": "a comma", ";": "a semicolon", ":": "a colon", "@": "an @"}


def _email_sender(text: str) -> str:
    """The sender with its domain as email carries it; a name is encoded when it is sent."""
    if named := _NAMED.fullmatch(text):
        return f"{named.group(1)}<{email_address(named.group(2))}>"
    if unquoted := _UNQUOTED.fullmatch(text):
        raise PydanticCustomError(
            "unquoted",
            "has a name with {character}, which must be in quotation marks, "
            'for example "Doe, Jane" <jane@example.com>',
            {"character": _WORDS[unquoted.group(1)]},
        )
    return email_address(text)


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
