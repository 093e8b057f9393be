"""Keeps open pages up to date with server-sent events: one refresh serves all viewers of a page.

A page consists of fragments, elements with an id. A change is sent as the id and the new HTML.
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

# For all pages together, so that viewers do not slow down the stack.
PARALLEL_REFRESHES = 2
SHARE, LONGEST_REST = 0.05, 5.0
LONGEST_PAUSE = 15.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PageUpdate:
    """The current fragments of a page, and the seconds until the next refresh; with `change`, the
    next refresh also waits for that.
    """

    fragments: Mapping[str, str]
    again_in: float
    change: Callable[[], Awaitable[None]] | None = None


# Runs in a thread, because boto3 blocks.
Refresh = Callable[[], PageUpdate]


@dataclass(eq=False)
class _Viewer:
    """What one viewer has not received yet: only the newest version of each fragment, however slow
    the connection is.
    """

    due: dict[str, bytes]
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    async def events(self) -> AsyncIterator[bytes]:
        while True:
            due, self.due = self.due, {}
            for event in due.values():
                yield event
            if self.ended:
                return
            await self.changed.wait()
            self.changed.clear()


@dataclass(eq=False)
class _Feed:
    refresh: Refresh
    viewers: set[_Viewer] = field(default_factory=set)
    shown: dict[str, str] = field(default_factory=dict)
    events: dict[str, bytes] = field(default_factory=dict)
    task: "asyncio.Task[None] | None" = None
    took: tuple[float, float] = (0.0, 0.0)

    def send(self, fragments: Mapping[str, str]) -> None:
        """Each event is encoded once for all viewers."""
        for name, html in fragments.items():
            if self.shown.get(name) != html:
                self.shown[name] = html
                self.events[name] = _event(name, html)
                for viewer in self.viewers:
                    viewer.due[name] = self.events[name]
                    viewer.changed.set()

    def end(self, task: "asyncio.Task[None]") -> None:
        """A refresh that failed ends the streams, so that the browsers connect to a new feed."""
        if not task.cancelled() and (error := task.exception()):
            _log.error("A refresh failed", exc_info=error)
        for viewer in self.viewers:
            viewer.ended = True
            viewer.changed.set()

    def timed(self) -> PageUpdate:
        began = time.perf_counter()
        try:
            return self.refresh()
        finally:
            self.took = self.took[1], time.perf_counter() - began


def _event(name: str, html: str) -> bytes:
    data = json.dumps({"id": name, "html": html})
    return ServerSentEvent(event="fragment", data=data).encode()


class Hub:
    """All pages that have viewers, each by its key; a page without viewers is not refreshed."""

    def __init__(self) -> None:
        self._feeds: dict[str, _Feed] = {}
        self._threads = ThreadPoolExecutor(PARALLEL_REFRESHES, thread_name_prefix="refresh")

    def response(self, key: str, refresh: Refresh) -> EventSourceResponse:
        """The stream of events for one more viewer."""
        return EventSourceResponse(self._events(key, refresh), ping=15)

    async def _events(self, key: str, refresh: Refresh) -> AsyncGenerator[bytes, None]:
        feed = self._feeds.setdefault(key, _Feed(refresh))
        viewer = _Viewer(dict(feed.events))
        feed.viewers.add(viewer)
        if feed.task is None:
            feed.task = asyncio.create_task(self._keep_fresh(feed))
            feed.task.add_done_callback(lambda _: self._remove(key, feed))
            feed.task.add_done_callback(feed.end)
        try:
            async for event in viewer.events():
                yield event
        finally:
            feed.viewers.discard(viewer)
            if not feed.viewers:
                self._remove(key, feed)
                feed.task.cancel()

    def _remove(self, key: str, feed: _Feed) -> None:
        """A newer feed of the same page stays."""
        if self._feeds.get(key) is feed:
            del self._feeds[key]

    async def _keep_fresh(self, feed: _Feed) -> None:
        loop = asyncio.get_running_loop()
        pause = 1.0
        while True:
            change = None
            try:
                update = await loop.run_in_executor(self._threads, feed.timed)
            except (BotoCoreError, ClientError, OSError) as error:
                _log.warning("A page could not be refreshed: %s", error)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                feed.send(update.fragments)
                pause, change = update.again_in, update.change
            await asyncio.sleep(max(pause, self._rest(feed)))
            if change:
                await change()

    def _rest(self, feed: _Feed) -> float:
        """The pause that keeps all refreshes together within their share of the time. One slow
        refresh, the first one or one on a busy machine, does not count.
        """
        return min(min(feed.took) * len(self._feeds) / SHARE, LONGEST_REST)

    async def close(self) -> None:
        """Ends all refreshes."""
        tasks = [feed.task for feed in self._feeds.values() if feed.task]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._threads.shutdown(wait=False, cancel_futures=True)
