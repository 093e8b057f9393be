"""The page `Messages`: the newest first, searched and filtered, live."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.desk import Desk
from console.live import Glance
from console.recent import Row, Snapshot
from messaging.domain.messages import CHANNELS, MESSAGE_ID
from messaging.domain.statuses import MessageStatus

PAGE = 50
LONGEST_SEARCH = 200
# So long a search waits for what is not in memory yet.
SEARCH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a viewer wants to see, as the address says it; what it says wrong is left out.

    `below`: the place of the topmost message on the page; None: the newest.
    """

    search: str = ""
    status: str = ""
    channel: str = ""
    below: tuple[datetime, str] | None = None

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        return cls(
            search=" ".join(query.get("q", "").split())[:LONGEST_SEARCH],
            status=_one_of(query.get("status", ""), tuple(MessageStatus)),
            channel=_one_of(query.get("channel", ""), CHANNELS),
            below=_place(query.get("below", "")),
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.search or self.status or self.channel)

    def address(self, below: tuple[datetime, str] | None = None) -> str:
        """The query part of the same list, from another place on."""
        said = {"q": self.search, "status": self.status, "channel": self.channel}
        if below is not None:
            said["below"] = f"{below[0].isoformat()}~{below[1]}"
        return urlencode({name: value for name, value in said.items() if value})

    def fits(self, row: Row) -> bool:
        return (
            self.status in ("", row.status)
            and (not self.channel or self.channel in row.channels)
            and all(word in row.searched for word in self.search.lower().split())
        )


def _one_of(said: str, known: tuple[str, ...]) -> str:
    return said if said in known else ""


def _place(said: str) -> tuple[datetime, str] | None:
    at, _, message_id = said.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, message_id) if moment.tzinfo else None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of those that fit. `newer`, `older`: the addresses of the pages beside it."""

    rows: tuple[Row, ...]
    first: int
    fitting: int
    newer: str | None
    older: str | None


def listing(asked: Asked, rows: Sequence[Row]) -> Listing:
    fitting = [row for row in rows if asked.fits(row)] if asked.narrowed else rows
    start = _start(asked, fitting)
    end = start + PAGE
    newer = older = None
    if start > 0:
        newer = asked.address(fitting[start - PAGE].place if start > PAGE else None)
    if end < len(fitting):
        older = asked.address(fitting[end].place)
    return Listing(tuple(fitting[start:end]), start + 1, len(fitting), newer, older)


def _start(asked: Asked, fitting: Sequence[Row]) -> int:
    """Where the page begins; rows come newest first, so that places go down."""
    if asked.below is None:
        return 0
    below = asked.below
    return bisect_left(fitting, True, key=lambda row: row.place <= below)


class List:
    """The list of one viewer or many, drawn anew when there is something new."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self._desk = desk
        self._asked = asked
        self._drawn: tuple[int, Row | None] | None = None
        self._html = ""

    def values(self, snapshot: Snapshot) -> dict[str, Any]:
        """What the templates show."""
        older = self._older(snapshot)
        rows = (*snapshot.rows, older) if older else snapshot.rows
        return {"asked": self._asked, "listing": listing(self._asked, rows), "snapshot": snapshot}

    def glance(self) -> Glance:
        snapshot = self._desk.recent.now()
        drawn = snapshot.version, self._older(snapshot)
        if drawn != self._drawn:
            self._html = self._desk.render("messages_list.html", **self.values(snapshot))
            self._drawn = drawn
        return Glance({"list": self._html}, self._desk.recent.again_in())

    def _older(self, snapshot: Snapshot) -> Row | None:
        """The message whose id is looked for, if it is older than what is in memory."""
        if not MESSAGE_ID.fullmatch(self._asked.search):
            return None
        row = self._desk.recent.find(self._asked.search)
        known = row is None or (snapshot.rows and row.place >= snapshot.rows[-1].place)
        return None if known else row


def routes(desk: Desk) -> list[Route]:
    def page(request: Request) -> Response:
        asked = Asked.of(request.query_params)
        recent = desk.recent
        snapshot = recent.at_hand()
        if asked.search and not (MESSAGE_ID.fullmatch(asked.search) and recent.find(asked.search)):
            snapshot = recent.all_within(SEARCH_SECONDS)
        return desk.page(
            request,
            "messages.html",
            statuses=tuple(MessageStatus),
            channels=CHANNELS,
            live=f"/live/messages?{asked.address(asked.below)}",
            **List(desk, asked).values(snapshot),
        )

    async def events(request: Request) -> Response:
        asked = Asked.of(request.query_params)
        key = f"messages?{asked.address(asked.below)}"
        return desk.hub.response(key, List(desk, asked).glance)

    return [
        Route("/messages", page, methods=["GET"]),
        Route("/live/messages", events, methods=["GET"]),
    ]
