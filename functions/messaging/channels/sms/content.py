"""The content of an SMS (a text, or a template of AWS's Notify) and its sender."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from messaging.channels.aws_end_user_messaging import is_notify_configuration
from messaging.channels.content import ChannelContent
from messaging.channels.fields import Pattern, RequestModel, Text
from messaging.domain.content import Content
from messaging.domain.sms_encoding import GSM, length_problem

SmsSender = Annotated[
    str,
    Pattern(
        r"^[A-Za-z0-9_:/+-]{1,256}$",
        "must be a phone number, a pool, a sender id, a Notify configuration, "
        "or the ARN of one of these",
    ),
]


def _short_enough(text: str) -> str:
    if problem := length_problem(text):
        raise PydanticCustomError("too_long_for_sms", "{problem}", {"problem": problem})
    return text


class NotifyTemplate(RequestModel):
    """SendNotifyTextMessage's TemplateId and TemplateVariables."""

    name: Annotated[
        str,
        Pattern(r"^[A-Za-z0-9_-]{1,256}$", "can contain up to 256 letters, digits, _ and -"),
    ]
    data: dict[
        Annotated[
            str, Pattern(r"^[A-Za-z0-9_]{1,64}$", "can contain up to 64 letters, digits and _")
        ],
        Annotated[str, StringConstraints(min_length=1, max_length=2_048)],
    ] = Field(default={}, max_length=20)


class SmsContent(RequestModel):
    text: (
        Annotated[
            Text,
            AfterValidator(_short_enough),
            Field(json_schema_extra={"maxLength": GSM.maximum}),
        ]
        | None
    ) = None
    template: NotifyTemplate | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "SmsContent":
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("one_form", "must contain either text or template")
        return self


def _is_complete(content: Content) -> bool:
    return bool(content.text or content.template)


def _sender_problem(content: Content, sender: str) -> str | None:
    if is_notify_configuration(sender):
        if not content.template:
            return "must contain a template: a Notify configuration sends no other text"
    elif content.template:
        return "must contain a text: only a Notify configuration sends templates"
    return None


def _payment_problem(sender: str) -> str | None:
    if is_notify_configuration(sender):
        return "a template of a Notify configuration cannot show the payee and the amount"
    return None


CONTENT = ChannelContent(
    SmsContent,
    SmsSender,
    _is_complete,
    _sender_problem,
    length_problem,
    payment_problem=_payment_problem,
)
