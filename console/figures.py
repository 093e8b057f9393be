"""What the overview says in numbers of the messages of some hours."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from console.recent import Row, Try
from messaging.domain.messages import CHANNELS
from messaging.domain.statuses import FINAL, OPEN, AttemptStatus, MessageStatus
from messaging.pricing.prices import Prices

MINUTE: Final = timedelta(minutes=1)
THOUSAND: Final = 1_000
_REACHED: Final = frozenset({MessageStatus.DELIVERED, MessageStatus.SENT})
_ARRIVED: Final = frozenset({AttemptStatus.DELIVERED, AttemptStatus.READ})


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def percent(self) -> float | None:
        """None of none is no share."""
        return 100 * self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the acceptance to the delivery: of the middle one, and of the slowest
    twentieth's fastest.
    """

    p50: float | None
    p95: float | None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Times":
        ordered = sorted(seconds)
        return cls(_nearest_rank(ordered, 0.50), _nearest_rank(ordered, 0.95))


def _nearest_rank(ordered: Sequence[float], part: float) -> float | None:
    return ordered[math.ceil(part * len(ordered)) - 1] if ordered else None


@dataclass(frozen=True, slots=True)
class Channel:
    """The attempts on one channel, and the times of the messages that came through on it."""

    name: str
    attempts: int
    delivered: Share
    failed: int
    timed_out: int
    waiting: int
    fallback: Share
    times: Times


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars for a thousand messages like these: the workflow's states, each channel's fees."""

    states: float
    fees: Mapping[str, float]

    @property
    def dollars(self) -> float:
        return self.states + sum(self.fees.values())


@dataclass(frozen=True, slots=True)
class Minute:
    """The messages that were accepted in one minute, by what became of them."""

    at: datetime
    delivered: int
    failed: int
    waiting: int

    @property
    def total(self) -> int:
        return self.delivered + self.failed + self.waiting


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the messages that were accepted in one span of time."""

    messages: int
    statuses: Mapping[MessageStatus, int]
    reached: Share
    by_fallback: Share
    times: Times
    channels: tuple[Channel, ...]
    cost: Cost | None


def figures(rows: Sequence[Row], prices: Prices) -> Figures:
    over = [row for row in rows if row.status in FINAL]
    reached = [row for row in over if row.status in _REACHED]
    statuses = Counter(row.status for row in rows)
    return Figures(
        messages=len(rows),
        statuses={status: statuses[status] for status in MessageStatus if statuses[status]},
        reached=Share(len(reached), len(over)),
        by_fallback=Share(sum(row.reached_by_fallback for row in reached), len(reached)),
        times=Times.of(_times(rows)),
        channels=tuple(filter(None, (_channel(name, rows) for name in CHANNELS))),
        cost=_cost(rows, prices) if rows else None,
    )


def _times(rows: Iterable[Row], channel: str | None = None) -> Iterator[float]:
    for row in rows:
        if row.delivered_in is not None and channel in (None, row.delivered_by):
            yield row.delivered_in


def _channel(name: str, rows: Sequence[Row]) -> Channel | None:
    """None where it was not tried."""
    tries = [one for row in rows for one in row.tries if one.channel == name]
    if not tries:
        return None
    statuses = Counter(one.status for one in tries)
    open_ones = sum(statuses[status] for status in OPEN)
    return Channel(
        name=name,
        attempts=len(tries),
        delivered=Share(sum(statuses[status] for status in _ARRIVED), len(tries) - open_ones),
        failed=statuses[AttemptStatus.FAILED],
        timed_out=statuses[AttemptStatus.TIMED_OUT],
        waiting=open_ones,
        fallback=Share(sum(one.fallback for one in tries), len(tries)),
        times=Times.of(_times(rows, name)),
    )


def _cost(rows: Sequence[Row], prices: Prices) -> Cost:
    each = THOUSAND / len(rows)
    parts: Counter[str] = Counter()
    for one in _taken(rows):
        parts[one.channel] += one.parts
    return Cost(
        states=each * sum(row.states for row in rows) * prices.aws["states"],
        fees={name: each * count * prices.channels[name] for name, count in parts.items()},
    )


def _taken(rows: Iterable[Row]) -> Iterator[Try]:
    return (one for row in rows for one in row.tries if one.taken)


def minutes(rows: Iterable[Row], now: datetime, count: int) -> list[Minute]:
    """The last minutes up to the one that runs now, oldest first."""
    last = now.replace(second=0, microsecond=0)
    kinds = Counter((row.accepted_at.replace(second=0, microsecond=0), _kind(row)) for row in rows)
    return [
        Minute(at, *(kinds[at, kind] for kind in ("delivered", "failed", "waiting")))
        for at in (last - ago * MINUTE for ago in reversed(range(count)))
    ]


def _kind(row: Row) -> str:
    if row.status not in FINAL:
        return "waiting"
    return "delivered" if row.status in _REACHED else "failed"
