"""The scenario language: how a call is answered, and which receipts follow when, by recipient."""

import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.aws_model import AwsError
from simulator.provider import Due, Provider

STANDARD = Path(__file__).with_name("scenarios.toml")
LONGEST_AFTER_SECONDS = 259_200.0
LONGEST_ANSWER_SECONDS = 300.0


class ScenariosWrong(ValueError):
    """The scenarios file cannot be used; the message has one line for each wrong entry."""


class Entry(BaseModel):
    """A part of the file: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TimedReceipt(Entry):
    """One receipt: so many seconds after the message was taken, in the provider's word."""

    receipt: str
    after_seconds: float = Field(default=0, ge=0, le=LONGEST_AFTER_SECONDS)
    happened_seconds: float | None = Field(default=None, ge=0, le=LONGEST_AFTER_SECONDS)
    despite_ttl: bool = False


class Answer(Entry):
    """How the call itself is answered: as it stands, the message is taken and the id comes back."""

    error: str | None = None
    message: str | None = None
    members: Mapping[str, str] = {}
    times: int | None = Field(default=None, ge=1)
    accepted: bool = False
    drop: bool = False
    delay_seconds: float = Field(default=0, ge=0, le=LONGEST_ANSWER_SECONDS)
    after_receipts: int = Field(default=0, ge=0)

    def as_error(self) -> AwsError | None:
        if self.error is None:
            return None
        return AwsError(self.error, self.message or self.error, **self.members)


class Scenario(Entry):
    """What one kind of recipient does."""

    says: str
    answer: Answer = Answer()
    receipts: tuple[TimedReceipt, ...] = ()

    def dues(self, speed: float) -> list[Due]:
        """The receipts in the order they are published, at that many times their speed."""
        ordered = sorted(self.receipts, key=lambda receipt: receipt.after_seconds)
        return [_due(receipt, speed) for receipt in ordered]


class ChannelScenarios(Entry):
    """One channel's recipients and what they do."""

    default: str
    recipients: Mapping[str, str] = {}
    scenarios: Mapping[str, Scenario]

    def choose(self, to: str) -> str:
        """The name of the recipient's scenario: the exact entry, else the first that fits."""
        plain = _without_label(to)
        if plain in self.recipients:
            return self.recipients[plain]
        fitting = (name for known, name in self.recipients.items() if fnmatchcase(plain, known))
        return next(fitting, self.default)


class Scenarios(Entry):
    """The whole file."""

    speed: float = Field(default=1, gt=0, le=1000)
    sms: ChannelScenarios
    whatsapp: ChannelScenarios
    email: ChannelScenarios

    def at_speed(self, speed: float) -> "Scenarios":
        """The same at another speed; raises ScenariosWrong if it is none."""
        try:
            return Scenarios.model_validate(self.model_dump() | {"speed": speed})
        except ValidationError as error:
            raise ScenariosWrong(f"speed: {error.errors()[0]['msg']}") from error

    def of(self, channel: str) -> ChannelScenarios:
        return {"sms": self.sms, "whatsapp": self.whatsapp, "email": self.email}[channel]


def load(path: Path, providers: Mapping[str, Provider]) -> Scenarios:
    """The file, checked whole; raises ScenariosWrong that names every wrong entry."""
    try:
        scenarios = Scenarios.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ScenariosWrong(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenariosWrong(f"{path}: is not TOML: {error}") from error
    except ValidationError as error:
        faults = [f"{_dotted(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise _wrong(path, faults) from error
    faults = [fault for provider in providers.values() for fault in _faults(scenarios, provider)]
    if faults:
        raise _wrong(path, faults)
    return scenarios


def _due(receipt: TimedReceipt, speed: float) -> Due:
    happened = receipt.happened_seconds
    return Due(
        after=receipt.after_seconds / speed,
        receipt=receipt.receipt,
        happened=None if happened is None else happened / speed,
        despite_ttl=receipt.despite_ttl,
    )


def _without_label(to: str) -> str:
    """An address as it is listed: small letters, and without the `+label` of its local part."""
    local, at, domain = to.lower().partition("@")
    return f"{local.partition('+')[0]}@{domain}" if at else to


def _wrong(path: Path, faults: list[str]) -> ScenariosWrong:
    return ScenariosWrong("\n".join(f"{path}: {fault}" for fault in faults))


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _faults(scenarios: Scenarios, provider: Provider) -> Iterator[str]:
    """What the shape of the file cannot say: names that exist, in AWS's words and in this file."""
    channel = scenarios.of(provider.channel)
    named = {"default": channel.default}
    named |= {f'recipients."{to}"': name for to, name in channel.recipients.items()}
    for place, name in named.items():
        if name not in channel.scenarios:
            yield f"{provider.channel}.{place}: there is no scenario '{name}'"
    for name, scenario in channel.scenarios.items():
        for fault in _scenario_faults(scenario, provider):
            yield f"{provider.channel}.scenarios.{name}.{fault}"


def _scenario_faults(scenario: Scenario, provider: Provider) -> Iterator[str]:
    for number, timed in enumerate(scenario.receipts):
        try:
            provider.check_receipt(timed.receipt)
        except ValueError as error:
            yield f"receipts.{number}.receipt: {error}"
    answer = scenario.answer
    if answer.error is not None:
        try:
            provider.operation.check_error(answer.error, answer.members)
        except ValueError as error:
            yield f"answer.error: {error}"
    yield from _answer_faults(answer, len(scenario.receipts))


def _answer_faults(answer: Answer, receipts: int) -> Iterator[str]:
    needs_error = answer.message or answer.members or answer.times or answer.accepted
    if answer.error is None and needs_error:
        yield "answer: message, members, times and accepted say more about an error: name the error"
    if answer.error is not None and answer.drop:
        yield "answer: a dropped connection answers no error: give either error or drop"
    if answer.accepted and answer.times:
        yield "answer: give either times (refused so often) or accepted (taken all the same)"
    if answer.after_receipts > receipts:
        yield f"answer.after_receipts: there are only {receipts} receipts"
