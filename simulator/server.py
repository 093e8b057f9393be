"""Puts the carriers together: three providers, the application, a server on this machine only."""

import socket
from collections.abc import Mapping

import uvicorn

from simulator.app import create_app
from simulator.changes import Changes
from simulator.connections import DroppableProtocol
from simulator.email.api import Ses
from simulator.provider import Account, Provider
from simulator.simulator import Carriers
from simulator.sms.api import Sms
from simulator.whatsapp.api import WhatsApp

_HOST = "127.0.0.1"


def providers_of(account: Account) -> dict[str, Provider]:
    """The three providers by channel."""
    providers: list[Provider] = [Sms(account), WhatsApp(account), Ses(account)]
    return {provider.channel: provider for provider in providers}


class _Server(uvicorn.Server):
    """Lets go of those who wait for a change before it ends, for it waits for its answers."""

    def __init__(self, config: uvicorn.Config, changes: Changes) -> None:
        super().__init__(config)
        self._changes = changes

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._changes.note()
        await super().shutdown(sockets)


def server_of(carriers: Carriers, providers: Mapping[str, Provider]) -> uvicorn.Server:
    """An HTTP server that can also cut connections; it waits for nobody when it ends."""
    config = uvicorn.Config(
        create_app(carriers, providers),
        http=DroppableProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
        # A warm function keeps its connection between two messages.
        timeout_keep_alive=600,
    )
    return _Server(config, carriers.changes)


def listen(port: int) -> socket.socket:
    """A socket on this machine only; raises OSError if the port is in use."""
    # asyncio sends at once (TCP_NODELAY) only on a socket that says it is TCP; else each answer
    # may wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
    except OSError:
        listener.close()
        raise
    return listener
