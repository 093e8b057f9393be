"""Measures the processes of the stack: peak memory by process, and processor time."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from local.addresses import ROOT
from local.stack import Stack

# The kernel reads all pages of a process for this: once per second takes a tenth of a core.
SECONDS_BETWEEN = 4.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
KILOBYTE = 1024
# The state of a process whose parent has not read its exit code; its environment is empty.
ENDED = "Z"
# By file name: the physical name of a function contains its name in the template.
FUNCTIONS = {
    path.stem: path.stem.title().replace("_", "") for path in (ROOT / "functions").glob("*.py")
}


@dataclass
class MemoryPeaks:
    """Peak memory in MB by process name: of one process, and of all together at one moment."""

    process: dict[str, float] = field(default_factory=dict)
    together: dict[str, float] = field(default_factory=dict)
    processes: int = 0
    stack: float = 0

    def add(self, moment: list[tuple[str, float]]) -> None:
        sums: defaultdict[str, float] = defaultdict(float)
        for name, megabytes in moment:
            sums[name] += megabytes
            self.process[name] = max(megabytes, self.process.get(name, 0))
        for name, megabytes in sums.items():
            self.together[name] = max(megabytes, self.together.get(name, 0))
        self.processes = max(len(moment), self.processes)
        self.stack = max(sum(sums.values()), self.stack)


class ProcessMonitor:
    """Measures every few seconds inside the block. Memory is PSS: shared pages count once."""

    def __init__(self, stack: Stack, processors: "ProcessorTimes") -> None:
        self.peaks = MemoryPeaks()
        self._stack = stack
        self._processors = processors
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._measure_regularly, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._measure()

    def _measure_regularly(self) -> None:
        while not self._stopped.wait(SECONDS_BETWEEN):
            self._measure()

    def _measure(self) -> None:
        self._processors.measure()
        self.peaks.add([(name, _pss(pid)) for pid, name in processes(self._stack)])


class ProcessorTimes:
    """The processor time of each process that was ever seen, because some end during a load."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._seconds: dict[int, tuple[str, float]] = {}

    def measure(self) -> dict[str, float]:
        """Seconds so far, by process name."""
        for pid, name in processes(self._stack):
            state, *fields = _text(pid, "stat").rpartition(")")[2].split() or [ENDED]
            if state != ENDED:
                ticks = int(fields[10]) + int(fields[11])
                self._seconds[pid] = name, ticks / TICKS_PER_SECOND
        used: defaultdict[str, float] = defaultdict(float)
        for name, seconds in self._seconds.values():
            used[name] += seconds
        return used


def processes(stack: Stack) -> Iterator[tuple[int, str]]:
    """The processes of the stack, named after their part or the function that they run."""
    groups = stack.parts.names() | {os.getpgrp(): "launcher and load"}
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        try:
            name = groups.get(os.getpgid(pid))
        except ProcessLookupError:
            continue
        if name:
            yield pid, _function(pid) or name


def _function(pid: int) -> str:
    """The file name of the function that the process runs; empty for other processes."""
    for setting in _text(pid, "environ").split("\0"):
        if setting.startswith("AWS_LAMBDA_FUNCTION_NAME="):
            return next((file for file, named in FUNCTIONS.items() if named in setting), "")
    return ""


def _pss(pid: int) -> float:
    lines = _text(pid, "smaps_rollup").splitlines()
    kilobytes = next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return kilobytes / KILOBYTE


def _text(pid: int, name: str) -> str:
    """Empty if the process has ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def settle(paths: Sequence[Path], quiet: float = 3) -> None:
    """Returns when none of the files has grown for this many seconds."""
    sizes: list[int] = []
    since = time.monotonic()
    while time.monotonic() - since < quiet:
        if (now := [path.stat().st_size for path in paths]) != sizes:
            sizes, since = now, time.monotonic()
        time.sleep(0.1)
