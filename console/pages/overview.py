"""The page `Overview`: delivery figures, and the messages in the queues."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.context import ConsoleContext
from console.figures import Figures, MinuteCounts, figures, minutes
from console.live import PageUpdate
from console.recent import Snapshot
from console.summaries import MessageSummary
from messaging.pricing import prices

SPANS: Final = (("The last hour", timedelta(hours=1)), ("The last 24 hours", timedelta(hours=24)))
MINUTES: Final = 60
FRAGMENTS: Final = ("numbers", "chart", "queues")
# Seconds between two refreshes: on one machine, and on AWS, where each one costs money.
LOCAL, DEPLOYED = 3.0, 15.0


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """A queue by its stack output, and what its messages mean."""

    output: str
    name: str
    meaning: str


QUEUES: Final = (
    QueueInfo("RequestsQueueUrl", "Requests", "accepted, waiting for their execution to start"),
    QueueInfo(
        "RequestsDeadLetterQueueUrl", "Requests not started", "their execution could not start"
    ),
    QueueInfo(
        "ReceiptsDeadLetterQueueUrl", "Receipts not delivered", "SNS could not invoke the function"
    ),
    QueueInfo(
        "UnrecordedReceiptsQueueUrl", "Receipts not recorded", "the function failed three times"
    ),
    QueueInfo(
        "UnclosedMessagesQueueUrl",
        "Messages not closed",
        "their execution ended, and their final status could not be stored",
    ),
)


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages are in a queue: visible or delayed ones, and those in flight."""

    queue: QueueInfo
    waiting: int
    in_flight: int

    @property
    def is_dead_letter_queue(self) -> bool:
        return self.queue.output != QUEUES[0].output


class QueueDepths:
    """Requested at most once in `seconds`, however many viewers there are."""

    def __init__(self, context: ConsoleContext, seconds: float) -> None:
        self._context = context
        self._seconds = seconds
        self._read_at = float("-inf")
        self._known: list[QueueDepth] = []

    def now(self) -> list[QueueDepth]:
        if time.monotonic() - self._read_at >= self._seconds:
            self._known = [self._read(queue) for queue in QUEUES]
            self._read_at = time.monotonic()
        return self._known

    def _read(self, queue: QueueInfo) -> QueueDepth:
        attributes = self._context.clients.queues.get_queue_attributes(
            QueueUrl=self._context.installation.queues[queue.output],
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        count = {name: int(value) for name, value in attributes.items()}
        in_flight = count.get("ApproximateNumberOfMessagesNotVisible", 0)
        return QueueDepth(queue, sum(count.values()) - in_flight, in_flight)


@dataclass(frozen=True, slots=True)
class Span:
    """`covered`: all messages of the time span are in memory."""

    name: str
    figures: Figures
    covered: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The last hour by minutes; `top` is the upper end of the scale."""

    minutes: Sequence[MinuteCounts]
    top: int


def chart(rows: Sequence[MessageSummary], now: datetime) -> Chart:
    bars = minutes(rows, now, MINUTES)
    return Chart(bars, _round_up(max(bar.total for bar in bars)))


def _round_up(most: int) -> int:
    """To 1, 2 or 5 times a power of ten, so that the scale rarely changes."""
    size = 1
    while True:
        for step in (1, 2, 5):
            if most <= step * size:
                return step * size
        size *= 10


def spans(snapshot: Snapshot, now: datetime) -> list[Span]:
    found = []
    for name, length in SPANS:
        rows = [row for row in snapshot.rows if row.accepted_at >= now - length]
        covered = snapshot.since is not None and snapshot.since <= now - length
        found.append(Span(name, figures(rows, prices.load()), covered or snapshot.whole))
    return found


class Overview:
    """The page's fragments, computed once for all viewers."""

    def __init__(self, context: ConsoleContext, depths: QueueDepths) -> None:
        self._context = context
        self._depths = depths

    def values(self, snapshot: Snapshot) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "spans": spans(snapshot, now),
            "chart": chart(snapshot.rows, now),
            "depths": self._depths.now(),
            "snapshot": snapshot,
            "prices_read": prices.load().read,
            "fees": _fees(),
        }

    def refresher(self, pause: float) -> Callable[[], PageUpdate]:
        def refresh() -> PageUpdate:
            values = self.values(self._context.recent.now())
            fragments = {
                name: self._context.render(f"overview_{name}.html", **values) for name in FRAGMENTS
            }
            return PageUpdate(fragments, pause)

        return refresh


def _fees() -> list[tuple[float, str]]:
    """The list price of each channel that has one, and what it is charged for."""
    each = prices.load().channels
    return [(each[name], fee["unit"]) for name, fee in prices.listed()["channels"].items()]


def routes(context: ConsoleContext) -> list[Route]:
    pause = LOCAL if context.installation.local else DEPLOYED
    overview = Overview(context, QueueDepths(context, pause))

    def page(request: Request) -> Response:
        return context.page(request, "overview.html", **overview.values(context.recent.at_hand()))

    async def events(_: Request) -> EventSourceResponse:
        return context.hub.response("overview", overview.refresher(pause))

    return [
        Route("/overview", page, methods=["GET"]),
        Route("/live/overview", events, methods=["GET"]),
    ]
