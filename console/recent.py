"""The recent messages, kept in memory once for all viewers and refreshed with few requests."""

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from console.recent_index import DAYS, MAX_MESSAGES, OVERLAP_SECONDS, RecentIndex, RefreshPace, at
from console.summaries import MessageSummary
from messaging.store import Store
from messaging.store.messages import RECENT_SHARDS

# How many known messages one refresh reads again.
REREAD = 300
# After so long without a viewer everything is read again.
AWAY_SECONDS = 600
# A message that was looked up by its id, and how many of those are kept.
LOOKUP_SECONDS, MAX_LOOKUPS = 5.0, 100
# Refreshes may take a twentieth of the time, so that viewers do not slow down the stack. One slow
# refresh, the first one or one on a busy machine, does not count.
SHARE, LONGEST_PAUSE = 0.05, 5.0
# A page waits for a refresh that is fast, and for a slow one only if the memory is older than this.
FAST_SECONDS, OLD_SECONDS = 0.05, 10.0
# On one machine a request takes one or two milliseconds that the functions need as well; on AWS it
# costs money and a round trip.
LOCAL = RefreshPace(1.0, 2.0, 30.0, 1)
DEPLOYED = RefreshPace(3.0, 10.0, 600.0, RECENT_SHARDS)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The messages in memory, newest first. `since`: all messages accepted after it are included.

    `complete`: no older message has still to be read; `whole`: all messages of the last days are
    included. `version` is different for each snapshot.
    """

    rows: tuple[MessageSummary, ...] = ()
    since: datetime | None = None
    complete: bool = False
    whole: bool = False
    version: int = 0
    days: int = DAYS


class RecentMessages:
    """Refreshes when a page asks for it, and not before the pace allows it."""

    def __init__(
        self, store: Store, pace: RefreshPace = LOCAL, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._pace = pace
        self._clock = clock
        self._lock = threading.Lock()
        self._index = RecentIndex(store, pace)
        self._rows: dict[str, MessageSummary] = {}
        self._read_at: dict[str, float] = {}
        self._lookups: dict[str, tuple[MessageSummary | None, float]] = {}
        self._last = self._next = self._took = 0.0
        self._snapshot = Snapshot()

    def again_in(self) -> float:
        """Seconds until a refresh may find something new."""
        return max(0.1, self._next - self._clock())

    def now(self) -> Snapshot:
        """As of now, or as of the last refresh if the next one is not due yet."""
        return self._when_due(wait=True)

    def at_hand(self) -> Snapshot:
        """The same, without waiting for a slow refresh if the last one is recent."""
        old = self._clock() - self._last > OLD_SECONDS
        if not old and self._took > FAST_SECONDS:
            return self._snapshot
        return self._when_due(wait=old)

    def all_within(self, seconds: float) -> Snapshot:
        """The same, with as many of the older messages as can be read in that time."""
        ends = self._clock() + seconds
        snapshot = self.at_hand()
        while not snapshot.complete and self._clock() < ends:
            with self._lock:
                self._refresh()
            snapshot = self._snapshot
        return snapshot

    def find(self, message_id: str) -> MessageSummary | None:
        """A message of any age by its id. One that is not in memory is read from the store, at most
        once every few seconds.
        """
        now = self._clock()
        if message_id in self._rows:
            return self._rows[message_id]
        row, until = self._lookups.get(message_id, (None, 0.0))
        if now < until:
            return row
        found = self._store.messages.histories({message_id: 0}).get(message_id)
        row = MessageSummary.of(*found) if found else None
        self._lookups[message_id] = row, now + LOOKUP_SECONDS
        while len(self._lookups) > MAX_LOOKUPS:
            self._lookups.pop(next(iter(self._lookups)), None)
        return row

    def _when_due(self, *, wait: bool) -> Snapshot:
        if self._clock() >= self._next and self._lock.acquire(blocking=wait):
            try:
                if self._clock() >= self._next:
                    self._refresh()
            finally:
                self._lock.release()
        return self._snapshot

    def _refresh(self) -> None:
        began = self._clock()
        try:
            changed = self._read(self._due(began), began)
            self._last = began
            complete = self._index.complete
            if changed or complete != self._snapshot.complete or not self._snapshot.version:
                self._take_snapshot(began)
        except (BotoCoreError, ClientError):
            self._index.relist_after_error()
            raise
        finally:
            before, self._took = self._took, self._clock() - began
            self._next = began + self._took + self._pause(began, min(before, self._took))

    def _pause(self, now: float, took: float) -> float:
        if not self._index.complete:
            return took
        changed = max((one.changed_at.timestamp() for one in self._rows.values()), default=0)
        pace = self._pace.busy if now - changed < OVERLAP_SECONDS else self._pace.idle
        return max(pace, min(took / SHARE, LONGEST_PAUSE))

    def _due(self, now: float) -> dict[str, int]:
        """The ids to read, each with how many attempts its plan has; 0 if that is unknown."""
        if now - self._last > AWAY_SECONDS:
            self._index.list_all_again(now)
        unread = dict.fromkeys(self._index.unread(now, self._rows), 0)
        return unread | {name: self._rows[name].planned for name in self._outdated(now)}

    def _outdated(self, now: float) -> list[str]:
        """The known messages to read again, the most overdue ones first."""
        moment = at(now)
        overdue = (
            (self._read_at[name] + row.seconds_to_next_read(moment) - now, name)
            for name, row in self._rows.items()
        )
        return [name for seconds, name in heapq.nsmallest(REREAD, overdue) if seconds <= 0]

    def _read(self, due: dict[str, int], now: float) -> bool:
        """Whether anything has changed."""
        histories = self._store.messages.histories(due)
        rows = {name: MessageSummary.of(*found) for name, found in histories.items()}
        erased = [name for name in due if name not in rows and name in self._rows]
        changed = any(self._rows.get(name) != row for name, row in rows.items())
        for name in erased:
            del self._rows[name], self._read_at[name]
        self._rows |= rows
        self._read_at |= dict.fromkeys(rows, now)
        return changed or bool(erased)

    def _take_snapshot(self, now: float) -> None:
        rows = sorted(self._rows.values(), key=lambda row: row.place, reverse=True)
        for row in rows[MAX_MESSAGES:]:
            del self._rows[row.message_id], self._read_at[row.message_id]
        whole = self._index.complete and len(rows) < MAX_MESSAGES
        oldest = rows[:MAX_MESSAGES][-1].accepted_at if rows else None
        self._snapshot = Snapshot(
            rows=tuple(rows[:MAX_MESSAGES]),
            since=at(now) - timedelta(days=DAYS) if whole else oldest,
            complete=self._index.complete,
            whole=whole,
            version=self._snapshot.version + 1,
        )
