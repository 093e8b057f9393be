"""The content of an SMS and its sender."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from messaging.channels.catalog import channels
from messaging.channels.content import ChannelContent
from messaging.channels.fields import Pattern, RequestModel, not_blank
from messaging.domain.content import Content

SmsSender = Annotated[
    str,
    Pattern(
        r"^[A-Za-z0-9_:/+-]{1,256}$",
        "must be a phone number, a pool, a sender id, or the ARN of one of these",
    ),
]


class SmsContent(RequestModel):
    text: Annotated[
        str, StringConstraints(max_length=channels()["sms"].max_text), AfterValidator(not_blank)
    ]


def _is_complete(content: Content) -> bool:
    return bool(content.text)


CONTENT = ChannelContent(SmsContent, SmsSender, _is_complete)
