"""Keeps web pages of other origins away from what people may ask the carriers."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Endpoint = Callable[[Request], Awaitable[Response]]

_HOSTS = ("127.0.0.1", "localhost")


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint for requests to this machine by its own names, from no foreign page."""

    async def checked(request: Request) -> Response:
        return _refusal(request) or await endpoint(request)

    return checked


def problem(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status)


def _refusal(request: Request) -> Response | None:
    # A page reaches this machine under its own name by DNS rebinding, and then has its own origin.
    host = request.headers.get("host", "")
    if _host_name(host) not in _HOSTS:
        return problem(403, "the carriers answer to 127.0.0.1 and localhost only")
    if request.headers.get("origin", f"http://{host}") != f"http://{host}":
        return problem(403, "a page of another origin may not ask the carriers")
    # A form can send everything but this; a script that does must ask first (CORS), in vain.
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/json":
        return problem(415, "a POST needs Content-Type: application/json")
    return None


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
