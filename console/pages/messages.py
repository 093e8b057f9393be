"""The page `Messages`."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.desk import Desk


def routes(desk: Desk) -> list[Route]:
    async def page(request: Request) -> Response:
        return desk.page(request, "messages.html")

    return [Route("/messages", page, methods=["GET"])]
