"""Limits on how many codes are sent: those of the stack, and what was counted against them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class BreakerMode(StrEnum):
    """What a breaker that opened does: counts and alarms only, or refuses as well."""

    MONITOR = "monitor"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """The limits of the stack. Countries are ISO 3166 codes; no `allowed` one: all are allowed."""

    per_recipient_hour: int
    per_recipient_day: int
    per_prefix_hour: int
    per_client_hour: int
    allowed: frozenset[str]
    denied: frozenset[str]
    breaker: BreakerMode
    breaker_percent: int


@dataclass(frozen=True, slots=True)
class Window:
    """A time that begins with the first use after the previous one has ended, and the most that is
    counted in it; None: any number.
    """

    name: str
    length: timedelta
    limit: int | None


@dataclass(frozen=True, slots=True)
class Used:
    """What was counted in a window, and when the window ends."""

    count: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Cohort:
    """The verifications that were started together, within minutes, and how many of them have been
    approved so far.
    """

    began: datetime
    ended: datetime
    started: int
    approved: int


@dataclass(frozen=True, slots=True)
class Counter:
    """What was counted of one recipient, client, prefix or country. Cohorts: newest first."""

    name: str
    used: Mapping[str, Used] = field(default_factory=dict)
    cohorts: tuple[Cohort, ...] = ()
    approved_at: datetime | None = None
    blocked_until: datetime | None = None

    def running(self, window: Window, now: datetime) -> Used | None:
        used = self.used.get(window.name)
        return used if used and now < used.until else None

    def full_until(self, windows: tuple[Window, ...], now: datetime) -> datetime | None:
        """When the last of the windows that are full ends; None if none is full."""
        full = [
            used.until
            for window in windows
            if window.limit is not None
            and (used := self.running(window, now))
            and used.count >= window.limit
        ]
        return max(full, default=None)

    def is_blocked(self, now: datetime) -> bool:
        return self.blocked_until is not None and now < self.blocked_until
