"""The page `Codes`: the newest verifications with their state, and how many were approved."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.context import ConsoleContext
from console.conversion import ENOUGH, conversions
from console.live import PageUpdate
from console.paging import Place, one_of, place, result_page, written
from console.recent import Snapshot
from console.recent_index import DAYS
from console.summaries import MessageSummary
from messaging.domain.verifications import VerificationStatus

# By their name in the address: the time spans and their labels.
RANGES: Final = {
    "hour": (timedelta(hours=1), "the last hour"),
    "day": (timedelta(hours=24), "the last 24 hours"),
    "week": (timedelta(days=DAYS), f"the last {DAYS} days"),
}
FRAGMENTS: Final = ("conversion", "list")


@dataclass(frozen=True, slots=True)
class CodeFilters:
    """The filters in the page's address; invalid ones are ignored. `now`: a code may have expired
    by then.
    """

    now: datetime
    state: str = ""
    span: str = "day"
    below: Place | None = None

    @classmethod
    def of(cls, query: QueryParams, now: datetime) -> Self:
        return cls(
            now,
            state=one_of(query.get("state", ""), tuple(VerificationStatus)),
            span=one_of(query.get("range", ""), tuple(RANGES)) or "day",
            below=place(query.get("below", "")),
        )

    @property
    def since(self) -> datetime:
        return self.now - RANGES[self.span][0]

    @property
    def narrowed(self) -> bool:
        return bool(self.state)

    def address(self, below: Place | None = None) -> str:
        """The query string of the same list, from another place on."""
        query = {"state": self.state, "range": self.span}
        if below is not None:
            query["below"] = written(below)
        return urlencode({name: value for name, value in query.items() if value})

    def match(self, row: MessageSummary) -> bool:
        return row.code is not None and self.state in ("", row.code.status(self.now))


@dataclass(frozen=True)
class CodeList:
    """The page's fragments for one or more viewers of an address."""

    context: ConsoleContext
    query: QueryParams

    def values(self, snapshot: Snapshot) -> dict[str, Any]:
        """The values of the templates."""
        filters = CodeFilters.of(self.query, datetime.now(UTC))
        recent = (row for row in snapshot.rows if row.accepted_at >= filters.since)
        rows = [row for row in recent if row.code]
        covered = snapshot.since is not None and snapshot.since <= filters.since
        return {
            "filters": filters,
            "span": RANGES[filters.span][1],
            "results": result_page(filters, rows),
            "conversions": conversions([row.code for row in rows if row.code], filters.now),
            "covered": covered or snapshot.whole,
            "snapshot": snapshot,
            "now": filters.now,
            "enough": ENOUGH,
        }

    def refresh(self) -> PageUpdate:
        values = self.values(self.context.recent.now())
        fragments = {
            name: self.context.render(f"codes_{name}.html", **values) for name in FRAGMENTS
        }
        return PageUpdate(fragments, self.context.recent.again_in())


def routes(context: ConsoleContext) -> list[Route]:
    def page(request: Request) -> Response:
        query = request.query_params
        return context.page(
            request,
            "codes.html",
            states=tuple(VerificationStatus),
            ranges={name: label for name, (_, label) in RANGES.items()},
            live=f"/live/codes?{_address(query)}",
            **CodeList(context, query).values(context.recent.at_hand()),
        )

    async def events(request: Request) -> Response:
        query = request.query_params
        return context.hub.response(f"codes?{_address(query)}", CodeList(context, query).refresh)

    return [
        Route("/codes", page, methods=["GET"]),
        Route("/live/codes", events, methods=["GET"]),
    ]


def _address(query: QueryParams) -> str:
    filters = CodeFilters.of(query, datetime.now(UTC))
    return filters.address(filters.below)
