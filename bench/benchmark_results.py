"""The results of one run of the benchmark, which are written to JSON and printed as tables."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from bench.code_results import CodeRunResult
from bench.costs import FurtherCost
from bench.imports import ImportTime
from bench.results import RunResult, ScenarioCost
from messaging.pricing.prices import load as load_prices


@dataclass(frozen=True)
class Machine:
    processors: int
    memory_gb: float
    system: str
    python: str

    @classmethod
    def this(cls) -> "Machine":
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return cls(
            os.cpu_count() or 0,
            round(pages / 1024**3, 1),
            f"{platform.system()} {platform.machine()}",
            platform.python_version(),
        )


@dataclass(frozen=True)
class BenchmarkResults:
    at: str
    machine: Machine
    prices_read: str
    runs: Sequence[RunResult]
    code_runs: Sequence[CodeRunResult]
    costs: Sequence[ScenarioCost]
    further_costs: Sequence[FurtherCost]
    imports: Sequence[ImportTime]

    @classmethod
    def now(
        cls,
        runs: Sequence[RunResult],
        code_runs: Sequence[CodeRunResult],
        costs: Sequence[ScenarioCost],
        further_costs: Sequence[FurtherCost],
        imports: Sequence[ImportTime],
    ) -> "BenchmarkResults":
        at = datetime.now().astimezone().isoformat(timespec="seconds")
        read = load_prices().read
        return cls(at, Machine.this(), read, runs, code_runs, costs, further_costs, imports)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")
