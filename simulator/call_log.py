"""The log of provider calls: each with its response and receipts, the most recent few thousand."""

from dataclasses import dataclass

from simulator.provider_call import InboundReply, ProviderCall
from simulator.recipient_threads import RecipientThread, RecipientThreads

MAX_CALLS = 10_000


@dataclass(frozen=True)
class CallFilter:
    """Which calls to list; None matches every value."""

    channel: str | None = None
    to: str | None = None
    message_id: str | None = None

    def matches(self, call: ProviderCall) -> bool:
        to = None if call.request is None else call.request.to
        return (
            self.channel in (None, call.provider.channel)
            and self.to in (None, to)
            and (self.message_id is None or call.belongs_to(self.message_id))
        )


class CallLog:
    """The calls in the order in which they arrived; beyond the maximum, the oldest are removed."""

    def __init__(self, max_calls: int = MAX_CALLS) -> None:
        self._max_calls = max_calls
        self._calls: dict[int, ProviderCall] = {}
        self._by_provider_id: dict[str, ProviderCall] = {}
        self._threads = RecipientThreads()

    def add(self, call: ProviderCall) -> None:
        self._calls[id(call)] = call
        while len(self._calls) > self._max_calls:
            oldest = self._calls.pop(next(iter(self._calls)))
            self._by_provider_id.pop(oldest.provider_id or "", None)
            self._threads.remove(oldest)

    def index_provider_id(self, call: ProviderCall) -> None:
        """Makes a logged call available by the provider's ID, once it has one."""
        if id(call) in self._calls and call.provider_id is not None:
            self._by_provider_id[call.provider_id] = call

    def add_to_thread(self, call: ProviderCall) -> None:
        """Adds a logged call to its recipient's thread, once the recipient is known."""
        if id(call) in self._calls:
            self._threads.add(call)

    def add_reply(self, call: ProviderCall, inbound: InboundReply) -> None:
        call.replies.append(inbound)
        if id(call) in self._calls:
            self._threads.add_reply(call, inbound.reply)

    def find(self, provider_id: str) -> ProviderCall | None:
        return self._by_provider_id.get(provider_id)

    def newest(self, filter_: CallFilter, limit: int) -> list[ProviderCall]:
        """The newest matching calls, newest last."""
        matching = [call for call in self._calls.values() if filter_.matches(call)]
        return matching[-limit:]

    def thread(self, channel: str, to: str) -> RecipientThread | None:
        return self._threads.find(channel, to)

    def newest_threads(self, limit: int) -> list[RecipientThread]:
        """The threads with the newest messages or replies, newest first."""
        return self._threads.newest(limit)

    def clear(self) -> None:
        self._calls.clear()
        self._by_provider_id.clear()
        self._threads.clear()
