"""The page of one message: where it is in the workflow, why, and what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from console import caller_actions
from console.context import ConsoleContext
from console.cost import NOT_COUNTED, cost, exact
from console.drawing.layout import CannotDraw, layout
from console.drawing.picture import Picture, picture, visited
from console.execution import ENDS, Event, Execution
from console.facts import MessageFacts
from console.live import PageUpdate
from console.notices import Notice, Notices
from console.plain import pretty, visible
from console.timeline.summary import summary
from console.timeline.timeline import elapsed, timeline
from messaging.domain.content import address
from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import MESSAGE_ID, MessageHistory
from messaging.pricing import prices

WORKFLOW: Final = Path(__file__).parents[2] / "statemachine" / "deliver_message.asl.json"
# Seconds between two refreshes: on one machine, and on AWS, where each one costs money.
BUSY, CALM, ENDED = (0.4, 2.0), (1.0, 5.0), (10.0, 30.0)
CALM_AFTER: Final = timedelta(seconds=10)
PARTS: Final = ("head", "verification", "drawing", "timeline", "cost")


def routes(context: ConsoleContext) -> list[Route]:
    context.templates.filters |= {"elapsed": elapsed, "exact": exact}
    notices = Notices()

    def page(request: Request) -> Response:
        message = MessagePage(context, _id(request))
        facts = message.known_facts()
        values = message.values(facts, message.definition(facts)) | message.raw(facts)
        notice = notices.kept.get(request.query_params.get("notice", ""))
        return context.page(request, "message.html", notice=notice, **values)

    async def act(request: Request) -> Response:
        message = MessagePage(context, _id(request))
        async with request.form() as form:
            step = str(form.get("step", ""))
        name = request.path_params["action"]
        notice = await run_in_threadpool(message.act, name, int(step) if step.isdecimal() else None)
        address = f"/messages/{message.message_id}?notice={notices.keep(notice)}#notice"
        return RedirectResponse(address, HTTPStatus.SEE_OTHER)

    async def events(request: Request) -> Response:
        message_id = _id(request)
        return context.hub.response(
            f"message {message_id}", MessagePage(context, message_id).refresh
        )

    return [
        Route("/messages/{message_id}", page, methods=["GET"]),
        Route("/messages/{message_id}/events", events, methods=["GET"]),
        Route("/messages/{message_id}/{action}", act, methods=["POST"]),
    ]


def _id(request: Request) -> str:
    message_id: str = request.path_params["message_id"]
    if not MESSAGE_ID.fullmatch(message_id):
        raise HTTPException(
            404, "There is no message with this id: ids have up to 80 of 0-9, A-Z, a-z, _ and -."
        )
    return message_id


@dataclass
class MessagePage:
    """One message as the page shows it. What can no longer change is read once."""

    context: ConsoleContext
    message_id: str
    _events: Sequence[Event] = field(default=())
    _request: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> MessageFacts | None:
        """Everything that is known now; None if there is no such message."""
        history, events = self._history(), self._execution_events()
        if history is None and not events:
            return None
        store = self.context.store
        return MessageFacts(
            self.message_id,
            history,
            self._request,
            store.receipts.of(self.message_id) if history else [],
            Execution.read(events) if events else None,
            erased=history is None and store.erasure.was_erased(self.message_id),
        )

    def known_facts(self) -> MessageFacts:
        """The same; raises HTTPException if there is no such message."""
        facts = self.facts()
        if facts is None:
            raise HTTPException(404, f"There is no message {self.message_id} in this stack.")
        return facts

    def act(self, name: str, step: int | None) -> Notice:
        """What came of an action of the message's caller; raises HTTPException."""
        local = self.context.installation.local
        if local is None:
            raise HTTPException(403, "The console changes no message of a deployed stack.")
        if name not in caller_actions.DONE:
            raise HTTPException(404, f"There is no action {name}.")
        return caller_actions.act(self.known_facts(), name, step, local)

    def refresh(self) -> PageUpdate:
        facts = self.facts()
        if facts is None:
            return PageUpdate({}, self._pause(ENDED))
        values = self.values(facts, self.definition(facts))
        fragments = {part: self.context.render(f"message_{part}.html", **values) for part in PARTS}
        if facts.ended:
            fragments["raw"] = self.context.render("message_raw.html", **self.raw(facts))
        return PageUpdate(fragments, self._pause(self._pace(facts)))

    def _pace(self, facts: MessageFacts) -> tuple[float, float]:
        last = self._events[-1]["timestamp"] if self._events else facts.since
        recent = datetime.now(UTC) - last < CALM_AFTER
        if facts.ended:
            return CALM if recent or not facts.settled else ENDED
        return BUSY if recent else CALM

    def _pause(self, pace: tuple[float, float]) -> float:
        local, deployed = pace
        return local if self.context.installation.local else deployed

    def _history(self) -> MessageHistory | None:
        """Reads the request with the first history: it does not change."""
        messages = self.context.store.messages
        try:
            if self._request:
                return messages.history(self.message_id)
            history, self._request = messages.history_and_request(self.message_id)
        except UnknownMessage:
            return None
        return history

    def _execution_events(self) -> Sequence[Event]:
        """Empty if there is no execution yet, or if it is no longer kept."""
        if self._events and self._events[-1]["type"] in ENDS:
            return self._events
        workflow = self.context.clients.workflow
        pages = workflow.get_paginator("get_execution_history").paginate(
            executionArn=self._arn, PaginationConfig={"PageSize": 1000}
        )
        try:
            self._events = [event for page in pages for event in page["events"]]
        except workflow.exceptions.ExecutionDoesNotExist:
            self._events = ()
        return self._events

    @property
    def _arn(self) -> str:
        return self.context.installation.execution_arn(self.message_id)

    def definition(self, facts: MessageFacts) -> str:
        """The definition that the execution uses, which a later deployment may have replaced."""
        return self._deployed if facts.execution else WORKFLOW.read_text()

    @cached_property
    def _deployed(self) -> str:
        described = self.context.clients.workflow.describe_state_machine_for_execution(
            executionArn=self._arn
        )
        return described["definition"]

    def values(self, facts: MessageFacts, definition: str) -> dict[str, Any]:
        """The values of the page's templates."""
        drawn, missing = _drawn(facts, definition)
        return {
            "facts": facts,
            "actions": caller_actions.offered(facts) if self.context.installation.local else [],
            "now": datetime.now(UTC),
            "summary": summary(facts),
            "entries": timeline(facts),
            "visited": visited(facts.execution, facts.since) if facts.execution else [],
            "picture": drawn,
            "cannot_draw": missing,
            "cost": cost(facts, prices.load()),
            "not_counted": NOT_COUNTED,
            "fee_units": _fee_units(facts),
            "execution_url": self.context.installation.execution_url(self.message_id),
            "to": _recipient(facts),
            "metadata": _metadata(facts),
        }

    def raw(self, facts: MessageFacts) -> dict[str, Any]:
        """Sent once, when it can no longer change, because it is long."""
        return {"request_text": pretty(facts.request), "history_text": pretty(self._events)}


def _drawn(facts: MessageFacts, definition: str) -> tuple[Picture | None, str | None]:
    """The drawing, or why there is none."""
    try:
        placed = layout(definition, branches=facts.shows_branches)
    except CannotDraw as error:
        return None, str(error)
    return picture(placed, facts.execution, facts.since, facts.ahead), None


def _recipient(facts: MessageFacts) -> str | None:
    """The last recipient that the message was sent to, else the first of the plan."""
    if facts.history is None or not facts.plan.attempts:
        return None
    number = facts.attempts[-1].number if facts.attempts else 1
    planned = facts.plan.attempt(number)
    step = facts.stored_request["steps"][planned.step - 1]
    return address(facts.stored_request, step, planned.channel, "to")


def _fee_units(facts: MessageFacts) -> list[str]:
    """What the list price of each channel that was used includes and does not include."""
    listed = prices.listed()["channels"]
    used = dict.fromkeys(one.channel for one in facts.attempts if one.provider_id)
    return [listed[name]["unit"] for name in used if name in listed]


def _metadata(facts: MessageFacts) -> Mapping[str, str]:
    metadata: Mapping[str, str] = facts.answer.get("metadata", {})
    return {visible(name): visible(value) for name, value in metadata.items()}
