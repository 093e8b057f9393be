"""The simulator's HTTP server, on this machine only."""

import socket

import uvicorn

from simulator.app import create_app
from simulator.changes import ChangeCounter
from simulator.connections import DroppableProtocol
from simulator.simulator import Simulator

_HOST = "127.0.0.1"


class _Server(uvicorn.Server):
    """Releases the requests that wait for a change before it stops, since it waits for them."""

    def __init__(self, config: uvicorn.Config, changes: ChangeCounter) -> None:
        super().__init__(config)
        self._changes = changes

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._changes.add()
        await super().shutdown(sockets)


def create_server(simulator: Simulator) -> uvicorn.Server:
    """An HTTP server that can also drop connections, and stops within about a second."""
    config = uvicorn.Config(
        create_app(simulator),
        http=DroppableProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
        # A warm function keeps its connection between two messages.
        timeout_keep_alive=600,
    )
    return _Server(config, simulator.changes)


def listen(port: int) -> socket.socket:
    """A socket on this machine only; raises OSError if the port is in use."""
    # asyncio sets TCP_NODELAY only on a socket created as TCP; without it a response can take
    # 40 ms longer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
    except OSError:
        listener.close()
        raise
    return listener
