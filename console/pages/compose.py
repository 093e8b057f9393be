"""The page `Compose`: a request as a form, its plan and its `curl` line, and the way to send it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any, Self

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from console.compose import moves, planned, sending
from console.compose.fields import Mistake, mistakes
from console.compose.filling import form_of
from console.compose.form import IDEMPOTENCY_KEY, Form
from console.compose.reading import request_of
from console.compose.recipients import Behaviours, by_channel
from console.compose.starts import BLANK, STARTS
from console.desk import Desk
from console.phones.carriers import Carriers, Declined, Unreachable
from messaging.domain.errors import Problem, UnknownMessage
from messaging.domain.messages import CHANNELS

# What changes while one types, and what a button changes too.
SHOWN = ("does.html", "beside.html")
MOVED = ("said.html", "steps.html", "metadata.html")


def routes(desk: Desk) -> list[Route]:
    composer = Composer(desk)

    async def page(request: Request) -> Response:
        return await run_in_threadpool(composer.begin, request)

    async def go_on(request: Request) -> Response:
        posted = Posted.read(await request.form())
        return await run_in_threadpool(composer.go_on, request, posted)

    async def preview(request: Request) -> Response:
        posted = Posted.read(await request.form())
        return await run_in_threadpool(composer.preview, posted)

    return [
        Route("/compose", page, methods=["GET"]),
        Route("/compose", go_on, methods=["POST"]),
        Route("/compose/preview", preview, methods=["POST"]),
    ]


# The choosers of recipients, and what stood in their fields when the page was shown.
_CHOICES = tuple(f"{kind}/{channel}" for kind in ("does", "was") for channel in CHANNELS)
# What a page shows where nothing was moved, sent or taken from a message.
_PLAIN = {"starts": STARTS, "answer": None, "said": "", "focus": "", "origin": "", "lost": False}


@dataclass(frozen=True)
class Posted:
    """What a browser has sent: the form, and beside it the pressed button `do`."""

    form: Form
    do: str = ""
    chosen: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(_CHOICES, ""))
    marked: frozenset[str] = frozenset()

    @classmethod
    def read(cls, data: FormData) -> Self:
        return cls(
            Form.posted(data),
            str(data.get("do", "")),
            {name: str(data.get(name, "")) for name in _CHOICES},
            frozenset(str(one) for one in data.getlist("marked")),
        )


@dataclass(frozen=True)
class Composer:
    """Answers what a browser asks; keeps nothing but what the stack and the carriers told once."""

    desk: Desk

    @cached_property
    def _defaults(self) -> planned.Defaults:
        installation = self.desk.installation
        return planned.defaults(self.desk.clients.functions, installation.messages_table)

    @cached_property
    def _told(self) -> Mapping[str, Behaviours]:
        local = self.desk.installation.local
        return by_channel(Carriers(local.carriers_url).scenarios()) if local else {}

    def _behaviours(self) -> Mapping[str, Behaviours]:
        try:
            return self._told
        except (Declined, Unreachable):
            # One can still type whom it is for.
            return {}

    # ---- answers

    def begin(self, request: Request) -> Response:
        """A form that is new, a ready-made start, or a message's request again."""
        if message_id := request.query_params.get("from"):
            return self._again(request, message_id)
        name = request.query_params.get("start")
        if name is None:
            return self._page(request, form_of(BLANK))
        if name not in STARTS:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no start {name!r}.")
        return self._page(request, form_of(STARTS[name].request))

    def _again(self, request: Request, message_id: str) -> Response:
        try:
            known = self.desk.store.messages.history(message_id).message.request
        except UnknownMessage:
            detail = f"There is no message {message_id!r}."
            raise HTTPException(HTTPStatus.NOT_FOUND, detail) from None
        return self._page(request, form_of(known or BLANK), origin=message_id, lost=not known)

    def go_on(self, request: Request, posted: Posted) -> Response:
        form = self._with_chosen(posted.form, posted.chosen)
        if posted.do == "send":
            return self._send(request, form)
        moved = moves.act(form, posted.do)
        return self._page(
            request, moved.form, said=moved.says, focus=moved.focus, marked=posted.marked
        )

    def preview(self, posted: Posted) -> Response:
        moved = moves.act(posted.form, posted.do)
        fragments = MOVED + SHOWN if moved.says or moved.focus else SHOWN
        values = self._values(moved.form, said=moved.says, focus=moved.focus, marked=posted.marked)
        return HTMLResponse(
            "".join(self.desk.render(f"compose/{one}", **values) for one in fragments)
        )

    def _send(self, request: Request, form: Form) -> Response:
        local = self.desk.installation.local
        if local is None:
            detail = "A deployed stack is only looked at: send it with curl."
            raise HTTPException(HTTPStatus.FORBIDDEN, detail)
        said, unreadable = request_of(form)
        if unreadable:
            wrong = self._problems(said, unreadable)
            return self._page(request, form, HTTPStatus.BAD_REQUEST, problems=wrong)
        answer = sending.send(said, form[IDEMPOTENCY_KEY], local)
        if answer.message_id:
            return RedirectResponse(f"/messages/{answer.message_id}", HTTPStatus.SEE_OTHER)
        return self._page(request, form, answer.status, problems=answer.problems, answer=answer)

    # ---- what the templates show

    def _page(self, request: Request, form: Form, status: int = 200, **more: Any) -> HTMLResponse:  # noqa: ANN401 - what `_values` takes
        return self.desk.page(request, "compose.html", status, **self._values(form, **more))

    def _values(
        self,
        form: Form,
        *,
        problems: tuple[Problem, ...] = (),
        marked: Collection[str] = (),
        **more: Any,  # noqa: ANN401 - what this one page shows beside
    ) -> dict[str, Any]:
        """`problems` are the API's answer; `marked` are the fields it found wrong before."""
        request, unreadable = request_of(form)
        judged = planned.judge(request, self._defaults)
        found = mistakes(form, problems)
        missing = mistakes(form, _together(unreadable, judged.problems))
        still = tuple(one for one in missing if one.field in marked)
        return {
            **_PLAIN,
            "form": form,
            "behaviours": self._behaviours(),
            "defaults": self._defaults,
            "judged": judged,
            "missing": missing,
            "json": json.dumps(request, ensure_ascii=False, indent=2),
            "curl": sending.curl(request, form[IDEMPOTENCY_KEY], self.desk.installation.local),
            "mistakes": found,
            "wrong": _by_field(found or still),
            **more,
        }

    def _problems(
        self, request: Mapping[str, Any], unreadable: list[Problem]
    ) -> tuple[Problem, ...]:
        return _together(unreadable, planned.judge(request, self._defaults).problems)

    def _with_chosen(self, form: Form, chosen: Mapping[str, str]) -> Form:
        """A scenario that was chosen names its recipient, unless another one was typed."""
        values = dict(form.values)
        for channel, behaviours in self._behaviours().items():
            to, scenario = form[f"/to/{channel}"], chosen[f"does/{channel}"]
            does = behaviours.of(to)
            untouched = to == chosen[f"was/{channel}"]
            if untouched and (one := behaviours.named(scenario)) and one != does:
                values[f"/to/{channel}"] = one.to
        return replace(form, values=values)


def _together(unreadable: list[Problem], judged: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """What could not be read, and what the API says about the rest."""
    places = {problem.pointer for problem in unreadable}
    return (*unreadable, *(one for one in judged if one.pointer not in places))


def _by_field(found: tuple[Mistake, ...]) -> Mapping[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    for one in found:
        if one.field:
            wrong.setdefault(one.field, []).append(one.detail)
    return wrong
