"""How the local AWS speaks with the processes of its functions: without polling, in one thread.

MiniStack starts a thread for each answer, then looks for the invocation's log every millisecond
until none came for five; meanwhile the process serves nobody.
"""

import json
import queue
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ministack.core import lambda_runtime  # type: ignore[import-untyped] # has no types

# What a process writes into its log when an invocation is over: all before it belongs to that one.
END = "-- the end of an invocation --"
CALL = "result = handler_fn(event, context)"
CALL_AND_TELL = "result = _ms_call_and_tell(handler_fn, event, context)"
CALLING = f"""
def _ms_call_and_tell(handler, event, context):
    try:
        return handler(event, context)
    finally:
        print({END!r}, file=sys.stderr, flush=True)
"""
# A process that was killed writes no end.
SECONDS_FOR_A_LOG = 0.25
# As many lines of its own as a function may print before its answer.
LINES = 200


def speak_with_functions_directly() -> None:
    script = lambda_runtime._PYTHON_WORKER_SCRIPT  # noqa: SLF001 - what a process runs
    if script.count(CALL) != 1:
        raise RuntimeError("this version of MiniStack calls its functions otherwise")
    lambda_runtime._PYTHON_WORKER_SCRIPT = CALLING + script.replace(CALL, CALL_AND_TELL)  # noqa: SLF001 - as above
    lambda_runtime.Worker = DirectWorker


class DirectWorker(lambda_runtime.Worker):  # type: ignore[misc] # has no types
    """One process of one function, asked by whoever holds it."""

    _proc: Any

    def invoke(self, event: object, request_id: str, **about: Any) -> dict[str, Any]:  # noqa: ANN401 - MiniStack's
        """The answer, with the log of this invocation, and whether its process had to start."""
        with self._lock:
            cold = self._proc is None or self._proc.poll() is not None
            if cold:
                self._spawn()
            context = self._context(request_id=request_id, **about)
            answer = self._asked(json.dumps({"event": event, "ctx": context}))
            if answer["status"] == "error":
                self._end()
            return answer | {"cold_start": cold, "log": self._log()}

    def _context(self, **about: Any) -> dict[str, Any]:  # noqa: ANN401 - MiniStack's
        """What is no part of the event: the request's id, its trace, and the like."""
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

    def _asked(self, envelope: str) -> dict[str, Any]:
        output, ends = self._proc.stdout, time.monotonic() + self._timeout
        try:
            self._proc.stdin.write(f"{envelope}\n")
            for _ in range(LINES):
                if not select.select([output], [], [], max(0.0, ends - time.monotonic()))[0]:
                    return failed(f"Task timed out after {self._timeout:.0f}.00 seconds")
                line = output.readline()
                if not line:
                    return failed("Worker process died")
                if answer := answer_in(line):
                    return answer
        except OSError as gone:
            return failed(str(gone))
        return failed(f"No JSON response from worker after {LINES} lines")

    def _end(self) -> None:
        """A process whose invocation failed is not used again."""
        process, self._proc = self._proc, None
        lambda_runtime._signal(process)  # noqa: SLF001 - as MiniStack's own does
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


def answer_in(line: str) -> dict[str, Any] | None:
    """None if it is something that the function printed."""
    with suppress(ValueError):
        said = json.loads(line)
        if isinstance(said, dict) and said.get("status") in {"ok", "error"}:
            return said
    return None


def failed(error: str) -> dict[str, Any]:
    return {"status": "error", "error": error}
