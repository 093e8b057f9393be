"""`make bench`: starts a stack, loads it, and reports throughput, latency and cost per message.

Linux only, because it reads memory from /proc. `--markdown FILE` prints the tables of an earlier
run's JSON instead, and `--publish` writes those of the last run to docs/benchmark.md and README.md.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import boto3
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import charts, code_results, publish, report, results
from bench.arguments import parse
from bench.benchmark_results import BenchmarkResults
from bench.code_load import CodeLoad
from bench.code_results import CodeRunResult
from bench.codes import CODE_SCENARIOS, COUNTED_CODES
from bench.costs import Pricing
from bench.imports import cold_imports
from bench.load import Load
from bench.parts import RECORDED, MeteredParts
from bench.results import LoadResult, RunResult, ScenarioCost
from bench.scenarios import BUSY, SCENARIOS, SCENARIOS_WITHOUT_TIMEOUT, LoadScenario, mixed
from bench.targets import targets
from bench.usage import counted, read, stored_bytes
from bench.watch import ProcessMonitor, ProcessorTimes, settle
from local.addresses import CREDENTIALS, ROOT, Addresses
from local.errors import CannotRun
from local.processes import ignore_user_settings
from local.stack import Stack, running
from local.template import synthesized_stack
from local.terminal import console, print_error, step
from messaging.pricing.prices import load as load_prices

FOLDER = ROOT / ".local" / "bench"
RESULTS = "results.json"
WARM_UP_MESSAGES = 40
LIGHT_LOAD_MESSAGES = 120
LIGHT_LOAD_PER_SECOND = 4.0
SUSTAINED_MESSAGES = 1_000
# Slightly above the target of 15 per second, because the time after the last POST counts as well.
SUSTAINED_PER_SECOND = 15.5
MESSAGES_PER_SCENARIO = 10
LIGHT_LOAD_CODES = 40
SUSTAINED_CODES_PER_SECOND = 9.0


def main() -> int:
    arguments = parse(__doc__)
    if arguments.markdown:
        sys.stdout.write(_markdown(json.loads(arguments.markdown.read_text())))
        return 0
    if arguments.publish:
        publish.write(json.loads((FOLDER / RESULTS).read_text()))
        return 0
    ignore_user_settings()
    try:
        addresses = Addresses.from_environment()
        if arguments.only:
            found = measure_verifications(addresses, arguments.verifications)
            return show(found, f"{arguments.only}.json")
        return show(measure(addresses, arguments.sizes, arguments.verifications), RESULTS)
    except CannotRun as problem:
        print_error(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130


def show(found: BenchmarkResults, name: str) -> int:
    """Prints and writes the results; 0 if none was lost, sent twice, approved twice or wrong."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / name
    found.write(path)
    written = json.loads(path.read_text())
    for table in report.tables(written, targets(written)):
        table.show(console)
    path.with_suffix(".md").write_text(_markdown(written))
    drawn = charts.draw(written, FOLDER)
    files = [path, path.with_suffix(".md"), *drawn]
    console.print(f"{FOLDER.relative_to(ROOT)}/: {', '.join(one.name for one in files)}")
    messages = [one.verdicts for one in found.runs] + [one.verdicts for one in found.costs]
    codes = [one.verdicts for one in found.code_runs]
    return 0 if all(one.clean for one in messages) and all(one.clean for one in codes) else 1


def _markdown(written: report.Json) -> str:
    return report.markdown(written, report.tables(written, targets(written)))


def measure(addresses: Addresses, sizes: Sequence[int], verifications: int) -> BenchmarkResults:
    with step("Importing each function in fresh processes"):
        imports = cold_imports()
    with measured_stack(addresses) as bench:
        bench.load("Warming up", Load(bench.stack), mixed(WARM_UP_MESSAGES))
        costs = [bench.cost(scenario) for scenario in (*SCENARIOS, BUSY)]
        runs = [
            bench.mixed(LIGHT_LOAD_MESSAGES, LIGHT_LOAD_PER_SECOND),
            bench.mixed(SUSTAINED_MESSAGES, SUSTAINED_PER_SECOND),
            *(bench.burst(size) for size in sizes),
        ]
        more = results.further_costs(costs, bench.pricing)
        code_runs, code_costs = bench.verifications(verifications)
    return BenchmarkResults.now(runs, code_runs, [*costs, *code_costs], more, imports)


def measure_verifications(addresses: Addresses, size: int) -> BenchmarkResults:
    with measured_stack(addresses) as bench:
        code_runs, costs = bench.verifications(size)
    return BenchmarkResults.now([], code_runs, costs, [], [])


@contextmanager
def measured_stack(addresses: Addresses) -> Iterator["Bench"]:
    with running(addresses, step, MeteredParts) as stack, bar() as progress:
        # The start of the stack has synthesized the template.
        yield Bench(stack, progress, Pricing(load_prices(), function_memory_mb()))


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
    """Loads a running stack, and measures each load."""

    stack: Stack
    progress: Progress
    pricing: Pricing

    def load(
        self,
        what: str,
        load: Load,
        scenarios: Sequence[LoadScenario],
        per_second: float | None = None,
    ) -> LoadResult:
        """Sends the messages, waits until the last one has ended, and collects the measurements."""
        task = self.progress.add_task(what, total=len(scenarios))
        settle(self._records, quiet=1)  # the load before this one may still be recorded
        sizes = [path.stat().st_size for path in self._records]
        processors = self._processors
        used = processors.measure()
        with ProcessMonitor(self.stack, processors) as monitor:
            load.send(scenarios, per_second)
            load.wait(lambda over: self.progress.update(task, completed=over))
            settle(self._records)
        spent = {part: now - used.get(part, 0) for part, now in processors.measure().items()}
        lines = [
            line for part in zip(self._records, sizes, strict=True) for line in _lines_from(*part)
        ]
        facts = load.facts()
        usage = counted(len(facts), read(lines), [one.history for one in facts])
        return LoadResult(facts, usage, monitor.peaks, spent)

    def cost(self, scenario: LoadScenario, load: Load | None = None) -> ScenarioCost:
        what, before = f"Counting: {scenario.name}", table_bytes(self.stack)
        scenarios = [scenario] * MESSAGES_PER_SCENARIO
        loaded = self.load(what, load or Load(self.stack), scenarios, LIGHT_LOAD_PER_SECOND)
        return results.cost(scenario, loaded, table_bytes(self.stack) - before, self.pricing)

    def mixed(self, size: int, per_second: float) -> RunResult:
        name = f"{size:,} at {per_second:g} per second"
        loaded = self.load(f"Mixed: {name}", Load(self.stack), mixed(size), per_second)
        return results.measured(name, per_second, loaded, self.pricing)

    def burst(self, size: int) -> RunResult:
        name = f"{size:,} at once"
        scenarios = mixed(size, SCENARIOS_WITHOUT_TIMEOUT)
        loaded = self.load(f"Mixed: {name}", Load(self.stack), scenarios)
        return results.measured(name, None, loaded, self.pricing)

    def verifications(self, size: int) -> tuple[list[CodeRunResult], list[ScenarioCost]]:
        """Their runs, and the costs of the scenarios, in which each code is checked once."""
        warm_up = mixed(WARM_UP_MESSAGES, CODE_SCENARIOS)
        self.load("Warming up: verifications", CodeLoad(self.stack), warm_up)
        costs = [self.cost(scenario, CodeLoad(self.stack, clients=1)) for scenario in COUNTED_CODES]
        runs = [
            self.codes(LIGHT_LOAD_CODES, LIGHT_LOAD_PER_SECOND),
            self.codes(size, SUSTAINED_CODES_PER_SECOND),
        ]
        return runs, costs

    def codes(self, size: int, per_second: float) -> CodeRunResult:
        name = f"{size:,} verifications at {per_second:g} per second"
        load = CodeLoad(self.stack)
        scenarios = mixed(size, CODE_SCENARIOS)
        loaded = self.load(f"Mixed: {name}", load, scenarios, per_second)
        return code_results.measured(name, per_second, loaded, load.checks, self.pricing)

    @cached_property
    def _processors(self) -> ProcessorTimes:
        return ProcessorTimes(self.stack)

    @property
    def _records(self) -> tuple[Path, ...]:
        return tuple(
            self.stack.addresses.state_folder / f"{part}.record" for part in RECORDED.values()
        )


def table_bytes(stack: Stack) -> int:
    """What the table takes on disk."""
    table = boto3.client(
        "dynamodb",
        endpoint_url=stack.addresses.cloud,
        region_name=CREDENTIALS["AWS_REGION"],
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    name = stack.deployment.outputs["MessagesTableName"]
    pages = table.get_paginator("scan").paginate(TableName=name)
    return stored_bytes(item for page in pages for item in page["Items"])


def _lines_from(path: Path, offset: int) -> list[str]:
    with path.open() as record:
        record.seek(offset)
        return record.readlines()


if __name__ == "__main__":
    sys.exit(main())
