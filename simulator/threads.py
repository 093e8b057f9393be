"""What each recipient got by each channel and wrote back, as their phone shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from simulator.actions import EXPIRED, may
from simulator.aws_model import Json
from simulator.call import Call, Receipt
from simulator.provider import Reply, State, iso

_PREVIEW = 80


@dataclass
class Thread:
    """One recipient and one channel; it has at least one call."""

    channel: str
    to: str
    calls: dict[int, Call] = field(default_factory=dict)
    last_reply: Reply | None = None

    def newest(self, limit: int) -> list[Call]:
        """The newest calls, newest last."""
        return list(islice(reversed(self.calls.values()), limit))[::-1]

    def summary(self) -> Json:
        last = next(reversed(self.calls.values()))
        at, preview = last.asked_at, _gist(last)
        if self.last_reply and self.last_reply.at >= at:
            at, preview = self.last_reply.at, self.last_reply.text
        return {
            "to": self.to,
            "channel": self.channel,
            "messages": len(self.calls),
            "replies": sum(len(call.replies) for call in self.calls.values()),
            "last_at": iso(at),
            "state": last.state,
            "preview": preview[:_PREVIEW],
        }

    def as_json(self, limit: int, now: datetime) -> Json:
        """The newest so many messages with what was written back to them, oldest first."""
        calls = self.newest(limit)
        entries = [_message(call, now) for call in calls]
        entries += [
            inbound.as_json(call.provider_id or "") for call in calls for inbound in call.replies
        ]
        refusals = calls[0].provider.phone.refusals
        return {
            "to": self.to,
            "channel": self.channel,
            "refusals": [{"receipt": word, "says": says} for word, says in refusals.items()],
            "entries": sorted(entries, key=lambda entry: str(entry["at"])),
        }


class Threads:
    """All threads, in the order in which something was last written in them."""

    def __init__(self) -> None:
        self._threads: dict[tuple[str, str], Thread] = {}

    def add(self, call: Call) -> None:
        """Appends a call whose recipient is known."""
        self._touched(*_key(call)).calls[id(call)] = call

    def replied(self, call: Call, reply: Reply) -> None:
        self._touched(*_key(call)).last_reply = reply

    def remove(self, call: Call) -> None:
        if call.asked is None or (thread := self._threads.get(_key(call))) is None:
            return
        thread.calls.pop(id(call), None)
        if not thread.calls:
            del self._threads[_key(call)]

    def find(self, channel: str, to: str) -> Thread | None:
        return self._threads.get((channel, to))

    def newest(self, limit: int) -> list[Thread]:
        return list(islice(reversed(self._threads.values()), limit))

    def clear(self) -> None:
        self._threads.clear()

    def _touched(self, channel: str, to: str) -> Thread:
        thread = self._threads.pop((channel, to), None) or Thread(channel, to)
        self._threads[channel, to] = thread
        return thread


def _key(call: Call) -> tuple[str, str]:
    return call.provider.channel, "" if call.asked is None else call.asked.to


def _message(call: Call, now: datetime) -> Json:
    message_id, attempt = _whose(call.asked.echo if call.asked else {})
    return {
        "kind": "message",
        "provider_id": call.provider_id,
        "message_id": message_id,
        "attempt": attempt,
        "at": iso(call.asked_at),
        "from": call.provider.phone.sender(call.request),
        "content": call.provider.phone.shown(call.request),
        "state": call.state,
        "reason": _reason(call, now),
        "scenario": call.scenario,
        "silent": call.silent,
        "may": may(call, now),
        "receipts": [receipt.as_json() for receipt in call.receipts],
    }


def _whose(echo: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The sender's own id of the message and the number of its attempt, as far as it gave them."""
    if "biz_opaque_callback_data" not in echo:
        return echo.get("message_id"), echo.get("attempt")
    message_id, _, attempt = echo["biz_opaque_callback_data"].rpartition(".")
    return message_id or None, attempt or None


def _reason(call: Call, now: datetime) -> str | None:
    """Why the phone does not have it, in the provider's words."""
    if call.state is State.REFUSED:
        answer = call.answer or {}
        return f"{answer.get('error')}: {answer.get('message')}"
    if call.state is State.FAILED:
        return next(filter(None, (_failure(call, one) for one in reversed(call.receipts))))
    return EXPIRED if call.expired(now) else call.note


def _failure(call: Call, receipt: Receipt) -> str | None:
    phone = call.provider.phone
    if not receipt.out or phone.states[receipt.word] is not State.FAILED:
        return None
    says = phone.refusals.get(receipt.word)
    return f"{receipt.word}: {says}" if says else receipt.word


def _gist(call: Call) -> str:
    """The one line that a list shows of a message."""
    shown = call.provider.phone.shown(call.request)
    template = shown.get("template") or {}
    candidates = (shown.get("subject"), shown["text"], template.get("name"), shown["type"])
    return str(next(filter(None, candidates)))
