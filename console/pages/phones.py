"""The page `Phones`: what the simulated recipients got, and what they do with it."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Final
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from console.desk import Desk
from console.live import Glance
from console.phones import acts
from console.phones.carriers import NEWEST_MESSAGES, Carriers, Declined, Unreachable
from console.phones.threads import Thread, persons
from console.words import capital

SECONDS_BETWEEN_LOOKS = 0.3
SECONDS_TO_COME_BACK = 2.0
NOTES_KEPT = 100
# A mail is hostile: no script, no request, no form, framed by the console alone.
MAIL_HEADERS: Final = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'self'"
    ),
    # A sandboxed page that is opened by itself would be an error with the console's own policy.
    "Cross-Origin-Opener-Policy": "unsafe-none",
}
# A link that wants a new window gets none in the sandbox, so it goes nowhere. The fonts are as in
# most mail programs.
MAIL_BEGINS = (
    '<!doctype html><meta charset="utf-8"><base target="_blank">'
    "<style>html { font: 15px/1.5 sans-serif }</style>"
)


@dataclass(frozen=True)
class Note:
    """What the page says after an act."""

    sentence: str
    good: bool


@dataclass(frozen=True)
class Notes:
    """The newest notes, each under a name of its own: a link cannot put words into the page."""

    kept: OrderedDict[str, Note] = field(default_factory=OrderedDict)

    def keep(self, note: Note) -> str:
        name = token_urlsafe(8)
        self.kept[name] = note
        while len(self.kept) > NOTES_KEPT:
            self.kept.popitem(last=False)
        return name


@dataclass(frozen=True)
class Phones:
    """The routes of the page, on one stack."""

    desk: Desk
    notes: Notes = field(default_factory=Notes)

    @property
    def carriers(self) -> Carriers:
        local = self.desk.installation.local
        if local is None:
            raise HTTPException(404, "There are no phones here: on AWS the recipients are people.")
        return Carriers(local.carriers_url)

    def page(self, request: Request) -> Response:
        carriers = self.carriers
        to = _address(request.query_params.get("to", ""))
        note = self.notes.kept.get(request.query_params.get("note", ""))
        live = f"/phones/events?{urlencode({'to': to})}"
        return self.desk.page(
            request, "phones.html", to=to, note=note, live=live, fragments=self._shown(carriers, to)
        )

    async def events(self, request: Request) -> Response:
        to = _address(request.query_params.get("to", ""))
        return self.desk.hub.response(f"phones {to}", self._look(self.carriers, to))

    def mail(self, request: Request) -> Response:
        provider_id = request.path_params["provider_id"]
        try:
            thread = self.carriers.thread(_address(request.query_params.get("to", "")), "email")
            message = thread.message(provider_id)
        except (Declined, Unreachable) as error:
            raise HTTPException(404, str(error)) from error
        if message is None or message.content.html is None:
            raise HTTPException(404, "There is no such mail, or it has no HTML.")
        return HTMLResponse(MAIL_BEGINS + message.content.html, headers=MAIL_HEADERS)

    async def act(self, request: Request) -> Response:
        async with request.form() as form:
            note = await run_in_threadpool(self._act, request.path_params, form)
            to = _text(form, "to")
        query = urlencode({"to": to, "note": self.notes.keep(note)})
        return RedirectResponse(f"/phones?{query}#note", 303)

    def _act(self, path: Mapping[str, str], form: FormData) -> Note:
        body = {name: _text(form, name) for name in ("receipt", "text") if name in form}
        try:
            outcome = self.carriers.act(path["provider_id"], path["act"], body)
        except (Declined, Unreachable) as error:
            return Note(_sentence(str(error)), good=False)
        return Note(acts.told(path["act"], outcome), good=outcome.failure is None)

    def _look(self, carriers: Carriers, to: str) -> Callable[[], Glance]:
        """What the page shows; while nothing changes nothing is asked."""
        shown: dict[str, str] = {}
        seen = 0

        async def news() -> None:
            # Where nobody answers, the next look finds that out, too, and the page says so.
            with suppress(OSError):
                await carriers.news(seen)

        def look() -> Glance:
            nonlocal seen, shown
            try:
                newest = carriers.change()
            except (Declined, Unreachable):
                return Glance(self._shown(carriers, to), SECONDS_TO_COME_BACK)
            if newest != seen:
                seen, shown = newest, self._shown(carriers, to)
            return Glance(shown, SECONDS_BETWEEN_LOOKS, news)

        return look

    def _shown(self, carriers: Carriers, to: str) -> dict[str, str]:
        """The fragments: who there is, and the phone of the one who was chosen."""
        render = self.desk.render
        try:
            people = persons(carriers.recipients())
            threads = _threads(carriers, to)
        except Unreachable as error:
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
                acts=acts,
                newest=NEWEST_MESSAGES,
                unreachable=unreachable,
            ),
        }


def routes(desk: Desk) -> list[Route]:
    phones = Phones(desk)
    return [
        Route("/phones", phones.page, methods=["GET"]),
        Route("/phones/events", phones.events, methods=["GET"]),
        Route("/phones/emails/{provider_id}", phones.mail, methods=["GET"]),
        Route("/phones/{provider_id}/{act}", phones.act, methods=["POST"]),
    ]


def _threads(carriers: Carriers, to: str) -> list[Thread]:
    """In an order that stays, so that no phone moves when a message comes."""
    threads = []
    for channel in _channels(to):
        # Nothing went there by this channel.
        with suppress(Declined):
            threads.append(carriers.thread(to, channel))
    return threads


def _channels(to: str) -> tuple[str, ...]:
    if "@" in to:
        return ("email",)
    return ("whatsapp", "sms") if to else ()


def _address(written: str) -> str:
    """A number's + that nobody escaped arrives as a blank."""
    return f"+{written.strip()}" if written.strip().isdigit() else written


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _sentence(said: str) -> str:
    return f"{capital(said).removesuffix('.')}."
