"""The page `Phones`: what the simulated recipients received, and what they do with it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from console.context import ConsoleContext
from console.live import PageUpdate
from console.notices import Notice, Notices
from console.phones import actions
from console.phones.simulator_client import (
    NEWEST_MESSAGES,
    SimulatorClient,
    SimulatorRefused,
    SimulatorUnreachable,
)
from console.phones.threads import PhoneThread, persons
from console.words import capital
from messaging.channels.catalog import channels

SECONDS_BETWEEN_REFRESHES = 0.3
SECONDS_TO_RETRY = 2.0
# An email's HTML is untrusted: no script, no request, no form, in a frame of the console only.
EMAIL_HEADERS: Final = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'self'"
    ),
    # With the console's own policy, opening the sandboxed page by itself would be an error.
    "Cross-Origin-Opener-Policy": "unsafe-none",
}
# The sandbox opens no new window, so a link with a target leads nowhere. The font is that of most
# mail programs.
EMAIL_PROLOGUE = (
    '<!doctype html><meta charset="utf-8"><base target="_blank">'
    "<style>html { font: 15px/1.5 sans-serif }</style>"
)


@dataclass(frozen=True)
class PhonesPage:
    """The routes of the page."""

    context: ConsoleContext
    notices: Notices = field(default_factory=Notices)

    @cached_property
    def simulator(self) -> SimulatorClient:
        local = self.context.installation.local
        if local is None:
            raise HTTPException(404, "A stack on AWS has no simulated phones.")
        return SimulatorClient(local.simulator_url)

    def page(self, request: Request) -> Response:
        to = _address(request.query_params.get("to", ""))
        notice = self.notices.kept.get(request.query_params.get("notice", ""))
        live = f"/phones/events?{urlencode({'to': to})}"
        return self.context.page(
            request, "phones.html", to=to, notice=notice, live=live, fragments=self._fragments(to)
        )

    async def events(self, request: Request) -> Response:
        to = _address(request.query_params.get("to", ""))
        return self.context.hub.response(f"phones {to}", self._refresher(to))

    def email_html(self, request: Request) -> Response:
        provider_id = request.path_params["provider_id"]
        try:
            threads = self._threads(_address(request.query_params.get("to", "")))
            found = (thread.message(provider_id) for thread in threads)
            message = next(filter(None, found), None)
        except (SimulatorRefused, SimulatorUnreachable) as error:
            raise HTTPException(404, str(error)) from error
        if message is None or message.content.html is None:
            raise HTTPException(404, "There is no such email, or it has no HTML.")
        return HTMLResponse(EMAIL_PROLOGUE + message.content.html, headers=EMAIL_HEADERS)

    async def act(self, request: Request) -> Response:
        async with request.form() as form:
            notice = await run_in_threadpool(self._act, request.path_params, form)
            to = _text(form, "to")
        query = urlencode({"to": to, "notice": self.notices.keep(notice)})
        return RedirectResponse(f"/phones?{query}#notice", 303)

    def _act(self, path: Mapping[str, str], form: FormData) -> Notice:
        body = {name: _text(form, name) for name in ("receipt", "text") if name in form}
        try:
            result = self.simulator.act(path["provider_id"], path["action"], body)
        except (SimulatorRefused, SimulatorUnreachable) as error:
            return Notice(_sentence(str(error)), good=False)
        return Notice(actions.sentence(path["action"], result), good=result.failure is None)

    def _refresher(self, to: str) -> Callable[[], PageUpdate]:
        """Refreshes the page when the simulator reports a change."""
        simulator = self.simulator
        shown: dict[str, str] = {}
        seen = 0

        async def change() -> None:
            # If the simulator is unreachable, the next refresh notices it and the page says so.
            with suppress(SimulatorUnreachable):
                await simulator.wait_for_change(seen)

        def refresh() -> PageUpdate:
            nonlocal seen, shown
            try:
                newest = simulator.change()
            except (SimulatorRefused, SimulatorUnreachable):
                return PageUpdate(self._fragments(to), SECONDS_TO_RETRY)
            if newest != seen:
                seen, shown = newest, self._fragments(to)
            return PageUpdate(shown, SECONDS_BETWEEN_REFRESHES, change)

        return refresh

    def _fragments(self, to: str) -> dict[str, str]:
        """The list of recipients, and the threads of the chosen one."""
        render = self.context.render
        try:
            people = persons(self.simulator.recipients())
            threads = self._threads(to)
        except SimulatorUnreachable as error:
            unreachable = str(error)
            people, threads = [], []
        else:
            unreachable = ""
        return {
            "recipients": render(
                "phones_recipients.html", people=people, to=to, unreachable=unreachable
            ),
            "threads": render(
                "phones_threads.html",
                threads=threads,
                to=to,
                actions=actions,
                newest=NEWEST_MESSAGES,
                unreachable=unreachable,
            ),
        }

    def _threads(self, to: str) -> list[PhoneThread]:
        """In the channels' order, so that no phone moves when a message arrives."""
        threads = []
        for channel in _channels(to):
            # Nothing was sent to the recipient on this channel.
            with suppress(SimulatorRefused):
                threads.append(self.simulator.thread(to, channel))
        return threads


def routes(context: ConsoleContext) -> list[Route]:
    phones = PhonesPage(context)
    return [
        Route("/phones", phones.page, methods=["GET"]),
        Route("/phones/events", phones.events, methods=["GET"]),
        Route("/phones/emails/{provider_id}", phones.email_html, methods=["GET"]),
        Route("/phones/{provider_id}/{action}", phones.act, methods=["POST"]),
    ]


def _channels(to: str) -> list[str]:
    """The channels with this kind of address."""
    kind = "email" if "@" in to else "phone"
    return [one.name for one in channels().values() if to and one.address == kind]


def _address(written: str) -> str:
    """The + of a phone number arrives as a space if the link did not escape it."""
    return f"+{written.strip()}" if written.strip().isdigit() else written


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _sentence(text: str) -> str:
    return f"{capital(text).removesuffix('.')}."
