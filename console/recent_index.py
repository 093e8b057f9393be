"""Which messages the console has still to read: it lists the store's index of recent messages."""

import heapq
from collections.abc import Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from messaging.store import Store
from messaging.store.messages import RECENT_SHARDS

# The most messages that are kept in memory, and the oldest ones.
MAX_MESSAGES, DAYS = 10_000, 7
# How many ids one refresh lists: of the newest messages at first, of the older ones later.
FIRST_PAGE, LATER_PAGE = 200, 500
# The index may show a message later than the table does.
OVERLAP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class RefreshPace:
    """Seconds between two refreshes while messages change (`busy`) and while none does (`idle`),
    and until the whole index is listed again for messages that appeared in it late (`relist`).
    `parallel_queries`: how many shards of the index are queried at the same time.
    """

    busy: float
    idle: float
    relist: float
    parallel_queries: int


class RecentIndex:
    """Lists new messages, and older ones page by page from the newest to the oldest."""

    def __init__(self, store: Store, pace: RefreshPace) -> None:
        self._store = store
        self._pace = pace
        self._threads = ThreadPoolExecutor(pace.parallel_queries, thread_name_prefix="recent")
        self._listing: Iterator[tuple[datetime, str]] | None = None
        self._listed, self._relist_at = 0, 0.0
        self._new_listed_at = 0.0
        self.complete = False

    def list_all_again(self, now: float) -> None:
        """After a long time without a viewer."""
        self._listing, self._relist_at, self.complete = None, now, False
        self._new_listed_at = now

    def relist_after_error(self) -> None:
        """What was listed and could not be read is listed again."""
        self._listing, self._relist_at = None, 0.0

    def unread(self, now: float, known: Container[str]) -> list[str]:
        """The ids to read now, without the known ones."""
        names = [*self._new(now), *self._next_page(now, known)]
        return [name for name in names if name not in known]

    def _new(self, now: float) -> list[str]:
        """Messages accepted since this was last called."""
        if now - self._new_listed_at < self._pace.busy:
            return []
        since, self._new_listed_at = at(self._new_listed_at - OVERLAP_SECONDS), now
        days = {since.date(), at(now).date()}
        queries = [(day, shard, since) for day in days for shard in range(RECENT_SHARDS)]
        found = self._threads.map(lambda one: list(self._store.messages.recent(*one)), queries)
        return [name for keys in found for _, name in keys]

    def _next_page(self, now: float, known: Container[str]) -> list[str]:
        if self._listing is None:
            if now < self._relist_at:
                return []
            self._listing, self._listed = self._newest_first(at(now)), 0
        count = LATER_PAGE if self._listed or self.complete else FIRST_PAGE
        keys = list(islice(self._listing, count))
        self._listed += len(keys)
        names = [name for _, name in keys if name not in known]
        if len(keys) < count or self._listed >= MAX_MESSAGES:
            self._listing, self._relist_at, self.complete = None, now + self._pace.relist, True
        elif len(names) > FIRST_PAGE:
            self.complete = False  # many older messages were stored after the last listing
        return names

    def _newest_first(self, now: datetime) -> Iterator[tuple[datetime, str]]:
        since = now - timedelta(days=DAYS)
        for ago in range(DAYS + 1):
            day = (now - timedelta(days=ago)).date()
            shards = (
                self._store.messages.recent(day, shard, since) for shard in range(RECENT_SHARDS)
            )
            yield from heapq.merge(*shards, reverse=True)


def at(seconds: float) -> datetime:
    """The moment that a clock's seconds stand for."""
    return datetime.fromtimestamp(seconds, UTC)
