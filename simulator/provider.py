"""What the three providers have in common: how a request is read and a receipt is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from simulator.aws_model import Json, Operation


@dataclass(frozen=True)
class Account:
    """Whose messages these are: the account and region that the receipts name."""

    id: str
    region: str

    @classmethod
    def of_topic(cls, topic_arn: str) -> "Account":
        """The account of `arn:aws:sns:REGION:ACCOUNT:NAME`; raises ValueError for anything else."""
        match topic_arn.split(":"):
            case ["arn", _, "sns", region, account, name] if region and account and name:
                return cls(account, region)
        raise ValueError(f"'{topic_arn}' is not the ARN of an SNS topic")

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.id}:{resource}"


@dataclass(frozen=True)
class Asked:
    """A request that AWS would take, with what the carriers need of it."""

    request: Json
    to: str
    echo: Mapping[str, str]
    publishes: bool = True
    dry_run: bool = False
    ttl_seconds: int | None = None


@dataclass(frozen=True)
class Taken:
    """A message a provider has taken, under the id it gave it."""

    asked: Asked
    provider_id: str
    at: datetime


@dataclass(frozen=True)
class Due:
    """A receipt to come: seconds after the message was taken, in the provider's word."""

    after: float
    receipt: str
    happened: float | None = None
    despite_ttl: bool = False


class State(StrEnum):
    """What the phone has of a message, from least to most: out of several receipts the last in
    this order tells.
    """

    REFUSED = "refused"
    ON_ITS_WAY = "on_its_way"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"
    COMPLAINED = "complained"


@dataclass(frozen=True)
class Phone:
    """How a provider's messages look on a phone, and its words for what a person does with them.

    `refusals` says what each word means, the one that is taken if none is named first.
    """

    sender: Callable[[Json], str]
    shown: Callable[[Json], Json]
    states: Mapping[str, State]
    refusals: Mapping[str, str]
    delivered: str
    read: str | None = None
    complaint: str | None = None


@dataclass(frozen=True)
class Reply:
    """What a person writes back to a message."""

    id: str
    text: str
    at: datetime


class TwoWay(Protocol):
    """How a provider brings back what a person writes."""

    @property
    def longest(self) -> int: ...

    def why_not(self, request: Json) -> str | None:
        """Why nobody can answer the sender of this message; None if one can."""

    def new_id(self, taken: Taken) -> str: ...

    def event(self, taken: Taken, reply: Reply) -> Json:
        """What the provider publishes to the topic."""


class Provider(Protocol):
    """One provider API, seen from behind its counter."""

    @property
    def channel(self) -> str: ...

    @property
    def operation(self) -> Operation: ...

    @property
    def throttled(self) -> str:
        """The exception with which this API says that it is busy."""

    def read(self, body: Json) -> Asked:
        """The request, checked; raises AwsError as AWS would answer it."""

    def new_id(self) -> str: ...

    def answer(self, provider_id: str) -> Json: ...

    def check_receipt(self, word: str) -> None:
        """Raises ValueError with the known words if this provider has no such receipt."""

    def plan(self, asked: Asked, dues: Sequence[Due]) -> Sequence[Due]:
        """The receipts as this request lets them come."""

    def event(self, taken: Taken, word: str, at: datetime) -> Json:
        """What the provider publishes to the topic."""

    @property
    def phone(self) -> Phone: ...

    @property
    def two_way(self) -> TwoWay | None:
        """None if the provider tells a topic of no answers."""


def check_word(word: str, known: Sequence[str]) -> None:
    """Raises ValueError that lists the words there are."""
    if word not in known:
        raise ValueError(f"there is no receipt '{word}'; there are {', '.join(known)}")


def iso(at: datetime, digits: int = 3) -> str:
    """`2026-01-02T00:00:03.240Z`: UTC with that many digits of a second."""
    moment = at.astimezone(UTC)
    fraction = f"{moment.microsecond:06d}".ljust(digits, "0")[:digits]
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction}Z"


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
