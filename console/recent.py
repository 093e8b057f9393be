"""What the console knows of recent messages: one memory for all viewers, kept by few requests."""

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from console.plain import visible
from console.states import states_entered
from messaging.domain.messages import CHANNELS, Attempt, MessageHistory
from messaging.domain.statuses import FINAL, AttemptStatus, MessageStatus
from messaging.pricing.sms_parts import parts
from messaging.store import Store
from messaging.store.messages import RECENT_SHARDS

# So many messages are kept in memory, and so far back they go.
MOST, DAYS = 10_000, 7
# What one look reads: at its first time, of what is older, and again of what may have changed.
FIRST, OLDER, AGAIN = 200, 500, 300
# The index may tell of a message later than the table; one that is planned twice, later still.
OVERLAP_SECONDS = 30
# After so long without a viewer everything is read anew.
AWAY_SECONDS = 600
# After its last change a message is looked at again when it has been quiet for a twentieth more,
# one that has ended when it has been quiet twice as long: a late receipt may still come.
OPEN_SHARE, LONGEST_OPEN, SHORTEST_ENDED = 0.05, 5.0, 5.0
GRACE_SECONDS = 60
# A message that is looked for by its id, and how many of those are remembered.
FOUND_SECONDS, MOST_FOUND = 5.0, 100
# Looking may take a twentieth of the time, so that what is watched stays as fast as it was; but
# one look that took long, because it was the first or the machine was busy, is no measure.
SHARE, LONGEST_PAUSE = 0.05, 5.0
# An answer waits for a look that is short; for a long one only where the memory is older than this.
CHEAP_SECONDS, OLD_SECONDS = 0.05, 10.0


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt. `fallback`: of a later step than the plan's first; `taken`: by the provider, who
    is paid for so many `parts`.
    """

    number: int
    channel: str
    status: AttemptStatus
    fallback: bool
    taken: bool
    late: bool
    parts: int

    @classmethod
    def of(cls, attempt: Attempt, story: MessageHistory) -> Self:
        return cls(
            number=attempt.number,
            channel=attempt.channel,
            status=story.status_of(attempt),
            fallback=story.step(attempt) > story.message.plan.attempts[0].step,
            taken=attempt.provider_id is not None,
            late=story.late(attempt),
            parts=parts(attempt, story),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One message as the lists show it; nothing of what it says is kept."""

    message_id: str
    accepted_at: datetime
    status: MessageStatus
    recipients: tuple[str, ...]
    metadata: tuple[tuple[str, str], ...]
    tries: tuple[Try, ...]
    planned: int
    delivered_in: float | None
    delivered_by: str | None
    reached_by_fallback: bool
    states: int
    searched: str
    changed_at: datetime
    open_until: datetime | None

    @classmethod
    def of(cls, story: MessageHistory) -> Self:
        message, delivered = story.message, story.success()
        recipients, metadata = tuple(_recipients(story)), tuple(_metadata(story))
        words = (message.message_id, *recipients, *(f"{name}={value}" for name, value in metadata))
        return cls(
            message_id=message.message_id,
            accepted_at=message.accepted_at,
            status=story.status,
            recipients=recipients,
            metadata=metadata,
            tries=tuple(Try.of(attempt, story) for attempt in story.attempts),
            planned=len(message.plan.attempts),
            delivered_in=_delivered_in(story),
            delivered_by=delivered.channel if delivered else None,
            reached_by_fallback=delivered is not None and Try.of(delivered, story).fallback,
            states=states_entered(story),
            searched="\n".join(words).lower(),
            changed_at=max(_moments(story)),
            open_until=message.ends_by + timedelta(seconds=GRACE_SECONDS) if _open(story) else None,
        )

    @property
    def place(self) -> tuple[datetime, str]:
        """Newer ones are greater; no two are equal."""
        return self.accepted_at, self.message_id

    @property
    def channels(self) -> frozenset[str]:
        return frozenset(one.channel for one in self.tries)

    def look_after(self, now: datetime) -> float:
        """How many seconds after a look the next one is worth its while."""
        quiet = max(0.0, (now - self.changed_at).total_seconds())
        if self.open_until is not None and now < self.open_until:
            return min(quiet * OPEN_SHARE, LONGEST_OPEN)
        return max(quiet, SHORTEST_ENDED)


def _open(story: MessageHistory) -> bool:
    return story.message.status not in FINAL or bool(story.open_attempts())


def _recipients(story: MessageHistory) -> Iterable[str]:
    """Each address once, the request's before those of its steps."""
    request = story.message.request
    holders = [request.get("to", {}), *(one.get("to", {}) for one in request.get("steps", []))]
    return dict.fromkeys(
        visible(str(holder[channel]))
        for holder in holders
        for channel in CHANNELS
        if holder.get(channel)
    )


def _metadata(story: MessageHistory) -> Iterator[tuple[str, str]]:
    metadata = story.message.request.get("metadata", {})
    return ((visible(str(name)), visible(str(value))) for name, value in metadata.items())


def _delivered_in(story: MessageHistory) -> float | None:
    message = story.message
    if message.status is not MessageStatus.DELIVERED or message.concluded_at is None:
        return None
    return max(0.0, (message.concluded_at - message.accepted_at).total_seconds())


def _moments(story: MessageHistory) -> Iterator[datetime]:
    yield story.message.accepted_at
    if story.message.concluded_at is not None:
        yield story.message.concluded_at
    for attempt in story.attempts:
        yield attempt.claimed_at
        yield from attempt.times.values()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The messages that are known now, newest first, and since when they are all there.

    `complete`: nothing older is still to be read; `whole`: there is none in the last days.
    `version` tells one snapshot from the next.
    """

    rows: tuple[Row, ...] = ()
    since: datetime | None = None
    complete: bool = False
    whole: bool = False
    version: int = 0
    days: int = DAYS


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks while messages are on their way, and while nothing happens.
    `list_again`: until the whole list is gone through anew, for what the index told of too late.
    `at_once`: how many shards of the index are asked at the same time.
    """

    busy: float
    idle: float
    list_again: float
    at_once: int


# On one machine a request takes a millisecond or two of what the functions need as well; on AWS
# it costs money and the way there and back.
LOCAL, DEPLOYED = Pace(1.0, 2.0, 30.0, 1), Pace(3.0, 10.0, 600.0, RECENT_SHARDS)


class Recent:
    """The memory. It looks when somebody asks, and not before its pace allows the next look."""

    def __init__(
        self, store: Store, pace: Pace = LOCAL, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._pace = pace
        self._clock = clock
        self._lock = threading.Lock()
        self._shards = ThreadPoolExecutor(pace.at_once, thread_name_prefix="recent")
        self._rows: dict[str, Row] = {}
        self._looked: dict[str, float] = {}
        self._found: dict[str, tuple[Row | None, float]] = {}
        self._walk: Iterator[tuple[datetime, str]] | None = None
        self._walked, self._walk_again = 0, 0.0
        self._complete = False
        self._last = self._next = self._cost = self._listed_new = 0.0
        self._snapshot = Snapshot()

    def again_in(self) -> float:
        """In how many seconds a look may tell something new."""
        return max(0.1, self._next - self._clock())

    def now(self) -> Snapshot:
        """As of now, or of the last look where the next one is not due yet."""
        return self._when_due(wait=True)

    def at_hand(self) -> Snapshot:
        """The same, without waiting for a long look where the last one was not long ago."""
        old = self._clock() - self._last > OLD_SECONDS
        if not old and self._cost > CHEAP_SECONDS:
            return self._snapshot
        return self._when_due(wait=old)

    def all_within(self, seconds: float) -> Snapshot:
        """The same, with as many of the older ones as can be read in that time."""
        ends = self._clock() + seconds
        snapshot = self.at_hand()
        while not snapshot.complete and self._clock() < ends:
            with self._lock:
                self._look()
            snapshot = self._snapshot
        return snapshot

    def find(self, message_id: str) -> Row | None:
        """A message by its id, however old it is; one of which the memory does not know is read,
        at most once in a while.
        """
        now = self._clock()
        if message_id in self._rows:
            return self._rows[message_id]
        row, until = self._found.get(message_id, (None, 0.0))
        if now < until:
            return row
        story = self._store.messages.histories({message_id: 0}).get(message_id)
        row = Row.of(story) if story else None
        self._found[message_id] = row, now + FOUND_SECONDS
        while len(self._found) > MOST_FOUND:
            self._found.pop(next(iter(self._found)), None)
        return row

    def _when_due(self, *, wait: bool) -> Snapshot:
        if self._clock() >= self._next and self._lock.acquire(blocking=wait):
            try:
                if self._clock() >= self._next:
                    self._look()
            finally:
                self._lock.release()
        return self._snapshot

    def _look(self) -> None:
        began = self._clock()
        try:
            asked = self._to_ask(began)
            changed = self._learn(asked, began)
            self._last = began
            if changed or self._complete != self._snapshot.complete or not self._snapshot.version:
                self._tell(began)
        except (BotoCoreError, ClientError):
            # What was listed and could not be read is listed again.
            self._walk, self._walk_again = None, 0.0
            raise
        finally:
            before, self._cost = self._cost, self._clock() - began
            self._next = began + self._cost + self._pause(began, min(before, self._cost))

    def _pause(self, now: float, cost: float) -> float:
        if not self._complete:
            return cost
        quiet = now - max((one.changed_at.timestamp() for one in self._rows.values()), default=0)
        pace = self._pace.busy if quiet < OVERLAP_SECONDS else self._pace.idle
        return max(pace, min(cost / SHARE, LONGEST_PAUSE))

    # ---- what is asked

    def _to_ask(self, now: float) -> dict[str, int]:
        """Each id with how many attempts its plan has, 0 where it is not known yet."""
        if now - self._last > AWAY_SECONDS:
            self._walk, self._walk_again, self._complete = None, now, False
            self._listed_new = now
        names = [*self._new(now), *self._not_yet_read(now)]
        asked = {name: 0 for name in names if name not in self._rows}
        return asked | {name: self._rows[name].planned for name in self._worth_a_look(now)}

    def _new(self, now: float) -> list[str]:
        """What came since this was last asked."""
        if now - self._listed_new < self._pace.busy:
            return []
        since, self._listed_new = _at(self._listed_new - OVERLAP_SECONDS), now
        days = {since.date(), _at(now).date()}
        asked = [(day, shard, since) for day in days for shard in range(RECENT_SHARDS)]
        found = self._shards.map(lambda one: list(self._store.messages.recent(*one)), asked)
        return [name for keys in found for _, name in keys]

    def _not_yet_read(self, now: float) -> list[str]:
        """The next ones on the way from the newest to the oldest."""
        if self._walk is None:
            if now < self._walk_again:
                return []
            self._walk, self._walked = self._newest_first(_at(now)), 0
        count = OLDER if self._walked or self._complete else FIRST
        keys = list(islice(self._walk, count))
        self._walked += len(keys)
        names = [name for _, name in keys if name not in self._rows]
        if len(keys) < count or self._walked >= MOST:
            self._walk, self._walk_again, self._complete = None, now + self._pace.list_again, True
        elif len(names) > FIRST:
            self._complete = False  # somebody has stored many old ones
        return names

    def _newest_first(self, now: datetime) -> Iterator[tuple[datetime, str]]:
        since = now - timedelta(days=DAYS)
        for ago in range(DAYS + 1):
            day = (now - timedelta(days=ago)).date()
            shards = (
                self._store.messages.recent(day, shard, since) for shard in range(RECENT_SHARDS)
            )
            yield from heapq.merge(*shards, reverse=True)

    def _worth_a_look(self, now: float) -> list[str]:
        """Those that have waited longest beyond their time."""
        at = _at(now)
        overdue = (
            (self._looked[name] + row.look_after(at) - now, name)
            for name, row in self._rows.items()
        )
        return [name for late, name in heapq.nsmallest(AGAIN, overdue) if late <= 0]

    # ---- what is learned

    def _learn(self, asked: dict[str, int], now: float) -> bool:
        """Whether anything is other than it was."""
        stories = self._store.messages.histories(asked)
        rows = {name: Row.of(story) for name, story in stories.items()}
        gone = [name for name in asked if name not in rows and name in self._rows]
        changed = any(self._rows.get(name) != row for name, row in rows.items())
        for name in gone:
            del self._rows[name], self._looked[name]
        self._rows |= rows
        self._looked |= dict.fromkeys(rows, now)
        return changed or bool(gone)

    def _tell(self, now: float) -> None:
        rows = sorted(self._rows.values(), key=lambda row: row.place, reverse=True)
        for row in rows[MOST:]:
            del self._rows[row.message_id], self._looked[row.message_id]
        whole = self._complete and len(rows) < MOST
        oldest = rows[:MOST][-1].accepted_at if rows else None
        self._snapshot = Snapshot(
            rows=tuple(rows[:MOST]),
            since=_at(now) - timedelta(days=DAYS) if whole else oldest,
            complete=self._complete,
            whole=whole,
            version=self._snapshot.version + 1,
        )


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
