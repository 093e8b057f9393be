"""What a cold start imports: time and memory of each function's module in a fresh process.

One client is made too, and beside them stands boto3 alone with that client. The time is the
processor's, so that what else runs on the machine does not count.
"""

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass

from local.addresses import ROOT, Addresses

TIMES = 5
CLIENT = "import boto3; boto3.client('dynamodb')"
MEASURED = """
import resource, time
start = time.process_time()
{code}
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@dataclass(frozen=True)
class Import:
    """Medians; `ratio`: its time to that of boto3 with one client."""

    name: str
    seconds: float
    megabytes: float
    ratio: float


def cold_imports() -> list[Import]:
    """The first entry is boto3 with one client."""
    measured = {"boto3 and one client": _median(CLIENT)}
    for path in sorted((ROOT / "functions").glob("*.py")):
        measured[path.stem] = _median(f"import {path.stem}; {CLIENT}")
    baseline = measured["boto3 and one client"][0]
    return [
        Import(name, seconds, megabytes, seconds / baseline)
        for name, (seconds, megabytes) in measured.items()
    ]


def _median(code: str) -> tuple[float, float]:
    runs = [_run(code) for _ in range(TIMES + 1)][1:]  # the first one compiles
    seconds, megabytes = zip(*runs, strict=True)
    return statistics.median(seconds), statistics.median(megabytes)


def _run(code: str) -> tuple[float, float]:
    environment = os.environ | Addresses().environment() | {"PYTHONPATH": str(ROOT / "functions")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else every run compiles anew
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", MEASURED.format(code=code)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, megabytes = done.stdout.split()[-2:]
    return float(seconds), float(megabytes)
