"""Translates the request body of AWS's omnichannel-fallback-messaging sample into this API's.

Its fields: `use_case` (fallback or broadcast), `fallback_seconds`, and `pc` and `fc`, the primary
and the fallback channel. As in the sample, an empty field counts as omitted.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Literal, TypeAlias, TypeGuard

from pydantic import JsonValue

from messaging.api.validation import Location, validated
from messaging.channels.fields import StrictModel
from messaging.domain.errors import InvalidRequest, Problem

_NUMBER = re.compile(r"[0-9]{1,18}")
_PHONE = re.compile(r"\+?[0-9]+")
_PARTS = ("pc", "fc")
# The sample's name of a field, by the last part of this API's pointer.
_FIELDS = {"to": "recipient", "from": "sender"}
# What a channel needs, by the sample's names: `message` is the only field of two of them.
_NEEDS = {"sms": "a message", "whatsapp": "a message"}
# Replaces an invalid field, so that the other fields can be checked.
_STAND_INS: Mapping[str, object] = {"email": {}, "sms": {}, "whatsapp": {}, "message_type": None}
_TEXT_STAND_IN = "?"

# Returns the problems of a body in this API's format.
Checker: TypeAlias = Callable[[object], list[Problem]]


class SampleEmail(StrictModel):
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    template: str | None = None
    configuration_set: str | None = None


class SampleSms(StrictModel):
    message: str | None = None
    message_type: Literal["PROMOTIONAL", "TRANSACTIONAL", ""] | None = None
    configuration_set: str | None = None


class SampleWhatsApp(StrictModel):
    message: str | None = None


class SampleChannel(StrictModel):
    channel: Literal["whatsapp", "sms", "email"]
    sender: str
    recipient: str
    email: SampleEmail = SampleEmail()
    sms: SampleSms = SampleSms()
    whatsapp: SampleWhatsApp = SampleWhatsApp()


class SampleRequest(StrictModel):
    use_case: Literal["fallback", "broadcast"]
    fallback_seconds: JsonValue = None
    pc: SampleChannel
    fc: SampleChannel


def is_sample(body: object) -> TypeGuard[dict[str, Any]]:
    """Whether a body is in the sample's format; a misspelled `use_case` does not change it."""
    if not isinstance(body, dict):
        return False
    return "use_case" in body or ("steps" not in body and any(part in body for part in _PARTS))


def translated(body: Mapping[str, Any], check: Checker) -> dict[str, Any]:
    """The request in this API's format. Raises `InvalidRequest` with every problem, in terms of
    the sample's fields.

    A `configuration_set` is ignored: only the stack's configuration sets publish to its topic.
    """
    request, invalid = validated(SampleRequest, body)
    known = {one.problem.pointer for one in invalid}
    translated_problems = _translated_problems(body, [one.location for one in invalid], check)
    found = [problem for problem in translated_problems if problem.pointer not in known]
    if request is None or found:
        raise InvalidRequest([*(one.problem for one in invalid), *found])
    return _translation(request)


def _translation(request: SampleRequest) -> dict[str, Any]:
    channels = (request.pc, request.fc)
    steps: list[dict[str, Any]]
    if request.use_case == "broadcast":
        names = [one.channel for one in channels]
        steps = [{"broadcast": names, **_merged(_step_fields(one) for one in channels)}]
    else:
        steps = [{"channel": one.channel, **_step_fields(one)} for one in channels]
        if _has_wait(request.fallback_seconds):
            steps[0]["wait_seconds"] = _whole_number(request.fallback_seconds)
    promotional = any(
        one.channel == "sms" and one.sms.message_type == "PROMOTIONAL" for one in channels
    )
    return {"steps": steps, "category": "marketing" if promotional else "utility"}


def _has_wait(seconds: object) -> bool:
    return seconds not in (None, "")


def _whole_number(seconds: object) -> object:
    return int(seconds) if isinstance(seconds, str) and _NUMBER.fullmatch(seconds) else seconds


def _merged(parts: Iterable[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for part in parts:
        for name, value in part.items():
            merged[name] = {**merged.get(name, {}), **value}
    return merged


def _step_fields(one: SampleChannel) -> dict[str, dict[str, Any]]:
    fields: dict[str, dict[str, Any]] = {
        "to": {one.channel: _with_plus(one.recipient)},
        "from": {one.channel: sender} if (sender := _sender(one)) else {},
        "content": {one.channel: content} if (content := _content(one)) else {},
    }
    return {name: value for name, value in fields.items() if value}


def _with_plus(text: str) -> str:
    """The sample's documentation says to write + as %2B."""
    return text.replace("%2B", "+").replace("%2b", "+")


def _sender(one: SampleChannel) -> str:
    """For WhatsApp the sample's README asks for a phone number, but AWS's API requires an id: a
    phone number therefore selects the stack's own WhatsApp sender.
    """
    sender = _with_plus(one.sender)
    return "" if one.channel == "whatsapp" and _PHONE.fullmatch(sender) else sender


def _content(one: SampleChannel) -> dict[str, Any]:
    if one.channel != "email":
        message = (one.sms if one.channel == "sms" else one.whatsapp).message
        return {"text": message} if message else {}
    if one.email.template:
        return {"template": {"name": one.email.template}}
    parts = one.email.model_dump(include={"subject", "text", "html"})
    return {name: value for name, value in parts.items() if value}


def _translated_problems(
    body: Mapping[str, Any], invalid: Collection[Location], check: Checker
) -> Iterator[Problem]:
    """The problems of the translation; each part is checked by itself, so that none is hidden."""
    parts = {name: part for name in _PARTS if (part := _readable_part(body, name, invalid))}
    seconds = body.get("fallback_seconds")
    if body.get("use_case") == "fallback" and _has_wait(seconds):
        wait = {"wait_seconds": _whole_number(seconds)}
        yield from _problems_at("wait_seconds", wait, "/fallback_seconds", check)
    if body.get("use_case") == "broadcast" and len(parts) == len(_PARTS):
        step = {"broadcast": [part.channel for part in parts.values()]}
        for _ in _problems_at("broadcast", step, "/fc/channel", check):
            yield Problem("/fc/channel", "must differ from the channel of pc")
    for name, part in parts.items():
        for problem in check({"steps": [{"channel": part.channel, **_step_fields(part)}]}):
            yield Problem(
                _pointer(problem.pointer, name, part.channel), _detail(problem, part.channel)
            )


def _problems_at(
    field: str, step: Mapping[str, object], pointer: str, check: Checker
) -> Iterator[Problem]:
    for problem in check({"steps": [step]}):
        if problem.pointer == f"/steps/0/{field}":
            yield Problem(pointer, problem.detail)


def _readable_part(
    body: Mapping[str, Any], name: str, invalid: Collection[Location]
) -> SampleChannel | None:
    """`pc` or `fc` with each invalid field replaced; None if its channel is unknown."""
    part = body.get(name)
    if not isinstance(part, dict) or (name, "channel") in invalid:
        return None
    repaired = deepcopy(part)
    for location in invalid:
        if location[0] == name:
            _replace(repaired, location[1:])
    return SampleChannel.model_validate(repaired, extra="ignore")


def _replace(part: dict[Any, Any], location: Location) -> None:
    *way, field = location
    for one in way:
        part = part[one]
    part[field] = _STAND_INS.get(str(field), _TEXT_STAND_IN)


def _detail(problem: Problem, channel: str) -> str:
    beginning = f"is required: {channel} needs "
    if channel in _NEEDS and problem.detail.startswith(beginning):
        return beginning + _NEEDS[channel]
    return problem.detail


def _pointer(pointer: str, name: str, channel: str) -> str:
    """The sample's pointer. The translated one begins with /steps/0 if the step has the field."""
    field, *rest = pointer.removeprefix("/steps/0").strip("/").split("/")
    if field in _FIELDS:
        return f"/{name}/{_FIELDS[field]}"
    inner = "/".join(rest[1:2])
    theirs = "message" if inner == "text" and channel != "email" else inner
    return f"/{name}/{channel}/{theirs}".rstrip("/")
