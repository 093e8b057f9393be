"""The backend of the sign-in page: starts, checks and resends codes with Throughline's API.

The API key and the verification's id stay here; the browser has the cookie of a session only.
"""

import argparse
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

COOKIE, MAX_SESSIONS = "sign_in", 1000
MINUTE = 60
# What the page says when a code can no longer be checked.
ENDED = {
    "expired": "The code has expired. Ask for a new one.",
    "max_checks_reached": "That was one wrong code too many. Ask for a new one.",
    "cancelled": "The sign-in was cancelled. Ask for a new code.",
    "approved": "The code has already been used. Ask for a new one.",
}
LIMITS = {
    "resend_cooldown": "A code is on its way.",
    "max_sends": "No further code can be sent.",
    "breaker": "Codes cannot be sent to this number at the moment.",
    "country": "Codes cannot be sent to this country.",
}
UNAVAILABLE = "Codes cannot be sent at the moment. Try again in a minute."
SENTENCES = {
    400: ("", "Enter a phone number with its country code, or an email address."),
    404: ("start", "Ask for a code first."),
}


@dataclass(frozen=True)
class SignInBackend:
    """What the page calls. `api` has the API's address and key; `sessions`, by their cookie, have
    the verification of each browser and stand for the sessions of your product.
    """

    api: httpx.AsyncClient
    sessions: dict[str, str] = field(default_factory=dict)

    async def page(self, _: Request) -> Response:
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": "frame-ancestors 'none'"}
        return FileResponse(Path(__file__).with_name("index.html"), headers=headers)

    async def start(self, request: Request) -> Response:
        to = (await posted(request)).get("to", "").strip()
        answer = await self.api.post("verifications", json=verification(to, request))
        response = shown(answer, f"A code was sent to {to}.")
        if answer.is_success:
            session = self._new_session(answer.json()["id"])
            secure = request.url.scheme == "https"
            response.set_cookie(COOKIE, session, httponly=True, samesite="strict", secure=secure)
        return response

    async def check(self, request: Request) -> Response:
        code = (await posted(request)).get("code", "")
        answer = await self.api.post(f"{self._own(request)}/check", json={"code": code})
        if answer.is_success and answer.json()["status"] == "approved":
            # The session of a signed-in user begins here.
            self.sessions.pop(request.cookies[COOKIE], None)
        return shown(answer)

    async def resend(self, request: Request) -> Response:
        return shown(
            await self.api.post(f"{self._own(request)}/resend"), "The code was sent again."
        )

    def _new_session(self, verification_id: str) -> str:
        session = secrets.token_urlsafe(32)
        self.sessions[session] = verification_id
        if len(self.sessions) > MAX_SESSIONS:
            del self.sessions[next(iter(self.sessions))]
        return session

    def _own(self, request: Request) -> str:
        """The verification of this browser; without one, the API answers 404."""
        return f"verifications/{self.sessions.get(request.cookies.get(COOKIE, ''), 'none')}"


def create_app(api: httpx.AsyncClient) -> Starlette:
    backend = SignInBackend(api)
    return Starlette(
        routes=[
            Route("/", backend.page, methods=["GET"]),
            Route("/start", backend.start, methods=["POST"]),
            Route("/check", backend.check, methods=["POST"]),
            Route("/resend", backend.resend, methods=["POST"]),
        ],
        # For this machine only: a public page has its own names here.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        # Of the API: no response, or one that is not JSON.
        exception_handlers={httpx.HTTPError: unreachable, ValueError: unreachable},
    )


async def posted(request: Request) -> dict[str, str]:
    """Only JSON: a form of another site cannot send it."""
    if request.headers.get("content-type") != "application/json":
        return {}
    fields = await request.json()
    return {name: str(value) for name, value in dict(fields).items()}


def verification(to: str, request: Request) -> dict[str, Any]:
    """The request for a code: WhatsApp, SMS and voice for a phone number, or email."""
    recipient = {"email": to} if "@" in to else dict.fromkeys(("whatsapp", "sms", "voice"), to)
    return {
        "to": recipient,
        "purpose": "sign-in",
        "brand": "Example",
        # The domain of your page: browsers fill in the code from the SMS there and nowhere else.
        **({} if "@" in to else {"autofill": {"domain": "example.com"}}),
        **({"client_ip": request.client.host} if request.client else {}),
    }


def shown(answer: httpx.Response, done: str = "") -> JSONResponse:
    """What the page shows: the form that comes next, a sentence, and from when on to resend. `done`
    is the sentence of a request that succeeded, and empty for a check.
    """
    document = answer.json()
    step, sentence = succeeded(document, done) if answer.is_success else failed(answer, document)
    resend_at = document.get("next_resend_at")
    return JSONResponse(
        {"step": step, "sentence": sentence, "resend_at": resend_at},
        headers={"Cache-Control": "no-store"},
    )


def succeeded(document: dict[str, Any], done: str) -> tuple[str, str]:
    if done:
        return "code", done
    if document["status"] == "approved":
        return "done", "You are signed in."
    if document["status"] in ENDED:
        return "start", ENDED[document["status"]]
    left = document["checks_left"]
    return "code", f"That is not the code. {left} {'try' if left == 1 else 'tries'} left."


def failed(answer: httpx.Response, document: dict[str, Any]) -> tuple[str, str]:
    """The page keeps its form, unless only a new code helps."""
    if document.get("state") in ENDED:
        return "start", ENDED[document["state"]]
    if "limit" in document:
        return "", limited(document["limit"], int(answer.headers.get("Retry-After", 0)))
    return SENTENCES.get(answer.status_code, ("", UNAVAILABLE))


def limited(limit: str, seconds: int) -> str:
    sentence = LIMITS.get(limit, "Too many codes were requested.")
    if not seconds:
        return sentence
    wait = f"{seconds} seconds" if seconds <= MINUTE else f"{-(-seconds // MINUTE)} minutes"
    return f"{sentence} Try again in {wait}."


async def unreachable(_: Request, __: Exception) -> Response:
    return JSONResponse({"step": "", "sentence": UNAVAILABLE, "resend_at": None}, 502)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.sign_in", description=__doc__)
    parser.add_argument("--port", type=int, default=4570)
    api = httpx.AsyncClient(
        base_url=urljoin(os.environ["THROUGHLINE_API_URL"], "."),
        headers={"X-Api-Key": os.environ["THROUGHLINE_API_KEY"]},
        timeout=35,
    )
    port = parser.parse_args().port
    uvicorn.run(create_app(api), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
