"""Counters: how many codes were sent to a recipient, a client, a prefix or a country, and how many
of them were approved.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from messaging.domain.errors import Uncounted
from messaging.domain.limits import Cohort, Counter, Used, Window
from messaging.store.table import Item, Key, Table, epoch, item_before

# As in "the verifications of these two minutes": what is judged together.
COHORT = timedelta(minutes=2)
# An item of so many cohorts and a new one has less than 1,024 bytes, so that writing it costs one
# unit. They are the newest that are not empty: an hour of a busy prefix, many of a quiet one.
COHORTS = 32
# A counter that changes while it is added to is read again; a further change means that a window
# began in between, which happens once an hour.
TRIES = 5

# The attributes of a cohort: how many were started and approved, by its number. Short, because an
# item has 64 of them.
_OF_A_COHORT = re.compile(r"[sa](\d+)")

P = ParamSpec("P")
R = TypeVar("R")


def _uncounted(call: Callable[P, R]) -> Callable[P, R]:
    """The same, but an error of DynamoDB is raised as `Uncounted`."""

    def counted(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except (ClientError, BotoCoreError) as error:
            raise Uncounted(type(error).__name__) from error

    return counted


class Counters:
    """The counters in the table. Each method raises `Uncounted` if DynamoDB does not answer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @_uncounted
    def read(self, names: Iterable[str]) -> dict[str, Counter]:
        """The counters of these names; one that does not exist has counted nothing.

        The read costs half of a consistent one. What it misses, the condition of `add` notices.
        """
        wanted = list(names)
        items = self._table.batch([_key(name) for name in wanted], consistent=False)
        found = {counter.name: counter for counter in map(_counter, items)}
        return {name: found.get(name) or Counter(name) for name in wanted}

    @_uncounted
    def add(
        self,
        counter: Counter,
        windows: tuple[Window, ...],
        now: datetime,
        keep: timedelta,
        *,
        started: bool = False,
    ) -> datetime | None:
        """Adds one to each window, unless one of them is full: then when that ends. `started`: adds
        one to the cohort of this time as well. The item expires after `keep`.
        """
        for _ in range(TRIES):
            if until := counter.full_until(windows, now):
                return until
            try:
                self._add(counter, windows, now, now + keep, started=started)
            except self._table.client.exceptions.ConditionalCheckFailedException as failed:
                before = item_before(failed)
                counter = _counter(before) if before else Counter(counter.name)
            else:
                return None
        raise Uncounted("the counter changed each time")

    def _add(
        self,
        counter: Counter,
        windows: tuple[Window, ...],
        now: datetime,
        expiry: datetime,
        *,
        started: bool,
    ) -> None:
        running = [window for window in windows if counter.running(window, now)]
        begins = _began([one for one in windows if one not in running], now)
        adds = {f"{window.name}_used": 1 for window in running}
        condition, values = _unchanged(counter, windows)
        for window in running:
            if window.limit is not None:
                condition += f" AND {window.name}_used < :most_{window.name}"
                values[f":most_{window.name}"] = window.limit
        self._table.update(
            _key(counter.name),
            {**begins, "retained_until": epoch(expiry)},
            add=adds | ({f"s{_number(now)}": 1} if started else {}),
            remove=_outdated(counter) if started else (),
            condition=condition,
            values=values,
        )

    @_uncounted
    def open_breaker(self, counter: Counter, until: datetime) -> Counter | None:
        """The counter with a block until this time; None if another call was first."""
        condition, values = "attribute_not_exists(blocked_until)", {}
        if counter.blocked_until:
            condition = "blocked_until = :was"
            values = {":was": epoch(counter.blocked_until)}
        changes = {"blocked_until": epoch(until)}
        try:
            item = self._table.update(
                _key(counter.name), changes, condition=condition, values=values
            )
        except self._table.client.exceptions.ConditionalCheckFailedException:
            return None
        return _counter(item)

    @staticmethod
    def entry(name: str, now: datetime) -> str:
        """What `approve` needs to know of a verification that was started at this time."""
        return f"{name}#{_number(now)}"

    @_uncounted
    def approve(self, entry: str, now: datetime, keep: timedelta) -> None:
        """Stores when the counter was last approved. An `entry` with a cohort adds the approval to
        it, and takes the code out of the window of the hour. A counter that has expired is not
        created again.
        """
        kind, name, *cohort = entry.split("#")
        adds = {f"a{cohort[0]}": 1, "hour_used": -1} if cohort else {}
        changes = {"approved_at": epoch(now), "retained_until": epoch(now + keep)}
        try:
            self._table.update(_key(f"{kind}#{name}"), changes, add=adds)
        except self._table.client.exceptions.ConditionalCheckFailedException:
            return


def _key(name: str) -> Key:
    return Key(f"limit#{name}", "counter")


def _number(at: datetime) -> int:
    return epoch(at) // int(COHORT.total_seconds())


def _began(windows: Sequence[Window], now: datetime) -> dict[str, int]:
    """The attributes of windows that begin with a code that is sent now."""
    ends = {f"{window.name}_until": epoch(now + window.length) for window in windows}
    return ends | {f"{window.name}_used": 1 for window in windows}


def _unchanged(counter: Counter, windows: Iterable[Window]) -> tuple[str, dict[str, Any]]:
    """The condition that no window began or ended since the counter was read, and its values."""
    parts, values = [], dict[str, Any]()
    for name in (window.name for window in windows):
        if used := counter.used.get(name):
            parts.append(f"{name}_until = :was_{name}")
            values[f":was_{name}"] = epoch(used.until)
        else:
            parts.append(f"attribute_not_exists({name}_until)")
    return " AND ".join(parts), values


def _counter(item: Item) -> Counter:
    used = {
        name: Used(int(item[f"{name}_used"]), _time(item[f"{name}_until"]))
        for name in ("hour", "day", "trials")
        if f"{name}_until" in item
    }
    numbers = {int(found[1]) for name in item if (found := _OF_A_COHORT.fullmatch(name))}
    return Counter(
        item["pk"].removeprefix("limit#"),
        used,
        tuple(_cohort(item, number) for number in sorted(numbers, reverse=True)),
        _time(item["approved_at"]) if "approved_at" in item else None,
        _time(item["blocked_until"]) if "blocked_until" in item else None,
    )


def _cohort(item: Item, number: int) -> Cohort:
    began = _time(number * COHORT.total_seconds())
    started, approved = (int(item.get(f"{word}{number}", 0)) for word in "sa")
    return Cohort(began, began + COHORT, started, approved)


def _outdated(counter: Counter) -> tuple[str, ...]:
    """The attributes of the cohorts that are too many."""
    return tuple(
        f"{word}{_number(cohort.began)}" for cohort in counter.cohorts[COHORTS:] for word in "sa"
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
