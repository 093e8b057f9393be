"""The page `Compose`: a request as a form, its plan and its `curl` line, and the way to send it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from console.compose import moves, planned, sending
from console.compose.fields import Mistake, mistakes
from console.compose.form import IDEMPOTENCY_KEY, Form
from console.compose.recipients import Behaviours, Carriers
from console.compose.starts import BLANK, STARTS
from console.desk import Desk
from messaging.errors import Problem, UnknownMessage
from messaging.messages import CHANNELS

# What changes while one types, and what a button changes too.
SHOWN = ("does.html", "beside.html")
MOVED = ("said.html", "steps.html", "metadata.html")


def routes(desk: Desk) -> list[Route]:
    composer = Composer(desk)

    async def page(request: Request) -> Response:
        return await run_in_threadpool(composer.begin, request)

    async def posted(request: Request) -> Response:
        data = await request.form()
        form, chosen = Form.posted(data), {name: str(data.get(name, "")) for name in _CHOICES}
        return await run_in_threadpool(
            composer.go_on, request, form, chosen, str(data.get("do", ""))
        )

    async def preview(request: Request) -> Response:
        data = await request.form()
        return await run_in_threadpool(composer.preview, Form.posted(data), str(data.get("do", "")))

    return [
        Route("/compose", page, methods=["GET"]),
        Route("/compose", posted, methods=["POST"]),
        Route("/compose/preview", preview, methods=["POST"]),
    ]


# The choosers of recipients, and what stood in their fields when the page was shown.
_CHOICES = tuple(f"{kind}/{channel}" for kind in ("does", "was") for channel in CHANNELS)


@dataclass(frozen=True)
class Composer:
    """Answers what a browser asks; keeps nothing but what the stack and the carriers told once."""

    desk: Desk

    @cached_property
    def _defaults(self) -> planned.Defaults:
        installation = self.desk.installation
        return planned.defaults(self.desk.clients.functions, installation.messages_table)

    @cached_property
    def _carriers(self) -> Carriers | None:
        local = self.desk.installation.local
        return Carriers(local.carriers_url) if local else None

    def _behaviours(self) -> Mapping[str, Behaviours]:
        try:
            return self._carriers.behaviours if self._carriers else {}
        except OSError:
            # One can still type whom it is for.
            return {}

    # ---- answers

    def begin(self, request: Request) -> Response:
        """A form that is new, a ready-made start, or a message's request again."""
        if message_id := request.query_params.get("from"):
            return self._again(request, message_id)
        name = request.query_params.get("start")
        if name is None:
            return self._page(request, Form.of(BLANK))
        if name not in STARTS:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no start {name!r}.")
        return self._page(request, Form.of(STARTS[name].request))

    def _again(self, request: Request, message_id: str) -> Response:
        try:
            known = self.desk.store.story(message_id).message.request
        except UnknownMessage:
            detail = f"There is no message {message_id!r}."
            raise HTTPException(HTTPStatus.NOT_FOUND, detail) from None
        return self._page(request, Form.of(known or BLANK), origin=message_id, lost=not known)

    def go_on(self, request: Request, form: Form, chosen: Mapping[str, str], do: str) -> Response:
        form = self._with_chosen(form, chosen)
        if do == "send":
            return self._send(request, form)
        moved = moves.act(form, do)
        return self._page(request, moved.form, said=moved.says, focus=moved.focus)

    def preview(self, form: Form, do: str) -> Response:
        moved = moves.act(form, do)
        fragments = MOVED + SHOWN if moved.says or moved.focus else SHOWN
        values = self._values(moved.form, said=moved.says, focus=moved.focus)
        return HTMLResponse(
            "".join(self.desk.render(f"compose/{one}", **values) for one in fragments)
        )

    def _send(self, request: Request, form: Form) -> Response:
        local = self.desk.installation.local
        if local is None:
            detail = "A deployed stack is only looked at: send it with curl."
            raise HTTPException(HTTPStatus.FORBIDDEN, detail)
        said, unreadable = form.request()
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

    def _values(  # noqa: PLR0913 - all that the page shows
        self,
        form: Form,
        *,
        problems: tuple[Problem, ...] = (),
        answer: sending.Answer | None = None,
        said: str = "",
        focus: str = "",
        origin: str = "",
        lost: bool = False,
    ) -> dict[str, Any]:
        request, unreadable = form.request()
        judged = planned.judge(request, self._defaults)
        found = mistakes(form, problems)
        missing = mistakes(form, _together(unreadable, judged.problems))
        return {
            "form": form,
            "starts": STARTS,
            "behaviours": self._behaviours(),
            "defaults": self._defaults,
            "title_of": moves.title,
            "judged": judged,
            "missing": missing,
            "json": json.dumps(request, ensure_ascii=False, indent=2),
            "curl": sending.curl(request, form[IDEMPOTENCY_KEY], self.desk.installation.local),
            "mistakes": found,
            "wrong": _by_field(found),
            "answer": answer,
            "said": said,
            "focus": focus,
            "origin": origin,
            "lost": lost,
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
