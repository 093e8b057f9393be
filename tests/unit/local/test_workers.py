"""The processes of functions as the local AWS asks them: each with its own log, none for ever."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core import lambda_runtime  # type: ignore[import-untyped] # has no types

from local.workers import DirectWorker, use_direct_workers

# MiniStack leaves the pipes of a process that it ended to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CODE = """
import os, sys, time

def handler(event, context):
    for line in event.get("says", []):
        print(line)
    if event.get("dies"):
        os._exit(1)
    if event.get("fails"):
        raise ValueError("broken")
    time.sleep(event.get("takes", 0))
    return {"request": context.aws_request_id}
"""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    script = lambda_runtime._PYTHON_WORKER_SCRIPT  # noqa: SLF001 - put back afterwards
    monkeypatch.setattr(lambda_runtime, "_PYTHON_WORKER_SCRIPT", script)
    monkeypatch.setattr(lambda_runtime, "Worker", lambda_runtime.Worker)
    use_direct_workers()
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("speaker.py", CODE)
    arn = "arn:aws:lambda:eu-central-2:123456789012:function:Speaker"
    config = {"FunctionName": "Speaker", "FunctionArn": arn, "Handler": "speaker.handler"}
    worker = DirectWorker(
        "Speaker", config | {"Runtime": "python3.13", "Timeout": 1}, code.getvalue()
    )
    yield worker
    worker.kill()


def test_each_invocation_has_its_own_answer_and_log(worker: Any) -> None:
    first = worker.invoke({"says": ["one", "", "two"]}, "r1")
    second = worker.invoke({}, "r2")
    third = worker.invoke({"says": ["three"]}, "r3")

    assert [one["result"] for one in (first, second)] == [{"request": "r1"}, {"request": "r2"}]
    assert [one["log"] for one in (first, second, third)] == ["one\n\ntwo", "", "three"]
    assert [one["cold_start"] for one in (first, second, third)] == [True, False, False]


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"fails": True}, "broken"),
        ({"takes": 60}, "Task timed out after 1.00 seconds"),
        ({"dies": True}, "Worker process died"),
    ],
)
def test_after_a_failure_the_function_starts_anew(
    worker: Any, event: dict[str, Any], error: str
) -> None:
    failed = worker.invoke(event | {"says": ["before"]}, "r1")
    again = worker.invoke({}, "r2")

    assert (failed["status"], failed["error"], failed["log"]) == ("error", error, "before")
    assert (again["status"], again["cold_start"]) == ("ok", True)
