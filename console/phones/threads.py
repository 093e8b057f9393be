"""What the simulator reports of its recipients: what each received, and what became of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from messaging.channels.catalog import channels

Json = Mapping[str, Any]
MAX_TITLE = 60
# States in which the message is on the phone, where its owner can see it.
ARRIVED = frozenset({"delivered", "read", "complained"})


@dataclass(frozen=True)
class Recipient:
    """A phone number or email address on one channel, with the newest message or reply."""

    to: str
    channel: str
    messages: int
    replies: int
    last_at: datetime
    state: str
    preview: str

    @classmethod
    def read(cls, found: Json) -> Self:
        return cls(**{**found, "last_at": datetime.fromisoformat(found["last_at"])})


@dataclass(frozen=True)
class Person:
    """All threads of one phone number or email address, newest first; there is at least one."""

    to: str
    threads: Sequence[Recipient]

    @property
    def newest(self) -> Recipient:
        return self.threads[0]


def persons(recipients: Sequence[Recipient]) -> list[Person]:
    """The recipients by their phone number or email address, newest first."""
    threads: dict[str, list[Recipient]] = {}
    for recipient in recipients:
        threads.setdefault(recipient.to, []).append(recipient)
    return [Person(to, own) for to, own in threads.items()]


@dataclass(frozen=True)
class ThreadReceipt:
    """One receipt in the provider's term; pending until it is published, failed or cancelled."""

    word: str
    due_at: datetime
    published_at: datetime | None
    failure: str | None
    cancelled: bool

    @classmethod
    def read(cls, found: Json) -> Self:
        return cls(
            found["receipt"],
            datetime.fromisoformat(found["due_at"]),
            _moment(found["published_at"]),
            found["failure"],
            found["cancelled"],
        )


@dataclass(frozen=True)
class ThreadTemplate:
    """A template's name and values; its text is known to the provider only. `code`: that of an
    authentication template, whose text is always the same.
    """

    name: str
    language: str | None
    values: Sequence[str]
    code: str | None = None

    @classmethod
    def read(cls, found: Json) -> Self:
        if "parameters" in found:
            values = found["parameters"]
            code = _code(found.get("components", []), values)
            return cls(found["name"], found["language"], values, code)
        data = found["data"] or {}
        return cls(found["name"], None, [f"{name}: {_written(data[name])}" for name in data])


@dataclass(frozen=True)
class ThreadContent:
    """What was sent; which fields are set depends on the channel and on the request."""

    kind: str
    text: str | None
    subject: str | None
    html: str | None
    link: str | None
    filename: str | None
    template: ThreadTemplate | None
    encoding: str | None
    length: int | None
    segments: int | None

    @classmethod
    def read(cls, found: Json) -> Self:
        template = found.get("template")
        names = ("text", "subject", "html", "link", "filename", "encoding", "length", "segments")
        return cls(
            kind=found["type"],
            template=None if template is None else ThreadTemplate.read(template),
            **{name: found.get(name) for name in names},
        )


@dataclass(frozen=True)
class ThreadMessage:
    """One call to the provider. `provider_id` None: the provider refused it. `unsupported` has the
    reason for each action that the channel or the sender does not support.
    """

    provider_id: str | None
    message_id: str | None
    attempt: str | None
    at: datetime
    sender: str
    content: ThreadContent
    state: str
    reason: str | None
    silent: bool
    may: frozenset[str]
    unsupported: Mapping[str, str]
    receipts: Sequence[ThreadReceipt]

    @classmethod
    def read(cls, found: Json) -> Self:
        return cls(
            found["provider_id"],
            found["message_id"],
            found["attempt"],
            datetime.fromisoformat(found["at"]),
            found["from"],
            ThreadContent.read(found["content"]),
            found["state"],
            found["reason"],
            found["silent"],
            frozenset(found["may"]),
            found["unsupported"],
            [ThreadReceipt.read(one) for one in found["receipts"]],
        )

    @property
    def arrived(self) -> bool:
        return self.state in ARRIVED

    @property
    def ticks(self) -> str:
        """What the sender's ticks show: sent, delivered or read; empty before that."""
        if self.arrived:
            return self.state
        sent = any(one.word == "sent" and one.published_at for one in self.receipts)
        return "sent" if sent else ""

    @property
    def title(self) -> str:
        """A few words that identify the message to a person."""
        content = self.content
        name = content.template and content.template.name
        text = content.subject or content.text or name or content.filename or content.kind
        words = " ".join(text.split())
        return words if len(words) <= MAX_TITLE else f"{words[: MAX_TITLE - 1]}…"


@dataclass(frozen=True)
class ThreadReply:
    """What the recipient replied to the message with the provider id `answers`."""

    id: str
    answers: str
    at: datetime
    text: str
    failure: str | None

    @classmethod
    def read(cls, found: Json) -> Self:
        at = datetime.fromisoformat(found["at"])
        return cls(found["id"], found["answers"], at, found["text"], found["failure"])


@dataclass(frozen=True)
class PhoneThread:
    """A recipient's messages on one channel and their replies, oldest first. `refusals` are the
    receipts that a refusal can cause, the most common one first, each with its meaning.
    """

    to: str
    channel: str
    entries: Sequence[ThreadMessage | ThreadReply]
    refusals: Mapping[str, str]

    @classmethod
    def read(cls, found: Json) -> Self:
        return cls(
            found["to"],
            found["channel"],
            [_entry(one) for one in found["entries"]],
            {one["receipt"]: one["says"] for one in found["refusals"]},
        )

    @property
    def is_mailbox(self) -> bool:
        return channels()[self.channel].address == "email"

    @property
    def has_read_receipts(self) -> bool:
        return "read" in channels()[self.channel].success

    @property
    def max_reply(self) -> int | None:
        """The most characters of a reply; None if there is no limit."""
        return channels()[self.channel].max_text

    @property
    def messages(self) -> list[ThreadMessage]:
        return [one for one in self.entries if isinstance(one, ThreadMessage)]

    @property
    def on_the_phone(self) -> list[ThreadMessage | ThreadReply]:
        """What its owner sees on the phone."""
        return [one for one in self.entries if isinstance(one, ThreadReply) or one.arrived]

    @property
    def answerable(self) -> ThreadMessage | None:
        """The newest message on the phone that the recipient can reply to."""
        shown = (one for one in reversed(self.messages) if one.arrived)
        return next((one for one in shown if "reply" in one.may), None)

    def message(self, provider_id: str) -> ThreadMessage | None:
        return next((one for one in self.messages if one.provider_id == provider_id), None)


def _entry(found: Json) -> ThreadMessage | ThreadReply:
    return ThreadReply.read(found) if found["kind"] == "reply" else ThreadMessage.read(found)


def _moment(found: str | None) -> datetime | None:
    return None if found is None else datetime.fromisoformat(found)


def _code(components: Sequence[Json], values: Sequence[str]) -> str | None:
    """An authentication template has its code twice, in the body and in the button that copies it:
    developers.facebook.com/docs/whatsapp/business-management-api/authentication-templates.
    """
    kinds = [str(one.get("type", "")).lower() for one in components]
    twice = len(values) == len(kinds) and len(set(values)) == 1
    return values[0] if kinds == ["body", "button"] and twice else None


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
