"""The scenarios: which response a recipient's call gets and which receipts follow, and when."""

import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.aws_model import AwsError, Json
from simulator.channels import scenarios_file
from simulator.provider import Provider, ScheduledReceipt, check_receipt_type

SHARED_FILE = Path(__file__).with_name("scenarios.toml")
MAX_AFTER_SECONDS = 259_200.0
MAX_DELAY_SECONDS = 300.0


class InvalidScenarios(ValueError):
    """The scenarios cannot be used; the message has one line for each invalid entry."""


class ScenarioEntry(BaseModel):
    """A part of a scenarios file; it allows no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScenarioReceipt(ScenarioEntry):
    """One receipt: its type, in the provider's words, and when it is published."""

    receipt: str
    after_seconds: float = Field(default=0, ge=0, le=MAX_AFTER_SECONDS)
    happened_seconds: float | None = Field(default=None, ge=0, le=MAX_AFTER_SECONDS)
    despite_ttl: bool = False

    def scheduled(self, speed: float) -> ScheduledReceipt:
        happened = self.happened_seconds
        return ScheduledReceipt(
            after_seconds=self.after_seconds / speed,
            receipt_type=self.receipt,
            happened_seconds=None if happened is None else happened / speed,
            despite_ttl=self.despite_ttl,
        )


class ScenarioResponse(ScenarioEntry):
    """The response to the call; by default the message is accepted and its ID returned."""

    error: str | None = None
    message: str | None = None
    members: Mapping[str, str] = {}
    times: int | None = Field(default=None, ge=1)
    accepted: bool = False
    drop: bool = False
    delay_seconds: float = Field(default=0, ge=0, le=MAX_DELAY_SECONDS)
    after_receipts: int = Field(default=0, ge=0)

    def as_error(self) -> AwsError | None:
        if self.error is None:
            return None
        return AwsError(self.error, self.message or self.error, **self.members)


class RecipientScenario(ScenarioEntry):
    """What happens to the messages of one kind of recipient."""

    says: str
    answer: ScenarioResponse = ScenarioResponse()
    receipts: tuple[ScenarioReceipt, ...] = ()

    def scheduled_receipts(self, speed: float) -> list[ScheduledReceipt]:
        """The receipts in the order of publication, this many times faster."""
        ordered = sorted(self.receipts, key=lambda receipt: receipt.after_seconds)
        return [receipt.scheduled(speed) for receipt in ordered]


class ChannelScenarios(ScenarioEntry):
    """The recipients of one channel and their scenarios."""

    default: str
    recipients: Mapping[str, str] = {}
    scenarios: Mapping[str, RecipientScenario]

    def choose(self, recipient: str) -> str:
        """The name of the recipient's scenario: the exact entry, else the first that matches."""
        if recipient in self.recipients:
            return self.recipients[recipient]
        matching = (
            name for pattern, name in self.recipients.items() if fnmatchcase(recipient, pattern)
        )
        return next(matching, self.default)


class Scenarios(ScenarioEntry):
    """The scenarios of all channels, and the speed of their receipts."""

    speed: float = Field(gt=0, le=1000)
    channels: Mapping[str, ChannelScenarios]

    def at_speed(self, speed: float) -> "Scenarios":
        """The same at another speed; raises InvalidScenarios if it is out of range."""
        try:
            return Scenarios(speed=speed, channels=self.channels)
        except ValidationError as error:
            raise InvalidScenarios(f"speed: {error.errors()[0]['msg']}") from error

    def as_json(self) -> Json:
        """As in a scenarios file: the speed, and a member for each channel."""
        content: Json = self.model_dump(mode="json")
        channels: Json = content.pop("channels")
        return content | channels


class _FileEntry(NamedTuple):
    """The content of one top-level entry, and the file that it comes from."""

    file: Path
    content: object


def load_scenarios(providers: Mapping[str, Provider], file: Path | None = None) -> Scenarios:
    """The channels' own scenarios, or those of the file for the channels that it has; raises
    InvalidScenarios, which names every invalid entry.
    """
    entries = _standard_entries(providers)
    if file is not None:
        entries |= _entries_of(file, known=tuple(entries))
    faults = [
        f"{entries[channel].file}: {channel}.{fault}"
        for channel, provider in providers.items()
        for fault in _channel_faults(entries[channel].content, provider)
    ]
    if faults:
        raise InvalidScenarios("\n".join(faults))
    contents = {name: entry.content for name, entry in entries.items()}
    speed = contents.pop("speed")
    try:
        return Scenarios.model_validate({"speed": speed, "channels": contents})
    except ValidationError as error:
        message = error.errors()[0]["msg"]
        raise InvalidScenarios(f"{entries['speed'].file}: speed: {message}") from error


def _standard_entries(channels: Mapping[str, Provider]) -> dict[str, _FileEntry]:
    entries = _entries_of(SHARED_FILE, known=("speed",))
    for channel in channels:
        file = scenarios_file(channel)
        entries[channel] = _FileEntry(file, _read(file))
    return entries


def _entries_of(file: Path, known: tuple[str, ...]) -> dict[str, _FileEntry]:
    content = _read(file)
    if unknown := [name for name in content if name not in known]:
        raise InvalidScenarios(
            "\n".join(f"{file}: {name}: unknown; known are {', '.join(known)}" for name in unknown)
        )
    return {name: _FileEntry(file, value) for name, value in content.items()}


def _read(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidScenarios(f"{file}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidScenarios(f"{file}: is not TOML: {error}") from error


def _channel_faults(content: object, provider: Provider) -> Iterator[str]:
    try:
        channel = ChannelScenarios.model_validate(content)
    except ValidationError as error:
        for fault in error.errors():
            yield f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
    else:
        yield from _name_faults(channel, provider)


def _name_faults(channel: ChannelScenarios, provider: Provider) -> Iterator[str]:
    """What the shape of the file cannot express: the names of scenarios, receipts and errors."""
    named = {"default": channel.default}
    named |= {f'recipients."{to}"': name for to, name in channel.recipients.items()}
    for place, name in named.items():
        if name not in channel.scenarios:
            yield f"{place}: there is no scenario '{name}'"
    for name, scenario in channel.scenarios.items():
        for fault in _scenario_faults(scenario, provider):
            yield f"scenarios.{name}.{fault}"


def _scenario_faults(scenario: RecipientScenario, provider: Provider) -> Iterator[str]:
    for number, receipt in enumerate(scenario.receipts):
        try:
            check_receipt_type(provider, receipt.receipt)
        except ValueError as error:
            yield f"receipts.{number}.receipt: {error}"
    answer = scenario.answer
    if answer.error is not None:
        try:
            provider.operation.check_error(answer.error, answer.members)
        except ValueError as error:
            yield f"answer.error: {error}"
    yield from _response_faults(answer, len(scenario.receipts))


def _response_faults(answer: ScenarioResponse, receipts: int) -> Iterator[str]:
    needs_error = answer.message or answer.members or answer.times or answer.accepted
    if answer.error is None and needs_error:
        yield "answer: message, members, times and accepted describe an error, which is missing"
    if answer.error is not None and answer.drop:
        yield "answer: a dropped connection returns no error: use either error or drop"
    if answer.accepted and answer.times:
        yield "answer: use either times (rejected this often) or accepted (sent despite the error)"
    if answer.after_receipts > receipts:
        yield f"answer.after_receipts: there are only {receipts} receipts"
