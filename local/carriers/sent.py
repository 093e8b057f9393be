"""What went out: every call with its answer and its receipts, the newest few thousand of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.carriers.aws_model import Json
from local.carriers.provider import Asked, Due, Provider, Taken, iso

KEPT = 10_000
LONGEST_TEXT = 10_000


@dataclass
class Receipt:
    """One receipt on its way; `over` is set when it was published or given up."""

    word: str
    due_at: datetime
    happened_at: datetime | None = None
    published_at: datetime | None = None
    failure: str | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def as_json(self) -> Json:
        return {
            "receipt": self.word,
            "due_at": iso(self.due_at),
            "published_at": _iso_or_none(self.published_at),
            "failure": self.failure,
        }


@dataclass
class Call:
    """One call to a provider's API, and what became of it."""

    provider: Provider
    asked_at: datetime
    request: Json
    asked: Asked | None = None
    scenario: str | None = None
    taken: Taken | None = None
    answered_at: datetime | None = None
    answer: Json | None = None
    note: str | None = None
    receipts: list[Receipt] = field(default_factory=list)

    @property
    def provider_id(self) -> str | None:
        return None if self.taken is None else self.taken.provider_id

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
            "request": self.request,
            "answered_at": _iso_or_none(self.answered_at),
            "answer": self.answer,
            "note": self.note,
            "receipts": [receipt.as_json() for receipt in self.receipts],
        }


@dataclass(frozen=True)
class Filter:
    """Which calls somebody wants to see; what is None does not matter."""

    channel: str | None = None
    to: str | None = None
    message_id: str | None = None

    def lets_through(self, call: Call) -> bool:
        to = None if call.asked is None else call.asked.to
        return (
            self.channel in (None, call.provider.channel)
            and self.to in (None, to)
            and (self.message_id is None or call.belongs_to(self.message_id))
        )


class Sent:
    """The calls in the order they came; when there are too many, the oldest go."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._calls: dict[int, Call] = {}
        self._by_id: dict[str, Call] = {}

    def add(self, call: Call) -> None:
        self._calls[id(call)] = call
        while len(self._calls) > self._kept:
            oldest = self._calls.pop(next(iter(self._calls)))
            self._by_id.pop(oldest.provider_id or "", None)

    def under_id(self, call: Call) -> None:
        """Makes a call that is listed findable by the provider's id, which it has by now."""
        if id(call) in self._calls and call.provider_id is not None:
            self._by_id[call.provider_id] = call

    def find(self, provider_id: str) -> Call | None:
        return self._by_id.get(provider_id)

    def newest(self, wanted: Filter, limit: int) -> list[Call]:
        """The newest calls that the filter lets through, newest last."""
        found = [call for call in self._calls.values() if wanted.lets_through(call)]
        return found[-limit:]

    def clear(self) -> None:
        self._calls.clear()
        self._by_id.clear()


def shortened(request: Json) -> Json:
    """The same with very long texts cut: an attachment says nothing to a reader."""
    return {name: _short(item) for name, item in request.items()}


def _short(value: object) -> object:
    if isinstance(value, dict):
        return shortened(value)
    if isinstance(value, list):
        return [_short(item) for item in value]
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    return value


def _receipt(taken: Taken, due: Due) -> Receipt:
    happened = None if due.happened is None else taken.at + timedelta(seconds=due.happened)
    return Receipt(due.receipt, taken.at + timedelta(seconds=due.after), happened)


def _iso_or_none(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
