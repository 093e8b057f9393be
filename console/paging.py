"""Pages of a long list: which rows match its filters, and the addresses of the next pages."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from console.summaries import MessageSummary

PAGE: Final = 50
# When a message was accepted, and its id: where it stands in a list.
Place = tuple[datetime, str]


class ListFilters(Protocol):
    """The filters in a list's address. `below`: the place of the first row; None: the newest."""

    @property
    def below(self) -> Place | None: ...

    @property
    def narrowed(self) -> bool: ...

    def address(self, below: Place | None = None) -> str:
        """The query string of the same list, from another place on."""

    def match(self, row: MessageSummary) -> bool: ...


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of the matching messages. `newer`, `older`: the query strings of the next pages."""

    rows: tuple[MessageSummary, ...]
    first: int
    matching: int
    newer: str | None
    older: str | None


def result_page(filters: ListFilters, rows: Sequence[MessageSummary]) -> ResultPage:
    """`rows` are sorted by descending place."""
    matching = [row for row in rows if filters.match(row)] if filters.narrowed else rows
    start = _start(filters, matching)
    end = start + PAGE
    newer = older = None
    if start > 0:
        newer = filters.address(matching[start - PAGE].place if start > PAGE else None)
    if end < len(matching):
        older = filters.address(matching[end].place)
    return ResultPage(tuple(matching[start:end]), start + 1, len(matching), newer, older)


def _start(filters: ListFilters, matching: Sequence[MessageSummary]) -> int:
    if filters.below is None:
        return 0
    below = filters.below
    return bisect_left(matching, True, key=lambda row: row.place <= below)


def written(place: Place) -> str:
    """The place in an address."""
    return f"{place[0].isoformat()}~{place[1]}"


def place(value: str) -> Place | None:
    """The place in an address; None if it is invalid."""
    at, _, message_id = value.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, message_id) if moment.tzinfo else None


def one_of(value: str, known: Sequence[str]) -> str:
    """A filter's value; empty if it is invalid."""
    return value if value in known else ""
