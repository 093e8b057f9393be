"""The form: its fields and what was entered in them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from starlette.datastructures import FormData

from console import words
from console.compose.request_fields import CHOICES, FIELDS
from messaging.channels.catalog import channels

# What is sent beside the request, and the JSON for which there is no field.
IDEMPOTENCY_KEY, MORE = "idempotency_key", "more"
NAMES: Final = (*FIELDS, *CHOICES, IDEMPOTENCY_KEY, MORE)
BROADCAST: Final = "broadcast"

WHOLE_NUMBER = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_KEY = re.compile(r"[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True)
class FormStep:
    """One step as entered. `key` identifies it wherever it moves.

    `channel` is a channel's name, or `broadcast`, which then sends on the channels in `broadcast`.
    """

    key: int
    channel: str = ""
    broadcast: tuple[str, ...] = ()
    wait_seconds: str = ""
    success: str = ""
    more: str = ""

    @classmethod
    def posted(cls, data: FormData, key: int) -> Self:
        place = f"/steps/{key}"
        names = ("channel", "wait_seconds", "success", "more")
        selected = (str(one) for one in data.getlist(f"{place}/broadcast"))
        return cls(
            key,
            broadcast=tuple(one for one in selected if one in channels()),
            **{name: _posted(data, f"{place}/{name}") for name in names},
        )

    def request_step(self) -> dict[str, Any]:
        """The step of the request, without what is entered as JSON."""
        step: dict[str, Any] = {}
        if self.channel == BROADCAST:
            step["broadcast"] = list(self.broadcast)
        elif self.channel:
            step["channel"] = self.channel
        if self.wait_seconds:
            step["wait_seconds"] = number(self.wait_seconds)
        if self.success:
            step["success"] = self.success
        return step

    @property
    def channel_options(self) -> list[tuple[str, str]]:
        """What the step can send on, with labels."""
        known = ((channel, words.channel(channel)) for channel in channels())
        unset = [] if self.channel else [("", "choose …")]
        return [*unset, *known, (BROADCAST, "several at once")]

    @property
    def checkboxes(self) -> tuple[str, ...]:
        """All channels: first those of the broadcast, in its order."""
        return self.broadcast + tuple(one for one in channels() if one not in self.broadcast)


@dataclass(frozen=True)
class MessageForm:
    """Everything that was entered. The server keeps no other state between two requests."""

    values: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[FormStep, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @classmethod
    def posted(cls, data: FormData) -> Self:
        """Accepts any form data; unknown names are ignored."""
        keys = dict.fromkeys(one for one in data.getlist("step") if _KEY.fullmatch(str(one)))
        names, values = _column(data, "metadata_name"), _column(data, "metadata_value")
        return cls(
            {name: _posted(data, name) for name in NAMES},
            tuple(FormStep.posted(data, int(str(key))) for key in keys),
            tuple(zip(names, values, strict=False)),
        )

    def has_any(self, names: Iterable[str]) -> bool:
        return any(self[name] for name in names)

    def has_json(self) -> bool:
        """Whether parts of the request are JSON, since the form has no fields for them."""
        return bool(self[MORE] or any(step.more for step in self.steps))


def number(text: str) -> int | str:
    """The number that was entered. Other text stays text, which the API then rejects."""
    return int(text) if WHOLE_NUMBER.fullmatch(text) else text


def _posted(data: FormData, name: str) -> str:
    value = data.get(name, "")
    return _line_breaks(value) if isinstance(value, str) else ""


def _column(data: FormData, name: str) -> list[str]:
    return [_line_breaks(one) for one in data.getlist(name) if isinstance(one, str)]


def _line_breaks(text: str) -> str:
    """A browser sends each line break as CR and LF."""
    return text.replace("\r\n", "\n")
