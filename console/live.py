"""Keeps open pages up to date: one look serves all who watch the same, by server-sent events.

A page has fragments, elements with an id. What changes is sent as that id and the new HTML.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError
from sse_starlette import EventSourceResponse, ServerSentEvent

# All looks together: what is shown must not slow down what is watched.
LOOKS_AT_ONCE = 2
SHARE, LONGEST_REST = 0.05, 5.0
LONGEST_PAUSE = 15.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Glance:
    """The fragments of a page as they are now, and in how many seconds to look again; with `news`
    later, once that has been waited for.
    """

    fragments: Mapping[str, str]
    again_in: float
    news: Callable[[], Awaitable[None]] | None = None


# Blocks, because boto3 does; it runs in a thread.
Look = Callable[[], Glance]


@dataclass(eq=False)
class _Watcher:
    """What one viewer has not got yet: of each fragment the newest only, however slow its line."""

    due: dict[str, bytes]
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    async def events(self) -> AsyncIterator[bytes]:
        while True:
            due, self.due = self.due, {}
            for event in due.values():
                yield event
            if self.ended:
                return
            await self.news.wait()
            self.news.clear()


@dataclass(eq=False)
class _Feed:
    look: Look
    watchers: set[_Watcher] = field(default_factory=set)
    shown: dict[str, str] = field(default_factory=dict)
    events: dict[str, bytes] = field(default_factory=dict)
    task: "asyncio.Task[None] | None" = None
    took: tuple[float, float] = (0.0, 0.0)

    def tell(self, fragments: Mapping[str, str]) -> None:
        """Written once for all who watch."""
        for name, html in fragments.items():
            if self.shown.get(name) != html:
                self.shown[name] = html
                self.events[name] = _event(name, html)
                for watcher in self.watchers:
                    watcher.due[name] = self.events[name]
                    watcher.news.set()

    def end(self, task: "asyncio.Task[None]") -> None:
        """A look that broke ends the streams, so that the browsers connect again, to a new one."""
        if not task.cancelled() and (error := task.exception()):
            _log.error("A look broke", exc_info=error)
        for watcher in self.watchers:
            watcher.ended = True
            watcher.news.set()

    def timed(self) -> Glance:
        began = time.perf_counter()
        try:
            return self.look()
        finally:
            self.took = self.took[1], time.perf_counter() - began


def _event(name: str, html: str) -> bytes:
    data = json.dumps({"id": name, "html": html})
    return ServerSentEvent(event="fragment", data=data).encode()


class Hub:
    """All that is watched now, each by its key; nothing is looked at that nobody watches."""

    def __init__(self) -> None:
        self._feeds: dict[str, _Feed] = {}
        self._threads = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="look")

    def response(self, key: str, look: Look) -> EventSourceResponse:
        """The stream of events for one more watcher."""
        return EventSourceResponse(self._events(key, look), ping=15)

    async def _events(self, key: str, look: Look) -> AsyncGenerator[bytes, None]:
        feed = self._feeds.setdefault(key, _Feed(look))
        watcher = _Watcher(dict(feed.events))
        feed.watchers.add(watcher)
        if feed.task is None:
            feed.task = asyncio.create_task(self._watch(feed))
            feed.task.add_done_callback(feed.end)
        try:
            async for event in watcher.events():
                yield event
        finally:
            feed.watchers.discard(watcher)
            if not feed.watchers:
                self._feeds.pop(key, None)
                feed.task.cancel()

    async def _watch(self, feed: _Feed) -> None:
        loop = asyncio.get_running_loop()
        pause = 1.0
        while True:
            news = None
            try:
                glance = await loop.run_in_executor(self._threads, feed.timed)
            except (BotoCoreError, ClientError, OSError) as error:
                _log.warning("Could not look: %s", error)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                feed.tell(glance.fragments)
                pause, news = glance.again_in, glance.news
            await asyncio.sleep(max(pause, self._rest(feed)))
            if news:
                await news()

    def _rest(self, feed: _Feed) -> float:
        """How long this one waits, so that all of them together take their share of the time. One
        look that took long, the first or one on a busy machine, is no measure.
        """
        return min(min(feed.took) * len(self._feeds) / SHARE, LONGEST_REST)

    async def close(self) -> None:
        """Ends all looking."""
        tasks = [feed.task for feed in self._feeds.values() if feed.task]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._threads.shutdown(wait=False, cancel_futures=True)
