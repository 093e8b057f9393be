"""The threads on the recipients' phones: the messages of each channel and the replies to them."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from simulator.actions import EXPIRED, allowed_actions, unsupported_actions
from simulator.aws_model import Json
from simulator.provider import PhoneState, RecipientReply, iso
from simulator.provider_call import ProviderCall, SimulatedReceipt

_PREVIEW_LENGTH = 80


@dataclass
class RecipientThread:
    """The thread of one recipient on one channel; it has at least one call."""

    channel: str
    to: str
    calls: dict[int, ProviderCall] = field(default_factory=dict)
    last_reply: RecipientReply | None = None

    def newest(self, limit: int) -> list[ProviderCall]:
        """The newest calls, newest last."""
        return list(islice(reversed(self.calls.values()), limit))[::-1]

    def summary(self) -> Json:
        last = next(reversed(self.calls.values()))
        at, preview = last.received_at, _preview(last)
        if self.last_reply and self.last_reply.at >= at:
            at, preview = self.last_reply.at, self.last_reply.text
        return {
            "to": self.to,
            "channel": self.channel,
            "messages": len(self.calls),
            "replies": sum(len(call.replies) for call in self.calls.values()),
            "last_at": iso(at),
            "state": last.state,
            "preview": preview[:_PREVIEW_LENGTH],
        }

    def as_json(self, limit: int, now: datetime) -> Json:
        """The newest messages, at most `limit`, with the replies to them, oldest first."""
        calls = self.newest(limit)
        entries = [_message_json(call, now) for call in calls]
        entries += [
            inbound.as_json(call.provider_id or "") for call in calls for inbound in call.replies
        ]
        refusals = calls[0].provider.phone.refusals
        return {
            "to": self.to,
            "channel": self.channel,
            "refusals": [
                {"receipt": receipt_type, "says": meaning}
                for receipt_type, meaning in refusals.items()
            ],
            "entries": sorted(entries, key=lambda entry: str(entry["at"])),
        }


class RecipientThreads:
    """All threads, ordered by their newest message or reply."""

    def __init__(self) -> None:
        self._threads: dict[tuple[str, str], RecipientThread] = {}

    def add(self, call: ProviderCall) -> None:
        """Adds a call whose recipient is known."""
        self._moved_to_end(*_key(call)).calls[id(call)] = call

    def add_reply(self, call: ProviderCall, reply: RecipientReply) -> None:
        self._moved_to_end(*_key(call)).last_reply = reply

    def remove(self, call: ProviderCall) -> None:
        if call.request is None or (thread := self._threads.get(_key(call))) is None:
            return
        thread.calls.pop(id(call), None)
        if not thread.calls:
            del self._threads[_key(call)]

    def find(self, channel: str, to: str) -> RecipientThread | None:
        return self._threads.get((channel, to))

    def newest(self, limit: int) -> list[RecipientThread]:
        return list(islice(reversed(self._threads.values()), limit))

    def clear(self) -> None:
        self._threads.clear()

    def _moved_to_end(self, channel: str, to: str) -> RecipientThread:
        thread = self._threads.pop((channel, to), None) or RecipientThread(channel, to)
        self._threads[channel, to] = thread
        return thread


def _key(call: ProviderCall) -> tuple[str, str]:
    return call.provider.channel, "" if call.request is None else call.request.to


def _message_json(call: ProviderCall, now: datetime) -> Json:
    return {
        "kind": "message",
        "provider_id": call.provider_id,
        "message_id": call.request.message_id if call.request else None,
        "attempt": call.request.attempt if call.request else None,
        "at": iso(call.received_at),
        "from": call.provider.phone.sender(call.body),
        "content": call.provider.phone.content(call.body),
        "state": call.state,
        "reason": _reason(call, now),
        "scenario": call.scenario,
        "silent": call.silent,
        "may": allowed_actions(call, now),
        "unsupported": unsupported_actions(call),
        "receipts": [receipt.as_json() for receipt in call.receipts],
    }


def _reason(call: ProviderCall, now: datetime) -> str | None:
    """Why the message is not on the phone, in the provider's words."""
    if call.state is PhoneState.REFUSED:
        response = call.response or {}
        return f"{response.get('error')}: {response.get('message')}"
    if call.state is PhoneState.FAILED:
        return next(filter(None, (_failure(call, one) for one in reversed(call.receipts))))
    return EXPIRED if call.expired(now) else call.no_receipts_reason


def _failure(call: ProviderCall, receipt: SimulatedReceipt) -> str | None:
    phone = call.provider.phone
    if not receipt.issued or phone.states[receipt.receipt_type] is not PhoneState.FAILED:
        return None
    meaning = phone.refusals.get(receipt.receipt_type)
    return f"{receipt.receipt_type}: {meaning}" if meaning else receipt.receipt_type


def _preview(call: ProviderCall) -> str:
    """The one line that a list shows of a message."""
    content = call.provider.phone.content(call.body)
    template = content.get("template") or {}
    texts = (content.get("subject"), content["text"], template.get("text"), template.get("name"))
    return str(next(filter(None, (*texts, content["type"]))))
