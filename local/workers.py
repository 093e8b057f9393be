"""Communicates with the processes of the functions without polling, in one thread.

MiniStack starts a thread for each response, then polls for the log of the invocation every
millisecond until five pass without a line; the process is idle meanwhile.
"""

import json
import queue
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ministack.core import lambda_runtime  # type: ignore[import-untyped] # has no types

# What a process writes to its log at the end of an invocation: all lines before it belong to it.
END = "-- the end of an invocation --"
CALL = "result = handler_fn(event, context)"
MARKED_CALL = "result = _ms_call_and_mark(handler_fn, event, context)"
MARKED_CALL_DEFINITION = f"""
def _ms_call_and_mark(handler, event, context):
    try:
        return handler(event, context)
    finally:
        print({END!r}, file=sys.stderr, flush=True)
"""
# A process that was killed does not write the end.
SECONDS_FOR_A_LOG = 0.25
# The lines that a function may print before its response.
MAX_PRINTED_LINES = 200


def use_direct_workers() -> None:
    script = lambda_runtime._PYTHON_WORKER_SCRIPT  # noqa: SLF001 - the program of a process
    if script.count(CALL) != 1:
        raise RuntimeError("this version of MiniStack calls functions in another way")
    marked = MARKED_CALL_DEFINITION + script.replace(CALL, MARKED_CALL)
    lambda_runtime._PYTHON_WORKER_SCRIPT = marked  # noqa: SLF001 - as above
    lambda_runtime.Worker = DirectWorker


class DirectWorker(lambda_runtime.Worker):  # type: ignore[misc] # has no types
    """One process of a function; only the invocation that holds it uses it."""

    _proc: Any

    def invoke(self, event: object, request_id: str, **about: Any) -> dict[str, Any]:  # noqa: ANN401 - MiniStack's
        """The response and log of the invocation, and whether its process had to start."""
        with self._lock:
            cold = self._proc is None or self._proc.poll() is not None
            if cold:
                self._spawn()
            context = self._context(request_id=request_id, **about)
            response = self._send(json.dumps({"event": event, "ctx": context}))
            if response["status"] == "error":
                self._discard_process()
            return response | {"cold_start": cold, "log": self._log()}

    def _context(self, **about: Any) -> dict[str, Any]:  # noqa: ANN401 - MiniStack's
        """The fields of the Lambda context: request id, trace, and others."""
        given = {name: value for name, value in about.items() if value is not None}
        own = {
            "invoked_function_arn": self.config.get("FunctionArn", ""),
            "timeout_ms": int(self._timeout * 1000),
            "durable": {},
        }
        return own | given

    @property
    def _timeout(self) -> float:
        return float(self.config.get("Timeout", 30))

    def _send(self, envelope: str) -> dict[str, Any]:
        output, ends = self._proc.stdout, time.monotonic() + self._timeout
        try:
            self._proc.stdin.write(f"{envelope}\n")
            for _ in range(MAX_PRINTED_LINES):
                if not select.select([output], [], [], max(0.0, ends - time.monotonic()))[0]:
                    return failed(f"Task timed out after {self._timeout:.0f}.00 seconds")
                line = output.readline()
                if not line:
                    return failed("Worker process died")
                if response := response_in(line):
                    return response
        except OSError as error:
            return failed(str(error))
        return failed(f"No JSON response from worker after {MAX_PRINTED_LINES} lines")

    def _discard_process(self) -> None:
        """Ends the process: after a failed invocation it is not used again."""
        process, self._proc = self._proc, None
        lambda_runtime._signal(process)  # noqa: SLF001 - as MiniStack's own worker does
        lambda_runtime._collect(process, time.monotonic() + lambda_runtime._REAP_GRACE)  # noqa: SLF001 - as above

    def _log(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        with suppress(queue.Empty):
            while True:
                text, end, _ = self._stderr_queue.get(timeout=SECONDS_FOR_A_LOG).partition(END)
                if text or not end:
                    yield text
                if end:
                    return


def response_in(line: str) -> dict[str, Any] | None:
    """The response in a line of output; None if the function printed the line."""
    with suppress(ValueError):
        message = json.loads(line)
        if isinstance(message, dict) and message.get("status") in {"ok", "error"}:
            return message
    return None


def failed(error: str) -> dict[str, Any]:
    return {"status": "error", "error": error}
