"""What the carriers tell of their recipients: who got what, and what became of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

Json = Mapping[str, Any]
LONGEST_GIST = 60
# On the phone; everything else its owner does not see.
ARRIVED = frozenset({"delivered", "read", "complained"})


@dataclass(frozen=True)
class Recipient:
    """A number or an address on one channel, and the last thing that went there or came back."""

    to: str
    channel: str
    messages: int
    replies: int
    last_at: datetime
    state: str
    preview: str

    @classmethod
    def read(cls, told: Json) -> Self:
        return cls(**{**told, "last_at": datetime.fromisoformat(told["last_at"])})


@dataclass(frozen=True)
class Person:
    """Who has this number or address; `threads` newest first, at least one."""

    to: str
    threads: Sequence[Recipient]

    @property
    def newest(self) -> Recipient:
        return self.threads[0]


def persons(recipients: Sequence[Recipient]) -> list[Person]:
    """The recipients, newest first, by the number or address that they share."""
    threads: dict[str, list[Recipient]] = {}
    for recipient in recipients:
        threads.setdefault(recipient.to, []).append(recipient)
    return [Person(to, own) for to, own in threads.items()]


@dataclass(frozen=True)
class Receipt:
    """One receipt in the provider's word; on its way until it is published, failed or cancelled."""

    word: str
    due_at: datetime
    published_at: datetime | None
    failure: str | None
    cancelled: bool

    @classmethod
    def read(cls, told: Json) -> Self:
        return cls(
            told["receipt"],
            datetime.fromisoformat(told["due_at"]),
            _moment(told["published_at"]),
            told["failure"],
            told["cancelled"],
        )


@dataclass(frozen=True)
class Template:
    """A template's own text lies at the provider: its name and its values are all there is."""

    name: str
    language: str | None
    values: Sequence[str]

    @classmethod
    def read(cls, told: Json) -> Self:
        if "parameters" in told:
            return cls(told["name"], told["language"], told["parameters"])
        data = told["data"] or {}
        return cls(told["name"], None, [f"{name}: {_written(data[name])}" for name in data])


@dataclass(frozen=True)
class Content:
    """What was sent; which of it there is, depends on the channel."""

    kind: str
    text: str | None
    subject: str | None
    html: str | None
    link: str | None
    filename: str | None
    template: Template | None
    encoding: str | None
    length: int | None
    segments: int | None

    @classmethod
    def read(cls, told: Json) -> Self:
        template = told.get("template")
        names = ("text", "subject", "html", "link", "filename", "encoding", "length", "segments")
        return cls(
            kind=told["type"],
            template=None if template is None else Template.read(template),
            **{name: told.get(name) for name in names},
        )


@dataclass(frozen=True)
class Message:
    """One call to the provider. Without `provider_id` the provider refused it."""

    provider_id: str | None
    message_id: str | None
    attempt: str | None
    at: datetime
    sender: str
    content: Content
    state: str
    reason: str | None
    silent: bool
    may: frozenset[str]
    receipts: Sequence[Receipt]

    @classmethod
    def read(cls, told: Json) -> Self:
        return cls(
            told["provider_id"],
            told["message_id"],
            told["attempt"],
            datetime.fromisoformat(told["at"]),
            told["from"],
            Content.read(told["content"]),
            told["state"],
            told["reason"],
            told["silent"],
            frozenset(told["may"]),
            [Receipt.read(one) for one in told["receipts"]],
        )

    @property
    def arrived(self) -> bool:
        return self.state in ARRIVED

    @property
    def ticks(self) -> str:
        """How far the sender's ticks on WhatsApp are: sent, delivered or read; empty before."""
        if self.arrived:
            return self.state
        sent = any(one.word == "sent" and one.published_at for one in self.receipts)
        return "sent" if sent else ""

    @property
    def gist(self) -> str:
        """A few words by which a person knows which message is meant."""
        content = self.content
        name = content.template and content.template.name
        said = content.subject or content.text or name or content.filename or content.kind
        words = " ".join(said.split())
        return words if len(words) <= LONGEST_GIST else f"{words[: LONGEST_GIST - 1]}…"


@dataclass(frozen=True)
class Reply:
    """What the recipient wrote back to the message with that provider's id."""

    id: str
    answers: str
    at: datetime
    text: str
    failure: str | None

    @classmethod
    def read(cls, told: Json) -> Self:
        at = datetime.fromisoformat(told["at"])
        return cls(told["id"], told["answers"], at, told["text"], told["failure"])


@dataclass(frozen=True)
class Thread:
    """A recipient's messages on one channel and what they wrote back, oldest first. `refusals`
    are the receipts of a person who refuses, the usual one first, each with what it means.
    """

    to: str
    channel: str
    entries: Sequence[Message | Reply]
    refusals: Mapping[str, str]

    @classmethod
    def read(cls, told: Json) -> Self:
        return cls(
            told["to"],
            told["channel"],
            [_entry(one) for one in told["entries"]],
            {one["receipt"]: one["says"] for one in told["refusals"]},
        )

    @property
    def messages(self) -> list[Message]:
        return [one for one in self.entries if isinstance(one, Message)]

    @property
    def on_the_phone(self) -> list[Message | Reply]:
        """What its owner sees there."""
        return [one for one in self.entries if isinstance(one, Reply) or one.arrived]

    @property
    def answerable(self) -> Message | None:
        """The newest message on the phone that can be answered."""
        shown = (one for one in reversed(self.messages) if one.arrived)
        return next((one for one in shown if "reply" in one.may), None)

    def message(self, provider_id: str) -> Message | None:
        return next((one for one in self.messages if one.provider_id == provider_id), None)


def _entry(told: Json) -> Message | Reply:
    return Reply.read(told) if told["kind"] == "reply" else Message.read(told)


def _moment(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
