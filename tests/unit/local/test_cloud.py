"""The local AWS keeps a bounded number of logs, and of processes."""

from typing import Any

import pytest
from ministack.core import lambda_runtime  # type: ignore[import-untyped] # has no types
from ministack.services import (  # type: ignore[import-untyped] # as above
    cloudwatch_logs,
    lambda_svc,
)

from local import cloud

# By name, because they are private.
WRITE_LOG = "_emit_lambda_logs"
EXECUTE = "_execute_function_warm"
LOG_GROUPS = "_log_groups"
FUNCTION = {"config": {"FunctionName": "SendMessage"}}
GROUP = "/aws/lambda/SendMessage"


def test_a_log_group_keeps_its_newest_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_svc, WRITE_LOG, getattr(lambda_svc, WRITE_LOG))
    monkeypatch.setattr(cloud, "MAX_LOG_STREAMS", 3)
    cloud.keep_the_newest_logs()
    for number in range(5):
        getattr(lambda_svc, WRITE_LOG)(FUNCTION, f"request-{number}", "", False, 1)
    streams = getattr(cloudwatch_logs, LOG_GROUPS)[GROUP]["streams"].values()
    started = [stream["events"][0]["message"].split()[2] for stream in streams]
    assert started == ["request-2", "request-3", "request-4"]


def test_a_process_that_has_ended_starts_again_only_after_a_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[cloud.InvocationSlots] = []

    class Slots(cloud.InvocationSlots):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    def execute(function: Any, event: Any, _: str) -> Any:
        """Invokes the function once more meanwhile, as many times as the event says."""
        if event:
            getattr(lambda_svc, EXECUTE)(function, event - 1, "")

    monkeypatch.setattr(cloud, "InvocationSlots", Slots)
    monkeypatch.setattr(lambda_svc, EXECUTE, execute)
    monkeypatch.setattr(lambda_runtime, "kill_workers", lambda _: None)
    cloud.limit_processes()
    getattr(lambda_svc, EXECUTE)(FUNCTION, cloud.PROCESSES_PER_FUNCTION - 1, "")
    (slots,) = made
    assert slots.processes == cloud.PROCESSES_PER_FUNCTION

    workers = [lambda_runtime.Worker("SendMessage", {}, b"") for _ in range(2)]
    lambda_runtime.kill_workers(workers)
    assert slots.processes == 1
    getattr(lambda_svc, EXECUTE)(FUNCTION, 0, "")
