"""`python -m console`: serves the console on this machine, for the local run or a stack on AWS."""

import argparse
import socket
import sys
import webbrowser

import uvicorn
from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette

from console.app import create_app
from console.installation import ConsoleClients, here
from operations import stack

HOST = "127.0.0.1"
PORT = 4569


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m console", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--browse", action="store_true", help="open the console in a browser")
    arguments = parser.parse_args()
    try:
        app = create_app(here(), ConsoleClients())
    except (BotoCoreError, ClientError) as error:
        print_error(f"The stack cannot be read: {stack.error_text(error)}")
        return 1
    try:
        listener = listen(arguments.port)
    except (OSError, OverflowError) as error:
        print_error(
            f"Port {arguments.port} cannot be used ({error}). Choose another one, for example "
            f"make console PORT={PORT + 100}."
        )
        return 1
    url = f"http://{HOST}:{arguments.port}/"
    sys.stdout.write(f"The console is running at {url} (press Ctrl-C to stop).\n")
    sys.stdout.flush()
    if arguments.browse:
        webbrowser.open(url)
    serve(app, listener)
    return 0


def listen(port: int) -> socket.socket:
    """Raises OSError or OverflowError if the port cannot be used."""
    # asyncio sets TCP_NODELAY only on a socket whose protocol is TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener


def serve(app: Starlette, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        # An open page holds a request that never ends.
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listener])


def print_error(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
