"""What the simulator needs of a channel's provider: its API, its receipts and its phone."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from simulator.aws_model import AwsOperation, Json


@dataclass(frozen=True)
class AwsAccount:
    """The account and the region that the receipts name."""

    id: str
    region: str

    @classmethod
    def of_topic(cls, topic_arn: str) -> "AwsAccount":
        """The account of `arn:aws:sns:REGION:ACCOUNT:NAME`; raises ValueError for anything else."""
        match topic_arn.split(":"):
            case ["arn", _, "sns", region, account, name] if region and account and name:
                return cls(account, region)
        raise ValueError(f"'{topic_arn}' is not the ARN of an SNS topic")

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.id}:{resource}"


@dataclass(frozen=True)
class ScheduledReceipt:
    """A receipt to publish; both times are in seconds after the message was accepted."""

    after_seconds: float
    receipt_type: str
    happened_seconds: float | None = None
    despite_ttl: bool = False


@dataclass(frozen=True)
class TimeToLive:
    """How long the provider tries to deliver a message; the receipt types in progress are those
    that are not a result, and `expired` is the one of a message without a result by then.
    """

    seconds: float
    in_progress: Collection[str]
    expired: str

    def apply(self, receipts: Sequence[ScheduledReceipt]) -> Sequence[ScheduledReceipt]:
        """The receipts as the time to live changes them.

        It does not apply to a message that already has its result, nor to one whose receipt is
        `despite_ttl` (the carrier has the message, only its receipt is late).
        """
        in_time: list[ScheduledReceipt] = []
        for receipt in receipts:
            if receipt.after_seconds > self.seconds and not receipt.despite_ttl:
                return [*in_time, ScheduledReceipt(self.seconds, self.expired)]
            in_time.append(receipt)
            if receipt.receipt_type not in self.in_progress:
                return receipts
        return in_time


@dataclass(frozen=True)
class ProviderRequest:
    """A valid request to a provider's API, with what the simulator needs from it.

    `echo` is what the sender asked the provider to repeat in each receipt; `message_id` and
    `attempt` are the sender's own identifiers in it. `listed_as` is the address as the scenarios
    list it, where that is not `to`. `rejection` is the receipt type of a request that the provider
    accepts and then rejects for what is in it, whatever the recipient's scenario.
    """

    body: Json
    to: str
    echo: Mapping[str, str] = field(default_factory=dict)
    message_id: str | None = None
    attempt: str | None = None
    listed_as: str | None = None
    rejection: str | None = None
    publishes_events: bool = True
    dry_run: bool = False
    time_to_live: TimeToLive | None = None


@dataclass(frozen=True)
class AcceptedMessage:
    """A message that the provider accepted, and the ID that it returned for it."""

    request: ProviderRequest
    provider_id: str
    accepted_at: datetime


class PhoneState(StrEnum):
    """The state of a message on the recipient's phone, lowest first: of several receipts, the one
    with the highest state decides.
    """

    REFUSED = "refused"
    IN_TRANSIT = "on_its_way"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"
    COMPLAINED = "complained"


@dataclass(frozen=True)
class PhoneView:
    """How a channel's messages look on a phone, and the receipt types of what a recipient does.

    `sender` and `content` read the body of a request. `states` has every receipt type. `refusals`
    has the meaning of each receipt type that a refusal can cause, the default one first.
    `unsupported` has a reason for each action that the channel does not have.
    """

    sender: Callable[[Json], str]
    content: Callable[[Json], Json]
    states: Mapping[str, PhoneState]
    refusals: Mapping[str, str]
    delivered: str
    read: str | None = None
    complaint: str | None = None
    unsupported: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecipientReply:
    """What a recipient writes in reply to a message."""

    id: str
    text: str
    at: datetime


class TwoWayMessaging(Protocol):
    """How a provider publishes the replies of recipients."""

    @property
    def max_length(self) -> int:
        """The maximum number of characters in a reply."""

    def unavailable(self, body: Json) -> str | None:
        """Why the sender of this message cannot receive replies; None if it can."""

    def new_reply_id(self, message: AcceptedMessage) -> str: ...

    def reply_event(self, message: AcceptedMessage, reply: RecipientReply) -> Json:
        """What the provider publishes to the topic."""


class Provider(Protocol):
    """The provider of one channel: how it reads requests and writes responses and receipts."""

    @property
    def channel(self) -> str: ...

    @property
    def operation(self) -> AwsOperation:
        """The API operation that sends a message; it also says where the API takes requests."""

    @property
    def throttling_error(self) -> str:
        """The exception that this API returns when it is throttled."""

    def parse(self, body: Json) -> ProviderRequest:
        """The request, validated; raises the AwsError that AWS would return."""

    def new_provider_id(self) -> str: ...

    def response(self, provider_id: str) -> Json: ...

    def receipt_event(self, message: AcceptedMessage, receipt_type: str, at: datetime) -> Json:
        """What the provider publishes to the topic."""

    @property
    def phone(self) -> PhoneView: ...

    @property
    def two_way(self) -> TwoWayMessaging | None:
        """None if the provider publishes no replies."""


def check_receipt_type(provider: Provider, receipt_type: str) -> None:
    """Raises ValueError, with the known types, if the provider has no such receipt."""
    known = provider.phone.states
    if receipt_type not in known:
        raise ValueError(
            f"there is no receipt '{receipt_type}'; the receipts are {', '.join(known)}"
        )


def iso(at: datetime, digits: int = 3) -> str:
    """`2026-01-02T00:00:03.240Z`: UTC with that many decimal places in the seconds."""
    moment = at.astimezone(UTC)
    fraction = f"{moment.microsecond:06d}".ljust(digits, "0")[:digits]
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction}Z"


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
