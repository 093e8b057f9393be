"""Keeps of an ended execution what the API still returns of it: 3 KB instead of 34.

Moto keeps the interpreter of each execution, with its environment and every event as objects. AWS
keeps an ended execution for 90 days (the page "Step Functions service quotas"); here all of them
are kept until the engine stops.
"""

import json
import zlib
from datetime import datetime
from typing import Any

from moto.stepfunctions.models import StateMachineInstance
from moto.stepfunctions.parser.api import ExecutionStatus, GetExecutionHistoryOutput
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (
    map_run_record,
)
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution import (
    BaseExecutionWorkerCommunication,
    Execution,
    SyncExecution,
)

from local.interpreter_speed import replace

# The fastest: each event repeats the input of the one before, so that more effort gains little.
COMPRESSION_LEVEL = 1

# By ARN and the time of the last update.
StateMachines = dict[tuple[str, datetime], StateMachineInstance]


class EndedEnvironment:
    """What moto reads in the environment of an execution that has ended: its map runs."""

    __slots__ = ("map_run_record_pool_manager",)

    def __init__(self, map_runs: map_run_record.MapRunRecordPoolManager) -> None:
        self.map_run_record_pool_manager = map_runs


class EndedWorker:
    """Replaces the worker of an execution that has ended, and keeps its history compressed."""

    __slots__ = ("_history", "env")

    def __init__(self, history: GetExecutionHistoryOutput, env: EndedEnvironment) -> None:
        self._history = zlib.compress(to_json_str(history).encode(), COMPRESSION_LEVEL)
        self.env = env

    def history(self) -> GetExecutionHistoryOutput:
        history: GetExecutionHistoryOutput = json.loads(zlib.decompress(self._history))
        return history

    def stop(self, **_: object) -> None:
        """StopExecution returns when the execution ended, and changes nothing."""


def compress_ended_executions() -> None:
    """Compresses each execution of a state machine when it ends."""
    record_end = BaseExecutionWorkerCommunication.terminated
    read_history = Execution.to_history_output
    machines: StateMachines = {}

    def record_and_compress(end: BaseExecutionWorkerCommunication) -> None:
        record_end(end)
        # A synchronous execution is returned whole by its start, and nothing keeps it.
        if not isinstance(end.execution, SyncExecution):
            compress(end.execution, machines)

    def history_of(execution: Execution) -> GetExecutionHistoryOutput:
        worker: Any = execution.exec_worker
        return worker.history() if isinstance(worker, EndedWorker) else read_history(execution)

    replace(BaseExecutionWorkerCommunication, "terminated", record_and_compress)
    replace(Execution, "to_history_output", history_of)


def compress(ended: Any, machines: StateMachines) -> None:  # noqa: ANN401 - moto's types are wrong
    """Also shares the copy of the state machine, of which moto makes one for each execution."""
    map_runs = ended.exec_worker.env.map_run_record_pool_manager
    ended.exec_worker = EndedWorker(ended.to_history_output(), EndedEnvironment(map_runs))
    machine = ended.state_machine
    ended.state_machine = machines.setdefault((machine.arn, machine.update_date), machine)
    ended.input_data = None  # the API returns `execution_input`, the text
    if ended.status == ExecutionStatus.SUCCEEDED:
        ended.output = json.dumps(ended.output)  # the API returns a text as it is
