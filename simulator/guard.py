"""Keeps web pages of other origins from using the simulator's own endpoints."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Endpoint = Callable[[Request], Awaitable[Response]]

_HOSTS = ("127.0.0.1", "localhost")


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint, for requests to this machine under its own names and from its own origin."""

    async def checked(request: Request) -> Response:
        return _rejection(request) or await endpoint(request)

    return checked


def error_response(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status)


def _rejection(request: Request) -> Response | None:
    # By DNS rebinding a page can reach this machine under its own host name and origin.
    host = request.headers.get("host", "")
    if _host_name(host) not in _HOSTS:
        return error_response(403, "The simulator accepts requests to 127.0.0.1 and localhost only")
    if request.headers.get("origin", f"http://{host}") != f"http://{host}":
        return error_response(403, "Cross-origin requests are not allowed")
    # A form cannot send this content type, and a script needs a CORS preflight, which fails.
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/json":
        return error_response(415, "A POST request must have Content-Type: application/json")
    return None


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
