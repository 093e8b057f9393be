"""Takes the request body of AWS's omnichannel-fallback-messaging sample and says it in ours.

Its fields: `use_case` (fallback or broadcast), `fallback_seconds`, and `pc` and `fc`, the primary
and the fallback channel. Empty fields count as left out, as they do there.
"""

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from messaging.domain.errors import Problem

_NUMBER = re.compile(r"[0-9]{1,18}")
_PHONE = re.compile(r"\+?[0-9]+")
_STEP = re.compile(r"/steps/(\d)")
# The last part of our pointer, and the sample's name of the field.
_FIELDS = {"to": "recipient", "from": "sender"}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SampleEmail(_Model):
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    template: str | None = None
    configuration_set: str | None = None


class SampleSms(_Model):
    message: str | None = None
    message_type: Literal["PROMOTIONAL", "TRANSACTIONAL", ""] | None = None
    configuration_set: str | None = None


class SampleWhatsApp(_Model):
    message: str | None = None


class SampleChannel(_Model):
    channel: Literal["whatsapp", "sms", "email"]
    sender: str
    recipient: str
    email: SampleEmail = SampleEmail()
    sms: SampleSms = SampleSms()
    whatsapp: SampleWhatsApp = SampleWhatsApp()


class SampleRequest(_Model):
    use_case: Literal["fallback", "broadcast"]
    fallback_seconds: JsonValue = None
    pc: SampleChannel
    fc: SampleChannel


def is_sample(body: object) -> bool:
    return isinstance(body, dict) and "use_case" in body


def translated(asked: SampleRequest) -> dict[str, Any]:
    """The same request in our words.

    A caller's `configuration_set` is not used: only the stack's own report to the stack's topic.
    """
    channels = (asked.pc, asked.fc)
    steps: list[dict[str, Any]]
    if asked.use_case == "broadcast":
        names = [one.channel for one in channels]
        steps = [{"broadcast": names, **_merged(_said(one) for one in channels)}]
    else:
        steps = [{"channel": one.channel, **_said(one)} for one in channels]
        if asked.fallback_seconds not in (None, ""):
            steps[0]["wait_seconds"] = _number(asked.fallback_seconds)
    promotional = any(
        one.channel == "sms" and one.sms.message_type == "PROMOTIONAL" for one in channels
    )
    return {"steps": steps, "category": "marketing" if promotional else "utility"}


def _number(seconds: object) -> object:
    return int(seconds) if isinstance(seconds, str) and _NUMBER.fullmatch(seconds) else seconds


def _merged(parts: Iterable[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for part in parts:
        for name, value in part.items():
            merged[name] = {**merged.get(name, {}), **value}
    return merged


def _said(one: SampleChannel) -> dict[str, dict[str, Any]]:
    said: dict[str, dict[str, Any]] = {
        "to": {one.channel: _plus(one.recipient)},
        "from": {one.channel: sender} if (sender := _sender(one)) else {},
        "content": {one.channel: content} if (content := _content(one)) else {},
    }
    return {name: value for name, value in said.items() if value}


def _plus(text: str) -> str:
    """The sample's readers are told to write + as %2B."""
    return text.replace("%2B", "+").replace("%2b", "+")


def _sender(one: SampleChannel) -> str:
    """For WhatsApp the sample's README asks for a phone number where the API wants an id, so that
    a number means the stack's own WhatsApp sender.
    """
    sender = _plus(one.sender)
    return "" if one.channel == "whatsapp" and _PHONE.fullmatch(sender) else sender


def _content(one: SampleChannel) -> dict[str, Any]:
    if one.channel != "email":
        message = (one.sms if one.channel == "sms" else one.whatsapp).message
        return {"text": message} if message else {}
    if one.email.template:
        return {"template": {"name": one.email.template}}
    parts = one.email.model_dump(include={"subject", "text", "html"})
    return {name: value for name, value in parts.items() if value}


def in_its_words(problems: Iterable[Problem], asked: SampleRequest) -> list[Problem]:
    """The same problems with the sample's own fields."""
    return [Problem(_pointer(one.pointer, asked), one.detail) for one in problems]


def _pointer(ours: str, asked: SampleRequest) -> str:
    if ours.endswith("/wait_seconds"):
        return "/fallback_seconds"
    if ours == "/steps/0/broadcast" and asked.use_case == "broadcast":
        return "/fc/channel"
    holder = _holder(ours, asked)
    channel = getattr(asked, holder).channel
    parts = _STEP.sub("", ours).strip("/").split("/")
    if parts[0] in _FIELDS:
        return f"/{holder}/{_FIELDS[parts[0]]}"
    field = "/".join(parts[2:3]).replace("text", "text" if channel == "email" else "message")
    return f"/{holder}/{channel}/{field}".rstrip("/")


def _holder(ours: str, asked: SampleRequest) -> str:
    """Which of the two the pointer is about: by its step, else by its channel, and where both have
    the same, the one that lacks what is missing.
    """
    step = _STEP.match(ours)
    if step and asked.use_case == "fallback":
        return ("pc", "fc")[int(step.group(1))]
    field = ours.split("/")[1]
    named = [one for one in ("pc", "fc") if f"/{getattr(asked, one).channel}" in ours]
    return next(one for one in named if field not in _said(getattr(asked, one)))
