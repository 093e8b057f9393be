"""Lets the application drop the connection of a request, which ASGI itself does not offer."""

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_EXTENSION = "throughline.drop"


class DroppableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with an ASGI extension that drops the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        super().connection_made(transport)
        self.app = _with_drop(self.app, transport)


def _with_drop(app: ASGIApp, transport: asyncio.Transport) -> ASGIApp:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        extensions = scope.get("extensions", {}) | {_EXTENSION: transport.abort}
        await app({**scope, "extensions": extensions}, receive, send)

    return wrapped


async def drop(request: Request) -> None:
    """Closes the connection without a response, and returns once it is closed."""
    request.scope["extensions"][_EXTENSION]()
    while (await request.receive())["type"] != "http.disconnect":
        pass
