"""One call to a provider's API: its request and response, its receipts and the replies to it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from simulator.aws_model import AwsOperation, Json
from simulator.provider import (
    AcceptedMessage,
    PhoneState,
    Provider,
    ProviderRequest,
    RecipientReply,
    ScheduledReceipt,
    iso,
)

MAX_LISTED_TEXT = 10_000
# Enough to show an email: Gmail clips longer ones too. A multiple of four, for base64.
MAX_STORED_TEXT = 100_000
_STATE_ORDER = list(PhoneState)


@dataclass(kw_only=True)
class Publication:
    """An event for the topic; `settled` is set once it is published, failed or cancelled."""

    published_at: datetime | None = None
    failure: str | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class SimulatedReceipt(Publication):
    """One receipt: pending until it is issued, which is when it takes effect, or cancelled."""

    receipt_type: str
    due_at: datetime
    happened_at: datetime | None = None
    issued: bool = False
    cancelled: bool = False

    @property
    def pending(self) -> bool:
        return not self.issued and not self.cancelled

    def cancel(self) -> None:
        self.cancelled = True
        self.settled.set()

    def as_json(self) -> Json:
        return {
            "receipt": self.receipt_type,
            "due_at": iso(self.due_at),
            "published_at": _iso_or_none(self.published_at),
            "failure": self.failure,
            "cancelled": self.cancelled,
        }


@dataclass
class InboundReply(Publication):
    """A recipient's reply, on its way to the topic."""

    reply: RecipientReply

    def as_json(self, provider_id: str) -> Json:
        """As a thread shows it, with the ID of the message that it replies to."""
        return {
            "kind": "reply",
            "id": self.reply.id,
            "answers": provider_id,
            "at": iso(self.reply.at),
            "text": self.reply.text,
            "published_at": _iso_or_none(self.published_at),
            "failure": self.failure,
        }


@dataclass
class ProviderCall:
    """One call, from its request to its last receipt. `no_receipts_reason` says why none come,
    `feedback` what the sender reported of the message.
    """

    provider: Provider
    received_at: datetime
    body: Json
    request: ProviderRequest | None = None
    scenario: str | None = None
    message: AcceptedMessage | None = None
    responded_at: datetime | None = None
    response: Json | None = None
    no_receipts_reason: str | None = None
    feedback: str | None = None
    silent: bool = False
    receipts: list[SimulatedReceipt] = field(default_factory=list)
    replies: list[InboundReply] = field(default_factory=list)

    @property
    def provider_id(self) -> str | None:
        return None if self.message is None else self.message.provider_id

    @property
    def state(self) -> PhoneState:
        """The current state of the message on the phone."""
        if self.message is None:
            return PhoneState.REFUSED
        states = self.provider.phone.states
        issued = (states[receipt.receipt_type] for receipt in self.receipts if receipt.issued)
        return max(issued, key=_STATE_ORDER.index, default=PhoneState.IN_TRANSIT)

    def expired(self, now: datetime) -> bool:
        """Whether it did not arrive within its time to live. A message with pending receipts has
        not expired: the carrier already has it.
        """
        ttl = None if self.message is None else self.message.request.time_to_live
        if self.message is None or ttl is None or self.state is not PhoneState.IN_TRANSIT:
            return False
        pending = any(receipt.pending for receipt in self.receipts)
        return not pending and now > self.message.accepted_at + timedelta(seconds=ttl.seconds)

    def accept(self, message: AcceptedMessage, receipts: Sequence[ScheduledReceipt]) -> None:
        """Records that the message was accepted, and which receipts are scheduled for it."""
        self.message = message
        self.receipts = [_simulated(message, receipt) for receipt in receipts]

    def respond(self, at: datetime, response: Json) -> None:
        self.responded_at = at
        self.response = response

    def belongs_to(self, message_id: str) -> bool:
        """Whether this is the provider's ID, or an identifier in what the sender has echoed."""
        echoed = () if self.request is None else self.request.echo.values()
        return message_id == self.provider_id or any(
            text == message_id or text.startswith(f"{message_id}.") for text in echoed
        )

    def as_json(self) -> Json:
        return {
            "channel": self.provider.channel,
            "operation": self.provider.operation.name,
            "to": None if self.request is None else self.request.to,
            "scenario": self.scenario,
            "provider_id": self.provider_id,
            "echo": {} if self.request is None else dict(self.request.echo),
            "asked_at": iso(self.received_at),
            "request": _map_texts(self.body, _listed_text),
            "answered_at": _iso_or_none(self.responded_at),
            "answer": self.response,
            "note": self.no_receipts_reason,
            "feedback": self.feedback,
            "receipts": [receipt.as_json() for receipt in self.receipts],
        }


class MessageOperation(Protocol):
    """An API operation on a message that was sent before."""

    @property
    def operation(self) -> AwsOperation: ...

    def answer(self, body: Json, find: Callable[[str], ProviderCall | None]) -> Json:
        """The response; `find` returns the call with the provider's ID of a message. Raises the
        AwsError that AWS would return.
        """


def without_long_texts(body: Json) -> Json:
    """The same with very long texts cut: many calls are stored, and an email can have 40 MB."""
    return _map_texts(body, _stored_text)


def _stored_text(text: str) -> str:
    if len(text) <= MAX_STORED_TEXT:
        return text
    return f"{text[:MAX_STORED_TEXT]}… ({len(text)} characters)"


def _listed_text(text: str) -> str:
    """A stored text, cut for a list of calls; it keeps the note of its original length."""
    if len(text) <= MAX_LISTED_TEXT:
        return text
    return text[:MAX_LISTED_TEXT] + (text[MAX_STORED_TEXT:] or f"… ({len(text)} characters)")


def _map_texts(body: Json, change: Callable[[str], str]) -> Json:
    return {name: _map_text(item, change) for name, item in body.items()}


def _map_text(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, dict):
        return _map_texts(value, change)
    if isinstance(value, list):
        return [_map_text(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def _simulated(message: AcceptedMessage, receipt: ScheduledReceipt) -> SimulatedReceipt:
    accepted, happened = message.accepted_at, receipt.happened_seconds
    return SimulatedReceipt(
        receipt.receipt_type,
        due_at=accepted + timedelta(seconds=receipt.after_seconds),
        happened_at=None if happened is None else accepted + timedelta(seconds=happened),
    )


def _iso_or_none(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
