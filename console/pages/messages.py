"""The page `Messages`: the newest first, with search and filters, updated live."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.context import ConsoleContext
from console.live import PageUpdate
from console.paging import Place, one_of, place, result_page, written
from console.recent import Snapshot
from console.summaries import MessageSummary
from messaging.channels.catalog import channels
from messaging.domain.messages import MESSAGE_ID
from messaging.domain.statuses import MessageStatus

MAX_SEARCH = 200
# How long a search waits for messages that are not in memory yet.
SEARCH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class MessageFilters:
    """The filters in the page's address; invalid ones are ignored.

    `below`: the place of the first message on the page; None: the newest.
    """

    search: str = ""
    status: str = ""
    channel: str = ""
    below: Place | None = None

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        return cls(
            search=" ".join(query.get("q", "").split())[:MAX_SEARCH],
            status=one_of(query.get("status", ""), tuple(MessageStatus)),
            channel=one_of(query.get("channel", ""), tuple(channels())),
            below=place(query.get("below", "")),
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.search or self.status or self.channel)

    def address(self, below: Place | None = None) -> str:
        """The query string of the same list, from another place on."""
        query = {"q": self.search, "status": self.status, "channel": self.channel}
        if below is not None:
            query["below"] = written(below)
        return urlencode({name: value for name, value in query.items() if value})

    def match(self, row: MessageSummary) -> bool:
        return (
            self.status in ("", row.status)
            and (not self.channel or self.channel in row.channels)
            and all(word in row.searched for word in self.search.lower().split())
        )


class MessageList:
    """The list for one or more viewers, rendered again only when it has changed."""

    def __init__(self, context: ConsoleContext, filters: MessageFilters) -> None:
        self._context = context
        self._filters = filters
        self._rendered: tuple[int, MessageSummary | None] | None = None
        self._html = ""

    def values(self, snapshot: Snapshot) -> dict[str, Any]:
        """The values of the templates."""
        older = self._older(snapshot)
        rows = (*snapshot.rows, older) if older else snapshot.rows
        return {
            "filters": self._filters,
            "results": result_page(self._filters, rows),
            "snapshot": snapshot,
        }

    def refresh(self) -> PageUpdate:
        snapshot = self._context.recent.now()
        rendered = snapshot.version, self._older(snapshot)
        if rendered != self._rendered:
            self._html = self._context.render("messages_list.html", **self.values(snapshot))
            self._rendered = rendered
        return PageUpdate({"list": self._html}, self._context.recent.again_in())

    def _older(self, snapshot: Snapshot) -> MessageSummary | None:
        """The message whose id is searched for, if it is older than those in memory."""
        if not MESSAGE_ID.fullmatch(self._filters.search):
            return None
        row = self._context.recent.find(self._filters.search)
        known = row is None or (snapshot.rows and row.place >= snapshot.rows[-1].place)
        return None if known else row


def routes(context: ConsoleContext) -> list[Route]:
    def page(request: Request) -> Response:
        filters = MessageFilters.of(request.query_params)
        recent = context.recent
        snapshot = recent.at_hand()
        if filters.search and not (
            MESSAGE_ID.fullmatch(filters.search) and recent.find(filters.search)
        ):
            snapshot = recent.all_within(SEARCH_SECONDS)
        return context.page(
            request,
            "messages.html",
            statuses=tuple(MessageStatus),
            channels=tuple(channels()),
            live=f"/live/messages?{filters.address(filters.below)}",
            **MessageList(context, filters).values(snapshot),
        )

    async def events(request: Request) -> Response:
        filters = MessageFilters.of(request.query_params)
        key = f"messages?{filters.address(filters.below)}"
        return context.hub.response(key, MessageList(context, filters).refresh)

    return [
        Route("/messages", page, methods=["GET"]),
        Route("/live/messages", events, methods=["GET"]),
    ]
