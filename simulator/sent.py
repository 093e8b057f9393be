"""What went out: every call with its answer and its receipts, the newest few thousand of them."""

from dataclasses import dataclass

from simulator.call import Call, Inbound
from simulator.threads import Thread, Threads

KEPT = 10_000


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
        self._threads = Threads()

    def add(self, call: Call) -> None:
        self._calls[id(call)] = call
        while len(self._calls) > self._kept:
            oldest = self._calls.pop(next(iter(self._calls)))
            self._by_id.pop(oldest.provider_id or "", None)
            self._threads.remove(oldest)

    def under_id(self, call: Call) -> None:
        """Makes a call that is listed findable by the provider's id, which it has by now."""
        if id(call) in self._calls and call.provider_id is not None:
            self._by_id[call.provider_id] = call

    def in_thread(self, call: Call) -> None:
        """Puts a call that is listed into its recipient's thread, whom it has by now."""
        if id(call) in self._calls:
            self._threads.add(call)

    def replied(self, call: Call, inbound: Inbound) -> None:
        call.replies.append(inbound)
        if id(call) in self._calls:
            self._threads.replied(call, inbound.reply)

    def find(self, provider_id: str) -> Call | None:
        return self._by_id.get(provider_id)

    def newest(self, wanted: Filter, limit: int) -> list[Call]:
        """The newest calls that the filter lets through, newest last."""
        found = [call for call in self._calls.values() if wanted.lets_through(call)]
        return found[-limit:]

    def thread(self, channel: str, to: str) -> Thread | None:
        return self._threads.find(channel, to)

    def newest_threads(self, limit: int) -> list[Thread]:
        """The threads in which something was written last, the newest first."""
        return self._threads.newest(limit)

    def clear(self) -> None:
        self._calls.clear()
        self._by_id.clear()
        self._threads.clear()
