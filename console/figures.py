"""The figures of the overview: shares, delivery times and costs of the messages of a time span."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from console.summaries import ARRIVED, AttemptSummary, MessageSummary
from messaging.channels.catalog import channels
from messaging.domain.statuses import FINAL, OPEN, AttemptStatus, MessageStatus
from messaging.pricing.prices import Prices

MINUTE: Final = timedelta(minutes=1)
THOUSAND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Share:
    """`count` out of `of`."""

    count: int
    of: int

    @property
    def percent(self) -> float | None:
        """None if there is nothing to have a share of."""
        return 100 * self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds from acceptance to delivery: the 50th and the 95th percentile."""

    p50: float | None
    p95: float | None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> "Percentiles":
        ordered = sorted(seconds)
        return cls(_nearest_rank(ordered, 0.50), _nearest_rank(ordered, 0.95))


def _nearest_rank(ordered: Sequence[float], part: float) -> float | None:
    return ordered[math.ceil(part * len(ordered)) - 1] if ordered else None


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """The attempts on one channel, and the delivery times of the messages that it delivered."""

    name: str
    attempts: int
    delivered: Share
    failed: int
    timed_out: int
    waiting: int
    fallback: Share
    times: Percentiles


@dataclass(frozen=True, slots=True)
class CostPerThousand:
    """US dollars for a thousand messages like these: state transitions, and each channel's fees.
    `unpriced`: channels that were used and have no list price.
    """

    states: float
    fees: Mapping[str, float]
    unpriced: tuple[str, ...]

    @property
    def dollars(self) -> float:
        return self.states + sum(self.fees.values())


@dataclass(frozen=True, slots=True)
class MinuteCounts:
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
    """Of the messages that were accepted in one time span."""

    messages: int
    statuses: Mapping[MessageStatus, int]
    reached: Share
    by_fallback: Share
    times: Percentiles
    channels: tuple[ChannelFigures, ...]
    cost: CostPerThousand | None


def figures(rows: Sequence[MessageSummary], prices: Prices) -> Figures:
    ended = [row for row in rows if row.status in FINAL]
    reached = [row for row in ended if row.reached]
    statuses = Counter(row.status for row in rows)
    return Figures(
        messages=len(rows),
        statuses={status: statuses[status] for status in MessageStatus if statuses[status]},
        reached=Share(len(reached), len(ended)),
        by_fallback=Share(sum(row.reached_by_fallback for row in reached), len(reached)),
        times=Percentiles.of(_times(rows)),
        channels=tuple(filter(None, (_channel(name, rows) for name in channels()))),
        cost=_cost(rows, prices) if rows else None,
    )


def _times(rows: Iterable[MessageSummary], channel: str | None = None) -> Iterator[float]:
    for row in rows:
        if row.delivered_in is not None and channel in (None, row.delivered_by):
            yield row.delivered_in


def _channel(name: str, rows: Sequence[MessageSummary]) -> ChannelFigures | None:
    """None if there was no attempt on the channel."""
    attempts = [one for row in rows for one in row.attempts if one.channel == name]
    if not attempts:
        return None
    statuses = Counter(one.status for one in attempts)
    waiting = sum(statuses[status] for status in OPEN)
    return ChannelFigures(
        name=name,
        attempts=len(attempts),
        delivered=Share(sum(statuses[status] for status in ARRIVED), len(attempts) - waiting),
        failed=statuses[AttemptStatus.FAILED],
        timed_out=statuses[AttemptStatus.TIMED_OUT],
        waiting=waiting,
        fallback=Share(sum(one.fallback for one in attempts), len(attempts)),
        times=Percentiles.of(_times(rows, name)),
    )


def _cost(rows: Sequence[MessageSummary], prices: Prices) -> CostPerThousand:
    each = THOUSAND / len(rows)
    parts: Counter[str] = Counter()
    for one in _billed(rows):
        parts[one.channel] += one.parts
    return CostPerThousand(
        states=each * sum(row.states for row in rows) * prices.aws["states"],
        fees={
            name: each * count * prices.channels[name]
            for name, count in parts.items()
            if name in prices.channels
        },
        unpriced=tuple(name for name in parts if name not in prices.channels),
    )


def _billed(rows: Iterable[MessageSummary]) -> Iterator[AttemptSummary]:
    return (one for row in rows for one in row.attempts if one.billed)


def minutes(rows: Iterable[MessageSummary], now: datetime, count: int) -> list[MinuteCounts]:
    """The last minutes, oldest first; the current one is the last."""
    last = now.replace(second=0, microsecond=0)
    kinds = Counter((row.accepted_at.replace(second=0, microsecond=0), _kind(row)) for row in rows)
    return [
        MinuteCounts(at, *(kinds[at, kind] for kind in ("delivered", "failed", "waiting")))
        for at in (last - ago * MINUTE for ago in reversed(range(count)))
    ]


def _kind(row: MessageSummary) -> str:
    if row.status not in FINAL:
        return "waiting"
    return "delivered" if row.reached else "failed"
