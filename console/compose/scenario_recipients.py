"""Recipients for the simulated providers' scenarios: one for everything that can happen."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from console import words
from messaging.channels.catalog import channels

# For each kind of address one that no scenario names, so that the channel's default applies.
SAMPLE_ADDRESSES: Final = {"phone": "+14255550100", "email": "ana@example.com"}
# The three digits that a pattern leaves open: an area code with numbers for fiction.
_AREA = "425"


@dataclass(frozen=True)
class ScenarioRecipient:
    """A scenario, its description, and a recipient for whom it applies."""

    name: str
    description: str
    to: str

    @property
    def title(self) -> str:
        """`not_on_whatsapp` as `not on WhatsApp`."""
        return " ".join(map(words.channel, self.name.split("_")))


@dataclass(frozen=True)
class RecipientScenarios:
    """The scenarios of one channel, from the simulator's `GET /scenarios`."""

    default: str
    recipients: Mapping[str, str]
    choices: tuple[ScenarioRecipient, ...]

    @classmethod
    def read(cls, channel: str, document: Mapping[str, Any]) -> "RecipientScenarios":
        default, recipients = document["default"], document["recipients"]
        known = {name: to.replace("???", _AREA) for to, name in reversed(recipients.items())}
        sample = sample_address(channel)
        if not any(fnmatchcase(sample, to) for to in recipients):
            known[default] = sample
        ordered = sorted(document["scenarios"].items(), key=lambda one: one[0] != default)
        choices = (
            ScenarioRecipient(name, one["says"], known[name])
            for name, one in ordered
            if name in known
        )
        return cls(default, recipients, tuple(choices))

    def of(self, to: str) -> ScenarioRecipient | None:
        """The scenario of this recipient; None where it is empty or not one of the choices."""
        if not to:
            return None
        exact = self.recipients.get(_without_label(to))
        matching = (name for one, name in self.recipients.items() if fnmatchcase(to, one))
        return self.named(exact or next(matching, self.default))

    def named(self, name: str) -> ScenarioRecipient | None:
        return next((one for one in self.choices if one.name == name), None)


def scenarios_by_channel(document: Mapping[str, Any]) -> Mapping[str, RecipientScenarios]:
    return {
        channel: RecipientScenarios.read(channel, document[channel])
        for channel in channels()
        if channel in document
    }


def sample_address(channel: str) -> str:
    return SAMPLE_ADDRESSES[channels()[channel].address]


def _without_label(to: str) -> str:
    """An address as the simulator lists it: in lower case, without its `+label`."""
    local, at, domain = to.lower().partition("@")
    return f"{local.partition('+')[0]}@{domain}" if at else to
