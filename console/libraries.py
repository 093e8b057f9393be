"""The libraries of others that the pages load: from this machine, at the version that is locked."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

NODE_MODULES = Path(__file__).resolve().parents[1] / "node_modules"
# Changes the page where it differs and nowhere else, so that focus and open folds stay.
FILES = {"idiomorph.js": NODE_MODULES / "idiomorph" / "dist" / "idiomorph.min.js"}


def routes() -> list[Route]:
    return [Route("/libraries/{name}", _library, methods=["GET"])]


async def _library(request: Request) -> Response:
    file = FILES.get(request.path_params["name"])
    if file is None:
        return Response(status_code=404)
    return FileResponse(file, media_type="text/javascript")
