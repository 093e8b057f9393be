"""The page of one message: where it is in the workflow, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.cost import NOT_COUNTED, cost, exact
from console.desk import Desk
from console.drawing.layout import CannotDraw, layout
from console.drawing.picture import Picture, picture, visited
from console.execution import ENDS, Event, Execution
from console.facts import Facts
from console.live import Glance
from console.plain import pretty, visible
from console.timeline import elapsed, summary, timeline
from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import MESSAGE_ID, MessageHistory
from messaging.domain.plan import address
from messaging.pricing import prices

WORKFLOW: Final = Path(__file__).parents[2] / "statemachine" / "deliver_message.asl.json"
# Seconds from one look to the next: on one machine, and where each look is paid for.
BUSY, CALM, OVER = (0.4, 2.0), (1.0, 5.0), (10.0, 30.0)
CALM_AFTER: Final = timedelta(seconds=10)
PARTS: Final = ("head", "drawing", "timeline", "cost")


def routes(desk: Desk) -> list[Route]:
    desk.templates.filters |= {"elapsed": elapsed, "exact": exact}

    def page(request: Request) -> Response:
        watched = Watched(desk, _id(request))
        facts = watched.facts()
        if facts is None:
            raise HTTPException(404, f"There is no message {watched.message_id} here.")
        values = watched.values(facts, watched.definition(facts)) | watched.raw(facts)
        return desk.page(request, "message.html", **values)

    async def events(request: Request) -> Response:
        message_id = _id(request)
        return desk.hub.response(f"message {message_id}", Watched(desk, message_id).look)

    return [
        Route("/messages/{message_id}", page, methods=["GET"]),
        Route("/messages/{message_id}/events", events, methods=["GET"]),
    ]


def _id(request: Request) -> str:
    message_id: str = request.path_params["message_id"]
    if not MESSAGE_ID.fullmatch(message_id):
        raise HTTPException(
            404, "That is no message's id: it has at most 80 of 0-9, A-Z, a-z, _, -."
        )
    return message_id


@dataclass
class Watched:
    """One message as the page shows it. What cannot change any more is read once."""

    desk: Desk
    message_id: str
    _history: Sequence[Event] = field(default=())

    def facts(self) -> Facts | None:
        """All that is known now; None if there is no such message."""
        story, history = self._story(), self._events()
        if story is None and not history:
            return None
        receipts = self.desk.store.receipts.of(self.message_id) if story else []
        execution = Execution.read(history) if history else None
        erased = story is None and self.desk.store.erasure.was_erased(self.message_id)
        return Facts(self.message_id, story, receipts, execution, erased)

    def look(self) -> Glance:
        facts = self.facts()
        if facts is None:
            return Glance({}, self._pause(OVER))
        values = self.values(facts, self.definition(facts))
        fragments = {part: self.desk.render(f"message_{part}.html", **values) for part in PARTS}
        if facts.over:
            fragments["raw"] = self.desk.render("message_raw.html", **self.raw(facts))
        return Glance(fragments, self._pause(self._pace(facts)))

    def _pace(self, facts: Facts) -> tuple[float, float]:
        last = self._history[-1]["timestamp"] if self._history else facts.since
        recent = datetime.now(UTC) - last < CALM_AFTER
        if facts.over:
            return CALM if recent or not facts.settled else OVER
        return BUSY if recent else CALM

    def _pause(self, pace: tuple[float, float]) -> float:
        local, deployed = pace
        return local if self.desk.installation.local else deployed

    def _story(self) -> MessageHistory | None:
        try:
            return self.desk.store.messages.history(self.message_id)
        except UnknownMessage:
            return None

    def _events(self) -> Sequence[Event]:
        """Empty if there is no execution: not yet, or no more."""
        if self._history and self._history[-1]["type"] in ENDS:
            return self._history
        workflow = self.desk.clients.workflow
        pages = workflow.get_paginator("get_execution_history").paginate(
            executionArn=self._arn, PaginationConfig={"PageSize": 1000}
        )
        try:
            self._history = [event for page in pages for event in page["events"]]
        except workflow.exceptions.ExecutionDoesNotExist:
            self._history = ()
        return self._history

    @property
    def _arn(self) -> str:
        return self.desk.installation.execution_arn(self.message_id)

    def definition(self, facts: Facts) -> str:
        """The one that runs or ran, which a later deployment may have replaced."""
        return self._deployed if facts.execution else WORKFLOW.read_text()

    @cached_property
    def _deployed(self) -> str:
        described = self.desk.clients.workflow.describe_state_machine_for_execution(
            executionArn=self._arn
        )
        return described["definition"]

    def values(self, facts: Facts, definition: str) -> dict[str, Any]:
        """What the parts of the page show."""
        drawn, missing = _drawn(facts, definition)
        return {
            "facts": facts,
            "summary": summary(facts),
            "entries": timeline(facts),
            "visited": visited(facts.execution, facts.since) if facts.execution else [],
            "picture": drawn,
            "cannot_draw": missing,
            "cost": cost(facts, prices.load()),
            "not_counted": NOT_COUNTED,
            "execution_url": self.desk.installation.execution_url(self.message_id),
            "to": _recipient(facts),
            "metadata": _metadata(facts),
        }

    def raw(self, facts: Facts) -> dict[str, Any]:
        """Long, so it is sent once, when it will not change any more."""
        return {"request_text": pretty(facts.request), "history_text": pretty(self._history)}


def _drawn(facts: Facts, definition: str) -> tuple[Picture | None, str | None]:
    """The drawing, or why there is none."""
    try:
        placed = layout(definition, branches=facts.shows_branches)
    except CannotDraw as error:
        return None, str(error)
    return picture(placed, facts.execution, facts.since, facts.ahead), None


def _recipient(facts: Facts) -> str | None:
    """The last one that the message was sent to, else the first that it is for."""
    if facts.story is None or not facts.plan.attempts:
        return None
    number = facts.attempts[-1].number if facts.attempts else 1
    planned = facts.plan.attempt(number)
    request = facts.story.message.request
    step = request["steps"][planned.step - 1]
    return address(request, step, planned.channel, "to")


def _metadata(facts: Facts) -> Mapping[str, str]:
    metadata: Mapping[str, str] = facts.told.get("metadata", {})
    return {visible(name): visible(value) for name, value in metadata.items()}
