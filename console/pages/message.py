"""The page of one message: where it is in the workflow, and why."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.desk import Desk


def routes(desk: Desk) -> list[Route]:
    async def page(request: Request) -> Response:
        return desk.page(request, "message.html", message_id=request.path_params["message_id"])

    return [Route("/messages/{message_id}", page, methods=["GET"])]
