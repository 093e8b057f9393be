"""Keeps open pages up to date: one look serves all who watch the same, by server-sent events.

A page has fragments, elements with an id. What changes is sent as that id and the new HTML.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError
from sse_starlette import EventSourceResponse, ServerSentEvent

# All looks together: what is shown must not slow down what is watched.
LOOKS_AT_ONCE = 2
LOOKS_A_SECOND = 8.0
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


@dataclass
class _Feed:
    look: Look
    watchers: set["asyncio.Queue[tuple[str, str]]"] = field(default_factory=set)
    shown: dict[str, str] = field(default_factory=dict)
    task: "asyncio.Task[None] | None" = None


class Hub:
    """All that is watched now, each by its key; nothing is looked at that nobody watches."""

    def __init__(self) -> None:
        self._feeds: dict[str, _Feed] = {}
        self._threads = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="look")

    def response(self, key: str, look: Look) -> EventSourceResponse:
        """The stream of events for one more watcher."""
        return EventSourceResponse(self._events(key, look), ping=15)

    async def _events(self, key: str, look: Look) -> AsyncIterator[ServerSentEvent]:
        queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        feed = self._feeds.setdefault(key, _Feed(look))
        feed.watchers.add(queue)
        for shown in feed.shown.items():
            queue.put_nowait(shown)
        if feed.task is None:
            feed.task = asyncio.create_task(self._watch(feed))
        try:
            while True:
                name, html = await queue.get()
                yield ServerSentEvent(event="fragment", data=json.dumps({"id": name, "html": html}))
        finally:
            feed.watchers.discard(queue)
            if not feed.watchers:
                self._feeds.pop(key, None)
                feed.task.cancel()

    async def _watch(self, feed: _Feed) -> None:
        loop = asyncio.get_running_loop()
        pause = 1.0
        while True:
            news = None
            try:
                glance = await loop.run_in_executor(self._threads, feed.look)
            except (BotoCoreError, ClientError, OSError) as error:
                _log.warning("Could not look: %s", error)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._tell(feed, glance.fragments)
                pause, news = glance.again_in, glance.news
            await asyncio.sleep(max(pause, len(self._feeds) / LOOKS_A_SECOND))
            if news:
                await news()

    def _tell(self, feed: _Feed, fragments: Mapping[str, str]) -> None:
        for name, html in fragments.items():
            if feed.shown.get(name) != html:
                feed.shown[name] = html
                for queue in feed.watchers:
                    queue.put_nowait((name, html))

    async def close(self) -> None:
        """Ends all looking."""
        tasks = [feed.task for feed in self._feeds.values() if feed.task]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._threads.shutdown(wait=False, cancel_futures=True)
