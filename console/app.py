"""The web application: its pages, behind checks that apply to every request."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from console import libraries
from console.context import TEMPLATES, ConsoleContext
from console.installation import ConsoleClients, Installation
from console.live import Hub
from console.pages import codes, compose, message, messages, overview, phones
from console.security import LocalRequestsOnly

STATIC = TEMPLATES.with_name("static")


def create_app(installation: Installation, clients: ConsoleClients) -> Starlette:
    """The application; live updates stop when its server stops."""
    hub = Hub()
    context = ConsoleContext(installation, clients, hub)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await hub.close()

    return Starlette(
        routes=_routes(context),
        middleware=[Middleware(LocalRequestsOnly)],
        exception_handlers=dict.fromkeys(
            (HTTPException, ClientError, BotoCoreError), _error_page(context)
        ),
        lifespan=lifespan,
    )


def _routes(context: ConsoleContext) -> list[BaseRoute]:
    pages = messages, message, codes, overview, compose, phones
    return [
        Route("/", _home, methods=["GET"]),
        Route("/health", _health, methods=["GET"]),
        *(route for page in pages for route in page.routes(context)),
        *libraries.routes(),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def _error_page(
    context: ConsoleContext,
) -> Callable[[Request, Exception], Coroutine[None, None, Response]]:
    """A page with the error message, for errors of AWS and of the request."""

    async def page(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 502
        detail = error.detail if isinstance(error, HTTPException) else str(error)
        return context.page(request, "error.html", status, detail=detail, code=status)

    return page


async def _home(_: Request) -> Response:
    return RedirectResponse("/messages")


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok")
