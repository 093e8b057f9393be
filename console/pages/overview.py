"""The page `Overview`: how it goes, in numbers, and what lies in the queues."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.desk import Desk
from console.figures import Figures, Minute, figures, minutes
from console.live import Glance
from console.recent import Row, Snapshot
from messaging.pricing import prices

SPANS: Final = (("The last hour", timedelta(hours=1)), ("The last 24 hours", timedelta(hours=24)))
MINUTES: Final = 60
FRAGMENTS: Final = ("numbers", "chart", "queues")
# Seconds between two looks on one machine, and where each is paid for.
LOCAL, DEPLOYED = 3.0, 15.0


@dataclass(frozen=True, slots=True)
class About:
    """A queue: what lies in it, and what to do about that."""

    output: str
    name: str
    means: str
    do: str = "make dlq shows which and why; mend the cause, then make redrive puts them back"


QUEUES: Final = (
    About(
        "RequestsQueueUrl",
        "Requests",
        "accepted, and about to be started",
        "nothing: it empties by itself, at the stack's pace",
    ),
    About("RequestsDeadLetterQueueUrl", "Requests not started", "could not be started"),
    About("ReceiptsDeadLetterQueueUrl", "Receipts not handed over", "SNS could not deliver them"),
    About(
        "UnrecordedReceiptsQueueUrl", "Receipts not recorded", "three tries to record one failed"
    ),
    About("UnclosedMessagesQueueUrl", "Ends not noted", "an execution ended, and nobody noted it"),
)


@dataclass(frozen=True, slots=True)
class Depth:
    """How many lie in a queue, and how many of them somebody works on right now."""

    about: About
    waiting: int
    held: int

    @property
    def dead(self) -> bool:
        return self.about.output != QUEUES[0].output


class Depths:
    """Asked at most once in `seconds`, however many look."""

    def __init__(self, desk: Desk, seconds: float) -> None:
        self._desk = desk
        self._seconds = seconds
        self._asked = float("-inf")
        self._known: list[Depth] = []

    def now(self) -> list[Depth]:
        if time.monotonic() - self._asked >= self._seconds:
            self._known = [self._ask(about) for about in QUEUES]
            self._asked = time.monotonic()
        return self._known

    def _ask(self, about: About) -> Depth:
        told = self._desk.clients.queues.get_queue_attributes(
            QueueUrl=self._desk.installation.queues[about.output],
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        count = {name: int(value) for name, value in told.items()}
        held = count.get("ApproximateNumberOfMessagesNotVisible", 0)
        return Depth(about, sum(count.values()) - held, held)


@dataclass(frozen=True, slots=True)
class Span:
    """`covered`: the memory goes back as far as the span does."""

    name: str
    figures: Figures
    covered: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The last hour by minutes; `top` is the height of the scale."""

    minutes: Sequence[Minute]
    top: int


def chart(rows: Sequence[Row], now: datetime) -> Chart:
    bars = minutes(rows, now, MINUTES)
    return Chart(bars, _round_up(max(bar.total for bar in bars)))


def _round_up(most: int) -> int:
    """To 1, 2 or 5 and noughts, so that the scale reads well and does not jump with each one."""
    size = 1
    while True:
        for step in (1, 2, 5):
            if most <= step * size:
                return step * size
        size *= 10


def spans(snapshot: Snapshot, now: datetime) -> list[Span]:
    told = []
    for name, length in SPANS:
        rows = [row for row in snapshot.rows if row.accepted_at >= now - length]
        covered = snapshot.since is not None and snapshot.since <= now - length
        told.append(Span(name, figures(rows, prices.load()), covered or snapshot.whole))
    return told


class Overview:
    """The page's fragments, worked out once for all who look."""

    def __init__(self, desk: Desk, depths: Depths) -> None:
        self._desk = desk
        self._depths = depths

    def values(self, snapshot: Snapshot) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "spans": spans(snapshot, now),
            "chart": chart(snapshot.rows, now),
            "depths": self._depths.now(),
            "snapshot": snapshot,
            "prices_read": prices.load().read,
        }

    def look(self, pause: float) -> Callable[[], Glance]:
        def glance() -> Glance:
            values = self.values(self._desk.recent.now())
            told = {
                name: self._desk.render(f"overview_{name}.html", **values) for name in FRAGMENTS
            }
            return Glance(told, pause)

        return glance


def routes(desk: Desk) -> list[Route]:
    pause = LOCAL if desk.installation.local else DEPLOYED
    overview = Overview(desk, Depths(desk, pause))

    def page(request: Request) -> Response:
        return desk.page(request, "overview.html", **overview.values(desk.recent.at_hand()))

    async def events(_: Request) -> EventSourceResponse:
        return desk.hub.response("overview", overview.look(pause))

    return [
        Route("/overview", page, methods=["GET"]),
        Route("/live/overview", events, methods=["GET"]),
    ]
