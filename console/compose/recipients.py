"""Whom the simulated carriers know: one recipient for everything that a recipient can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from messaging.domain.messages import CHANNELS

# Somebody of whom no scenario says anything, so that the channel's default applies.
ANYBODY = {"whatsapp": "+14255550100", "sms": "+14255550100", "email": "ana@example.com"}
# The three digits that a pattern leaves open: an area code with numbers for fiction.
_AREA = "425"


@dataclass(frozen=True)
class Scenario:
    """Something that a recipient can do, in a word and a sentence, and one who does it."""

    name: str
    says: str
    to: str

    @property
    def title(self) -> str:
        """`not on whatsapp` as people write it."""
        return self.name.replace("_", " ").replace("whatsapp", "WhatsApp")


@dataclass(frozen=True)
class Behaviours:
    """What the recipients of one channel do, as the carriers' `GET /scenarios` has it."""

    default: str
    recipients: Mapping[str, str]
    scenarios: tuple[Scenario, ...]

    @classmethod
    def read(cls, channel: str, told: Mapping[str, Any]) -> "Behaviours":
        default, recipients = told["default"], told["recipients"]
        known = {name: _plain(to) for to, name in reversed(recipients.items())}
        if not any(fnmatchcase(ANYBODY[channel], to) for to in recipients):
            known[default] = ANYBODY[channel]
        ordered = sorted(told["scenarios"].items(), key=lambda one: one[0] != default)
        scenarios = (
            Scenario(name, one["says"], known[name]) for name, one in ordered if name in known
        )
        return cls(default, recipients, tuple(scenarios))

    def of(self, to: str) -> Scenario | None:
        """What this recipient does; None where nobody is named or it is not one of the list."""
        if not to:
            return None
        exact = self.recipients.get(_unlabelled(to))
        fitting = (name for one, name in self.recipients.items() if fnmatchcase(to, one))
        return self.named(exact or next(fitting, self.default))

    def named(self, name: str) -> Scenario | None:
        return next((one for one in self.scenarios if one.name == name), None)


def by_channel(told: Mapping[str, Any]) -> Mapping[str, Behaviours]:
    """By channel, from what the carriers tell of their scenarios."""
    return {channel: Behaviours.read(channel, told[channel]) for channel in CHANNELS}


def _plain(to: str) -> str:
    return to.replace("???", _AREA)


def _unlabelled(to: str) -> str:
    """An address as the carriers list it: in small letters, without its `+label`."""
    local, at, domain = to.lower().partition("@")
    return f"{local.partition('+')[0]}@{domain}" if at else to
