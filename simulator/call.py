"""One call to a provider's API: what was asked and answered, what was reported, what came back."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.aws_model import Json
from simulator.provider import Asked, Due, Provider, Reply, State, Taken, iso

LONGEST_TEXT = 10_000
# Enough to show a mail: Gmail cuts longer ones too. It is whole blocks of base64.
KEPT_TEXT = 100_000
_ORDER = list(State)


@dataclass(kw_only=True)
class Publication:
    """Something for the topic; `over` is set when it was published, given up or cancelled."""

    published_at: datetime | None = None
    failure: str | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Receipt(Publication):
    """One receipt: pending until it goes out, for what it tells happens then, or is cancelled."""

    word: str
    due_at: datetime
    happened_at: datetime | None = None
    out: bool = False
    cancelled: bool = False

    @property
    def pending(self) -> bool:
        return not self.out and not self.cancelled

    def cancel(self) -> None:
        self.cancelled = True
        self.over.set()

    def as_json(self) -> Json:
        return {
            "receipt": self.word,
            "due_at": iso(self.due_at),
            "published_at": _iso_or_none(self.published_at),
            "failure": self.failure,
            "cancelled": self.cancelled,
        }


@dataclass
class Inbound(Publication):
    """What the recipient wrote back."""

    reply: Reply

    def as_json(self, answers: str) -> Json:
        """As a thread shows it, with the id of the message that it answers."""
        return {
            "kind": "reply",
            "id": self.reply.id,
            "answers": answers,
            "at": iso(self.reply.at),
            "text": self.reply.text,
            "published_at": _iso_or_none(self.published_at),
            "failure": self.failure,
        }


@dataclass
class Call:
    """One call, and what became of it."""

    provider: Provider
    asked_at: datetime
    request: Json
    asked: Asked | None = None
    scenario: str | None = None
    taken: Taken | None = None
    answered_at: datetime | None = None
    answer: Json | None = None
    note: str | None = None
    silent: bool = False
    receipts: list[Receipt] = field(default_factory=list)
    replies: list[Inbound] = field(default_factory=list)

    @property
    def provider_id(self) -> str | None:
        return None if self.taken is None else self.taken.provider_id

    @property
    def state(self) -> State:
        """What the phone has of it by now."""
        if self.taken is None:
            return State.REFUSED
        states = self.provider.phone.states
        told = (states[receipt.word] for receipt in self.receipts if receipt.out)
        return max(told, key=_ORDER.index, default=State.ON_ITS_WAY)

    def expired(self, now: datetime) -> bool:
        """Whether it did not arrive in its time to live; if more is to come, the carrier has it."""
        ttl = None if self.taken is None else self.taken.asked.ttl_seconds
        if self.taken is None or ttl is None or self.state is not State.ON_ITS_WAY:
            return False
        waiting = any(receipt.pending for receipt in self.receipts)
        return not waiting and now > self.taken.at + timedelta(seconds=ttl)

    def expect(self, taken: Taken, dues: Sequence[Due]) -> None:
        """Notes that the message was taken, and which receipts will come."""
        self.taken = taken
        self.receipts = [_receipt(taken, due) for due in dues]

    def answered(self, at: datetime, answer: Json) -> None:
        self.answered_at = at
        self.answer = answer

    def belongs_to(self, message_id: str) -> bool:
        """Whether this is that message: by the provider's id, or by what the sender had echoed."""
        echoed = () if self.asked is None else self.asked.echo.values()
        return message_id == self.provider_id or any(
            text == message_id or text.startswith(f"{message_id}.") for text in echoed
        )

    def as_json(self) -> Json:
        return {
            "channel": self.provider.channel,
            "operation": self.provider.operation.name,
            "to": None if self.asked is None else self.asked.to,
            "scenario": self.scenario,
            "provider_id": self.provider_id,
            "echo": {} if self.asked is None else dict(self.asked.echo),
            "asked_at": iso(self.asked_at),
            "request": _with_texts(self.request, _shortened),
            "answered_at": _iso_or_none(self.answered_at),
            "answer": self.answer,
            "note": self.note,
            "receipts": [receipt.as_json() for receipt in self.receipts],
        }


def kept(request: Json) -> Json:
    """The same with very long texts cut: many calls are remembered, and a mail may be 40 MB."""
    return _with_texts(request, _cut)


def _cut(text: str) -> str:
    return text if len(text) <= KEPT_TEXT else f"{text[:KEPT_TEXT]}… ({len(text)} characters)"


def _shortened(text: str) -> str:
    """What is kept of a text, short enough to be read in a list; it still tells its length."""
    if len(text) <= LONGEST_TEXT:
        return text
    return text[:LONGEST_TEXT] + (text[KEPT_TEXT:] or f"… ({len(text)} characters)")


def _with_texts(request: Json, change: Callable[[str], str]) -> Json:
    return {name: _changed(item, change) for name, item in request.items()}


def _changed(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, dict):
        return _with_texts(value, change)
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def _receipt(taken: Taken, due: Due) -> Receipt:
    happened = None if due.happened is None else taken.at + timedelta(seconds=due.happened)
    return Receipt(due.receipt, taken.at + timedelta(seconds=due.after), happened)


def _iso_or_none(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
