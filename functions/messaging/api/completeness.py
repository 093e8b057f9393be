"""Finds what the steps' channels lack: a recipient, a sender, content, a text that is short enough.

The body may be invalid. A field that is present but invalid is not reported as missing, nor is a
field whose parent is invalid as a whole.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from messaging.api.models import MAX_STEPS
from messaging.api.validation import Location
from messaging.channels.catalog import channels
from messaging.channels.content import channel_contents
from messaging.domain.content import Content
from messaging.domain.content import content as planned_content
from messaging.domain.errors import Problem

# Replaces an invalid value, which counts as present.
_STAND_IN = "?"
_REPLACED = ". The step's content replaces the template of the message's content"


def _ambiguous(channel: str) -> str:
    return (
        f"would replace the template in content.{channel}. To send this text, use "
        f"content.{channel}.text in the step; to send the template, repeat it in "
        f"content.{channel}.template in the step"
    )


def missing_problems(
    body: object,
    invalid: Collection[Location],
    senders: Mapping[str, str],
    *,
    needs_content: bool = True,
) -> list[Problem]:
    """In the order of the steps; a field that several steps lack is one problem.

    `invalid`: the locations of the body's invalid fields; `senders`: the stack's, by channel.
    """
    if not isinstance(body, dict):
        return []
    fields = _InvalidFields.at(invalid)
    request = _Part(body, (), fields)
    found = [
        problem
        for number, step in enumerate(_steps(body))
        for channel in _channels(step)
        for problem in _StepChannel(
            request, _Part(step, ("steps", number), fields), channel
        ).problems(senders, needs_content=needs_content)
    ]
    return list(dict.fromkeys(found))


def _steps(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    steps = body.get("steps")
    listed = steps[:MAX_STEPS] if isinstance(steps, list) else []
    return [step if isinstance(step, dict) else {} for step in listed]


def _channels(step: Mapping[str, Any]) -> list[str]:
    """The channels that the step is known to use."""
    if "channel" in step and "broadcast" in step:
        return []
    named = [step["channel"]] if "channel" in step else step.get("broadcast")
    if not isinstance(named, list):
        return []
    return [one for one in named if isinstance(one, str) and one in channels()]


@dataclass(frozen=True, slots=True)
class _InvalidFields:
    """The locations of invalid fields, and the fields of each object that contain one."""

    locations: frozenset[Location]
    holding: Mapping[Location, set[int | str]]

    @classmethod
    def at(cls, locations: Collection[Location]) -> "_InvalidFields":
        holding: dict[Location, set[int | str]] = defaultdict(set)
        for location in locations:
            for depth, part in enumerate(location):
                holding[location[:depth]].add(part)
        return cls(frozenset(locations), dict(holding))


@dataclass(frozen=True, slots=True)
class _Part:
    """The request or one of its steps."""

    value: Mapping[str, Any]
    location: Location
    invalid: _InvalidFields

    def may_name(self, field: str, channel: str) -> bool:
        """Whether `to` or `from` has a value for the channel, valid or not."""
        addresses = self.value.get(field, {})
        return not isinstance(addresses, dict) or channel in addresses

    def valid_sender(self, channel: str) -> str:
        """The sender that it names for the channel; empty if that is invalid."""
        location = (*self.location, "from")
        if {location, (*location, channel)} & self.invalid.locations:
            return ""
        return str(self.value["from"][channel])

    def content(self, channel: str) -> dict[str, Any] | None:
        """Its content as the channel reads it; None if that is unknown."""
        location = (*self.location, "content")
        general = self.value.get("content", {})
        own = general.get(channel, {}) if isinstance(general, dict) else None
        layer, own_layer = self._layer(general, location), self._layer(own, (*location, channel))
        if layer is None or own_layer is None:
            return None
        return {**layer, channel: own_layer}

    def _layer(self, value: object, location: Location) -> dict[str, Any] | None:
        if not isinstance(value, dict) or location in self.invalid.locations:
            return None
        return {**value, **dict.fromkeys(self.invalid.holding.get(location, ()), _STAND_IN)}


@dataclass(frozen=True, slots=True)
class _StepChannel:
    """A step of the request with one of its channels."""

    request: _Part
    step: _Part
    channel: str

    def problems(self, senders: Mapping[str, str], *, needs_content: bool) -> Iterator[Problem]:
        channel = self.channel
        if not self._may_name("to"):
            yield Problem(self._pointer("to"), f"is required, because a step uses {channel}")
        if not self._may_name("from") and not senders.get(channel):
            detail = "is required, because the stack has no sender for this channel"
            yield Problem(self._pointer("from"), detail)
        if needs_content and (content := self._content()):
            yield from self._content_problems(content, self._sender(senders))

    def _may_name(self, field: str) -> bool:
        return any(part.may_name(field, self.channel) for part in (self.step, self.request))

    def _content(self) -> Content | None:
        general, own = (part.content(self.channel) for part in (self.request, self.step))
        if general is None or own is None:
            return None
        return planned_content({"content": general}, {"content": own}, self.channel)

    def _sender(self, senders: Mapping[str, str]) -> str:
        """Empty if there is none, or if it is unknown because `from` is invalid."""
        for part in (self.step, self.request):
            if part.may_name("from", self.channel):
                return part.valid_sender(self.channel)
        return senders.get(self.channel, "")

    def _content_problems(self, content: Content, sender: str) -> Iterator[Problem]:
        channel = self.channel
        rules, template = channel_contents()[channel], self._replaced_template(content)
        hint = _REPLACED if template else ""
        if sender and (sentence := rules.sender_problem(content, sender)):
            yield Problem(self._pointer("content"), sentence + hint)
        elif not rules.is_complete(content):
            detail = f"is required: {channel} needs {channels()[channel].needs}"
            yield Problem(self._pointer("content"), detail + hint)
        elif template and rules.keeps_template:
            yield Problem(self._text_pointer(), _ambiguous(channel))
        if content.text and (problem := self._length_problem(content.text)):
            detail = f"{problem}. Use content.{channel}.text for a shorter text"
            yield Problem(self._text_pointer(), detail)

    def _length_problem(self, text: str) -> str | None:
        facts = channels()[self.channel]
        if own := channel_contents()[self.channel].length_problem:
            return own(text)
        if facts.max_text is None or len(text) <= facts.max_text:
            return None
        return f"has {len(text)} characters; the maximum for {self.channel} is {facts.max_text}"

    def _replaced_template(self, content: Content) -> bool:
        """Whether a general text, subject or HTML of the step replaces the request's template."""
        general, own = (part.content(self.channel) or {} for part in (self.request, self.step))
        return "template" in general.get(self.channel, {}) and not (
            content.template or own.get(self.channel)
        )

    def _pointer(self, field: str) -> str:
        """Where to add it: in the step if it has this field, otherwise in the request."""
        holder = self.step if field in self.step.value else self.request
        return "".join(f"/{part}" for part in (*holder.location, field, self.channel))

    def _text_pointer(self) -> str:
        own = "text" in self.step.value.get("content", {})
        holder = self.step if own else self.request
        return "".join(f"/{part}" for part in (*holder.location, "content", "text"))
