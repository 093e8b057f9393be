"""`make bench`: brings up a stack, loads it, and says what it carries and what a message costs.

Linux only, for the memory. Instead, `--markdown FILE` prints the tables of an earlier run's JSON,
and `--publish` puts those of the last run into docs/benchmark.md and README.md.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import charts, publish, report, results
from bench.arguments import parse
from bench.imports import cold_imports
from bench.load import Load
from bench.parts import RECORDED, MeteredParts
from bench.results import BenchmarkResults, LoadResult, Machine, Pricing, RunResult, ScenarioCost
from bench.scenarios import PATIENT_SCENARIOS, SCENARIOS, LoadScenario, mixed
from bench.usage import counted, read
from bench.watch import ProcessMonitor, processor_seconds, settle
from local.addresses import ROOT, Addresses
from local.errors import CannotRun
from local.processes import ignore_user_settings
from local.stack import Stack, running
from local.template import synthesized_stack
from local.terminal import console, print_error, step
from messaging.pricing.prices import load as load_prices

FOLDER = ROOT / ".local" / "bench"
WARMING = 40
PACED = 120
A_SECOND = 4.0
SUSTAINED = 1_000
# A little more than the 15 a second that are asked for: the time after the last POST counts too.
SUSTAINED_A_SECOND = 15.5
OF_EACH_SCENARIO = 10


def main() -> int:
    arguments = parse(__doc__)
    if arguments.markdown:
        sys.stdout.write(_markdown(json.loads(arguments.markdown.read_text())))
        return 0
    if arguments.publish:
        publish.write(json.loads((FOLDER / "results.json").read_text()))
        return 0
    ignore_user_settings()
    try:
        return show(measure(Addresses.from_environment(), arguments.sizes))
    except CannotRun as problem:
        print_error(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130


def show(found: BenchmarkResults) -> int:
    """Prints and writes; 0 if no message was lost, sent twice or wrong."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found.write(FOLDER / "results.json")
    written = json.loads((FOLDER / "results.json").read_text())
    for table in report.tables(written, results.targets(written)):
        table.show(console)
    (FOLDER / "results.md").write_text(_markdown(written))
    drawn = charts.draw(written, FOLDER)
    names = ", ".join(path.name for path in drawn)
    console.print(f"{FOLDER.relative_to(ROOT)}/: results.json, results.md, {names}")
    verdicts = [*(run.verdicts for run in found.runs), *(cost.verdicts for cost in found.costs)]
    return 0 if all(one.clean for one in verdicts) else 1


def _markdown(written: report.Json) -> str:
    return report.markdown(written, report.tables(written, results.targets(written)))


def measure(addresses: Addresses, sizes: Sequence[int]) -> BenchmarkResults:
    with step("Importing each function in fresh processes"):
        imports = cold_imports()
    prices = load_prices()
    with running(addresses, step, MeteredParts) as stack, bar() as progress:
        bench = Bench(stack, progress, Pricing(prices, function_memory_mb()))
        bench.load("Warming up", mixed(WARMING))
        costs = [bench.cost(scenario) for scenario in SCENARIOS]
        runs = [
            bench.mixed(PACED, A_SECOND),
            bench.mixed(SUSTAINED, SUSTAINED_A_SECOND),
            *(bench.burst(size) for size in sizes),
        ]
    return BenchmarkResults(results.now(), Machine.this(), prices.read, runs, costs, imports)


def function_memory_mb() -> int:
    _, template = synthesized_stack()
    functions = (
        one["Properties"]["MemorySize"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::Lambda::Function" and "MemorySize" in one["Properties"]
    )
    return int(max(functions))


@contextmanager
def bar() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        yield progress


@dataclass(frozen=True)
class Bench:
    """Loads of a running stack, one after another, each with what it used."""

    stack: Stack
    progress: Progress
    pricing: Pricing

    def load(
        self, what: str, scenarios: Sequence[LoadScenario], a_second: float | None = None
    ) -> LoadResult:
        """What the messages took until the last was over, then the facts about each of them."""
        task = self.progress.add_task(what, total=len(scenarios))
        for path in self._records:  # what the load before this one was told about its messages
            settle(path, quiet=1)
        sizes = [path.stat().st_size for path in self._records]
        used = processor_seconds(self.stack)
        load = Load(self.stack, lambda over: self.progress.update(task, completed=over))
        with ProcessMonitor(self.stack) as watch:
            load.send(scenarios, a_second)
            load.wait()
            for path in self._records:
                settle(path)
        processors = {
            part: now - used.get(part, 0) for part, now in processor_seconds(self.stack).items()
        }
        lines = [line for part in zip(self._records, sizes, strict=True) for line in _from(*part)]
        facts = load.facts()
        usage = counted(len(facts), read(lines), [one.history for one in facts])
        return LoadResult(facts, usage, watch.peaks, processors)

    def cost(self, scenario: LoadScenario) -> ScenarioCost:
        what = f"Counting: {scenario.name}"
        loaded = self.load(what, [scenario] * OF_EACH_SCENARIO, A_SECOND)
        return results.cost(scenario, loaded, self.pricing)

    def mixed(self, size: int, a_second: float) -> RunResult:
        name = f"{size:,} at {a_second:g} a second"
        loaded = self.load(f"Mixed: {name}", mixed(size), a_second)
        return results.measured(name, a_second, loaded, self.pricing)

    def burst(self, size: int) -> RunResult:
        name = f"{size:,} at once"
        loaded = self.load(f"Mixed: {name}", mixed(size, PATIENT_SCENARIOS))
        return results.measured(name, None, loaded, self.pricing)

    @property
    def _records(self) -> tuple[Path, ...]:
        return tuple(
            self.stack.addresses.state_folder / f"{part}.record" for part in RECORDED.values()
        )


def _from(path: Path, offset: int) -> list[str]:
    with path.open() as record:
        record.seek(offset)
        return record.readlines()


if __name__ == "__main__":
    sys.exit(main())
