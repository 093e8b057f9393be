"""Runs the Step Functions engine and records the calls to it.

`python -m bench.meter_engine RECORD --port N`. It is not part of `bench.meter_cloud`, because each
would import the other's emulator as well, which takes up to 100 MB of the measured memory.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench.call_record import CallRecord
from bench.usage import AwsCall
from local import engine

SERVE = "make_server"  # by name, because mypy rejects the assignment
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def main() -> None:
    meter_the_server(CallRecord(Path(sys.argv.pop(1))))
    engine.main()


def meter_the_server(record: CallRecord) -> None:
    serve: Callable[..., object] = getattr(engine, SERVE)

    def serve_metered(host: str, port: int, app: App, **settings: object) -> object:
        return serve(host, port, metered_app(app, record), **settings)

    setattr(engine, SERVE, serve_metered)


def metered_app(app: App, record: CallRecord) -> App:
    def metered(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if target := environ.get("HTTP_X_AMZ_TARGET"):
            record.add(AwsCall("states", target.rpartition(".")[2]))
        return app(environ, start_response)

    return metered


if __name__ == "__main__":
    main()
