"""Security headers of every response, and the requests that the console accepts."""

from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Nothing from other origins and nothing inline, so that no message content can run.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
SAFE = frozenset({"GET", "HEAD"})
HOSTS = frozenset({"127.0.0.1", "localhost"})


class LocalRequestsOnly:
    """Accepts requests to this machine only, and writes from the console's own pages only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _refusal(scope["method"], Headers(scope=scope))
        app = PlainTextResponse(refusal, 403) if refusal else self._app

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_guarded)


def _refusal(method: str, headers: Headers) -> str | None:
    """A host name other than these can belong to a web page elsewhere (DNS rebinding)."""
    host = headers.get("host", "")
    if _split(f"//{host}").hostname not in HOSTS:
        return "The console accepts requests to 127.0.0.1 and localhost only."
    origin = headers.get("origin")
    if method not in SAFE and origin is not None and _split(origin).netloc != host:
        return "Only the console's own pages can send this request."
    return None


def _split(url: str) -> SplitResult:
    """The parts of a URL; all are empty if it is invalid."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
