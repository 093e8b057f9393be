"""The web application: its pages behind one guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from console import libraries
from console.desk import TEMPLATES, Desk
from console.installation import Clients, Installation
from console.live import Hub
from console.pages import compose, message, messages, overview, phones
from console.security import Guard

STATIC = TEMPLATES.with_name("static")


def create_app(installation: Installation, clients: Clients) -> Starlette:
    """The application; it ends its looks when its server ends."""
    hub = Hub()
    desk = Desk(installation, clients, hub)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await hub.close()

    async def failed(request: Request, error: Exception) -> Response:
        """An error is a page too: what AWS said, or what is not here."""
        status = error.status_code if isinstance(error, HTTPException) else 502
        detail = error.detail if isinstance(error, HTTPException) else str(error)
        return desk.page(request, "error.html", status, detail=detail, code=status)

    return Starlette(
        routes=[
            Route("/", _home, methods=["GET"]),
            Route("/health", _health, methods=["GET"]),
            *(
                route
                for page in (messages, message, overview, compose, phones)
                for route in page.routes(desk)
            ),
            *libraries.routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers={
            HTTPException: failed,
            ClientError: failed,
            BotoCoreError: failed,
        },
        lifespan=lifespan,
    )


async def _home(_: Request) -> Response:
    return RedirectResponse("/messages")


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok")
