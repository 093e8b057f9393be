"""The benchmark counts the processor time of processes that end during a load."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

from bench.watch import ProcessorTimes

WORK = """
import time
while time.process_time() < 0.5:
    pass
print("done", flush=True)
input()
"""


def test_the_time_of_a_process_that_has_ended_still_counts() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        parts = SimpleNamespace(names=lambda: {process.pid: "local AWS"})
        stack: Any = SimpleNamespace(parts=parts)
        times = ProcessorTimes(stack)
        assert process.stdout
        assert process.stdout.readline() == b"done\n"
        used = times.measure()["local AWS"]
        process.kill()
        process.wait()
    assert used >= 0.3
    assert times.measure()["local AWS"] == used
