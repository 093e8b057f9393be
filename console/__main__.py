"""`python -m console --port N`: serves the console on this machine only."""

import argparse
import sys

import uvicorn
from botocore.exceptions import BotoCoreError, ClientError

from console.app import create_app
from console.installation import Clients, here

HOST = "127.0.0.1"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m console", description=__doc__)
    parser.add_argument("--port", type=int, default=4569)
    port = parser.parse_args().port
    try:
        app = create_app(here(), Clients())
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"The stack cannot be read: {error}\n")
        return 1
    config = uvicorn.Config(
        app,
        host=HOST,
        port=port,
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        # A page that is open is a request that never ends.
        timeout_graceful_shutdown=1,
    )
    sys.stdout.write(f"The console is at http://{HOST}:{port}/ until Ctrl-C.\n")
    sys.stdout.flush()
    uvicorn.Server(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
