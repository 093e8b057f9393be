"""Third-party scripts of the pages, served from this machine in their locked versions."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

NODE_MODULES = Path(__file__).resolve().parents[1] / "node_modules"
# Idiomorph updates only what differs, so that focus and open sections stay.
FILES = {"idiomorph.js": NODE_MODULES / "idiomorph" / "dist" / "idiomorph.min.js"}


def routes() -> list[Route]:
    return [Route("/libraries/{name}", _library, methods=["GET"])]


async def _library(request: Request) -> Response:
    file = FILES.get(request.path_params["name"])
    if file is None:
        return Response(status_code=404)
    return FileResponse(file, media_type="text/javascript")
