"""An execution that has ended takes a fraction of the memory that moto keeps of it."""

import gc
import json
import threading
import time
import tracemalloc
import uuid

from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local.addresses import ACCOUNT, REGION
from local.interpreter import behave_as_aws

EXECUTIONS = 100
SECONDS_TO_END = 60
INPUT = json.dumps({"steps": [{"channel": "sms", "text": "x" * 200}] * 2})
FOUR_STATES = {
    "StartAt": "1",
    "States": {
        **{str(one): {"Type": "Pass", "Next": str(one + 1)} for one in range(1, 4)},
        "4": {"Type": "Pass", "End": True},
    },
}


def test_an_ended_execution_takes_a_fraction_of_its_memory() -> None:
    behave_as_aws()
    backend = StepFunctionsParserBackend(REGION, ACCOUNT)
    machine = backend.create_state_machine(
        "FourStates", json.dumps(FOUR_STATES), f"arn:aws:iam::{ACCOUNT}:role/FourStates"
    )

    def execute() -> int:
        """The traced memory after some executions, whose threads have ended."""
        before = set(threading.enumerate())
        for _ in range(EXECUTIONS):
            backend.start_execution(machine.arn, str(uuid.uuid4()), INPUT)
        deadline = time.monotonic() + SECONDS_TO_END
        while not before.issuperset(threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = execute()
        grown = execute() - first
    finally:
        tracemalloc.stop()
    assert grown / EXECUTIONS < 8_000  # without compression 22,000
