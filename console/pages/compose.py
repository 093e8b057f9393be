"""The page `Compose`: the message editor with the delivery plan, the `curl` command and sending."""

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

from console.compose import plan_preview, request_fields, sending
from console.compose.examples import BLANK, EXAMPLES
from console.compose.form import IDEMPOTENCY_KEY, MessageForm
from console.compose.form_actions import run_action
from console.compose.form_to_request import request_of
from console.compose.problem_fields import FieldProblem, field_problems
from console.compose.request_to_form import form_of
from console.compose.scenario_recipients import (
    RecipientScenarios,
    sample_address,
    scenarios_by_channel,
)
from console.context import ConsoleContext
from console.phones.simulator_client import SimulatorClient, SimulatorRefused, SimulatorUnreachable
from messaging.channels.catalog import channels
from messaging.domain.errors import Problem, UnknownMessage

# The fragments that change with what is entered, and those that a button changes as well.
PREVIEW = ("scenarios.html", "preview.html")
AFTER_ACTION = ("form_status.html", "steps.html", "metadata.html")
# What a page shows where no button was pressed and no message is the source.
_DEFAULTS = {"result": None, "announcement": "", "focus": "", "source": "", "lost": False}
_CONSTANTS = {
    "examples": EXAMPLES,
    "fields": list(request_fields.FIELDS.values()),
    "content": request_fields.CONTENT,
    "choices": request_fields.CHOICES,
    "channels_with": request_fields.channels_with,
    "sample_address": sample_address,
}


def routes(context: ConsoleContext) -> list[Route]:
    editor = MessageEditor(context)

    async def submit(request: Request) -> Response:
        submission = FormSubmission.read(await request.form())
        return await run_in_threadpool(editor.submit, request, submission)

    async def preview(request: Request) -> Response:
        submission = FormSubmission.read(await request.form())
        return await run_in_threadpool(editor.preview, submission)

    return [
        Route("/compose", editor.open, methods=["GET"]),
        Route("/compose", submit, methods=["POST"]),
        Route("/compose/preview", preview, methods=["POST"]),
    ]


@dataclass(frozen=True)
class FormSubmission:
    """What a browser posts: the form, the pressed button, and the fields marked as invalid.

    `scenarios` are the selected ones by channel, `shown` the recipients for which they were shown.
    """

    form: MessageForm
    button: str = ""
    scenarios: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    marked: frozenset[str] = frozenset()

    @classmethod
    def read(cls, data: FormData) -> Self:
        return cls(
            MessageForm.posted(data),
            str(data.get("action", "")),
            {channel: str(data.get(f"scenario/{channel}", "")) for channel in channels()},
            {channel: str(data.get(f"shown/{channel}", "")) for channel in channels()},
            frozenset(str(one) for one in data.getlist("marked")),
        )


@dataclass(frozen=True)
class MessageEditor:
    """Handles the page's requests. It caches the stack's defaults and the simulator's scenarios."""

    context: ConsoleContext

    @cached_property
    def _defaults(self) -> plan_preview.StackDefaults:
        table = self.context.installation.messages_table
        return plan_preview.stack_defaults(self.context.clients.functions, table)

    @cached_property
    def _loaded_scenarios(self) -> Mapping[str, RecipientScenarios]:
        local = self.context.installation.local
        return (
            scenarios_by_channel(SimulatorClient(local.simulator_url).scenarios()) if local else {}
        )

    def _scenarios(self) -> Mapping[str, RecipientScenarios]:
        """By channel; empty while the simulator is not available, since they are only a help."""
        try:
            return self._loaded_scenarios
        except (SimulatorRefused, SimulatorUnreachable):
            return {}

    # ---- requests

    def open(self, request: Request) -> Response:
        """A new form, one filled from an example, or one filled from a message's request."""
        if message_id := request.query_params.get("from"):
            return self._from_message(request, message_id)
        name = request.query_params.get("start")
        if name is None:
            return self._page(request, form_of(BLANK))
        if name not in EXAMPLES:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no example {name!r}.")
        return self._page(request, form_of(EXAMPLES[name].request))

    def _from_message(self, request: Request, message_id: str) -> Response:
        try:
            history, known = self.context.store.messages.history_and_request(message_id)
        except UnknownMessage:
            detail = f"There is no message {message_id!r}."
            raise HTTPException(HTTPStatus.NOT_FOUND, detail) from None
        if history.message.verification:
            detail = f"Message {message_id!r} has a code, which is not sent with this form."
            raise HTTPException(HTTPStatus.NOT_FOUND, detail)
        return self._page(request, form_of(known or BLANK), source=message_id, lost=not known)

    def submit(self, request: Request, submission: FormSubmission) -> Response:
        form = self._with_selected_recipients(submission)
        if submission.button == "send":
            return self._send(request, form)
        after = run_action(form, submission.button)
        return self._page(request, **vars(after), marked=submission.marked)

    def preview(self, submission: FormSubmission) -> Response:
        """The fragments that the page replaces: the preview, and after a button the form's."""
        after = run_action(submission.form, submission.button)
        fragments = AFTER_ACTION + PREVIEW if after.announcement or after.focus else PREVIEW
        values = self._values(**vars(after), marked=submission.marked)
        return HTMLResponse(
            "".join(self.context.render(f"compose/{one}", **values) for one in fragments)
        )

    def _send(self, request: Request, form: MessageForm) -> Response:
        local = self.context.installation.local
        if local is None:
            detail = "The console does not send messages to a deployed stack: send it with curl."
            raise HTTPException(HTTPStatus.FORBIDDEN, detail)
        document, unreadable = request_of(form)
        if unreadable:
            found = plan_preview.preview(document, self._defaults).problems
            problems = _all_problems(unreadable, found)
            return self._page(request, form, HTTPStatus.BAD_REQUEST, problems=problems)
        result = sending.send(document, form[IDEMPOTENCY_KEY], local)
        if result.message_id:
            return RedirectResponse(f"/messages/{result.message_id}", HTTPStatus.SEE_OTHER)
        return self._page(request, form, result.status, problems=result.problems, result=result)

    # ---- what the templates show

    def _page(
        self,
        request: Request,
        form: MessageForm,
        status: int = 200,
        **more: Any,  # noqa: ANN401 - what `_values` takes
    ) -> HTMLResponse:
        return self.context.page(request, "compose.html", status, **self._values(form, **more))

    def _values(
        self,
        form: MessageForm,
        *,
        problems: tuple[Problem, ...] = (),
        marked: Collection[str] = (),
        **more: Any,  # noqa: ANN401 - what replaces one of the defaults
    ) -> dict[str, Any]:
        """`problems` are the API's response; `marked` are the fields it rejected before."""
        request, unreadable = request_of(form)
        plan = plan_preview.preview(request, self._defaults)
        missing = field_problems(form, _all_problems(unreadable, plan.problems))
        found = field_problems(form, problems)
        return {
            **_DEFAULTS,
            **_CONSTANTS,
            "form": form,
            "scenarios": self._scenarios(),
            "defaults": self._defaults,
            "preview": plan,
            "missing": missing,
            "json": json.dumps(request, ensure_ascii=False, indent=2),
            "curl": sending.curl(request, form[IDEMPOTENCY_KEY], self.context.installation.local),
            "problems": found,
            "wrong": _by_field(found or tuple(one for one in missing if one.field in marked)),
            **more,
        }

    def _with_selected_recipients(self, submission: FormSubmission) -> MessageForm:
        """A selected scenario sets its recipient, unless another recipient was entered."""
        values = dict(submission.form.values)
        for channel, scenarios in self._scenarios().items():
            to = submission.form[f"/to/{channel}"]
            selected = scenarios.named(submission.scenarios.get(channel, ""))
            unchanged = to == submission.shown.get(channel, "")
            if unchanged and selected and selected != scenarios.of(to):
                values[f"/to/{channel}"] = selected.to
        return replace(submission.form, values=values)


def _all_problems(unreadable: list[Problem], found: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """The texts that are not JSON, and what the API says about the rest."""
    places = {problem.pointer for problem in unreadable}
    return (*unreadable, *(one for one in found if one.pointer not in places))


def _by_field(problems: tuple[FieldProblem, ...]) -> Mapping[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    for one in problems:
        if one.field:
            wrong.setdefault(one.field, []).append(one.detail)
    return wrong
