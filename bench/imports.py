"""The import of each function in a cold start: time and memory in a new process.

Each process creates one client as well; the baseline is boto3 alone with that client. The time is
processor time, so that other load on the machine does not count.
"""

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass

from local.addresses import ROOT, Addresses

ROUNDS = 9
BASELINE = "boto3 and one client"
CLIENT = "import boto3; boto3.client('dynamodb')"
MEASURED = """
import time
start = time.process_time()
{code}
print(time.process_time() - start)
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


@dataclass(frozen=True)
class ImportTime:
    """Medians; `ratio`: the time divided by that of the baseline in the same round."""

    name: str
    seconds: float
    megabytes: float
    ratio: float


def cold_imports() -> list[ImportTime]:
    """The first entry is the baseline. Functions alternate, so that load affects all alike."""
    paths = sorted((ROOT / "functions").glob("*.py"))
    codes = {BASELINE: CLIENT, **{one.stem: f"import {one.stem}; {CLIENT}" for one in paths}}
    rounds = [{name: _run(code) for name, code in codes.items()} for _ in range(ROUNDS + 1)]
    counted = rounds[1:]  # the first round compiles
    return [_import(name, counted) for name in codes]


def _import(name: str, rounds: list[dict[str, tuple[float, float]]]) -> ImportTime:
    return ImportTime(
        name,
        statistics.median(one[name][0] for one in rounds),
        statistics.median(one[name][1] for one in rounds),
        statistics.median(one[name][0] / one[BASELINE][0] for one in rounds),
    )


def _run(code: str) -> tuple[float, float]:
    environment = os.environ | Addresses().environment() | {"PYTHONPATH": str(ROOT / "functions")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # otherwise every run compiles again
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", MEASURED.format(code=code)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kilobytes = done.stdout.split()[-2:]
    return float(seconds), int(kilobytes) / 1024
