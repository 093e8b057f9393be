"""The results as tables, for the terminal and as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from bench.targets import Target
from bench.usage import ACCESS_LOG_BYTES, api_requests

Json = Mapping[str, Any]


@dataclass(frozen=True)
class ResultTable:
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def show(self, console: Console) -> None:
        shown = RichTable(title=self.title, title_justify="left")
        for number, word in enumerate(self.head):
            shown.add_column(word, justify="right" if number else "left")
        for row in self.rows:
            shown.add_row(*row)
        console.print(shown)

    def markdown(self) -> str:
        rule = ["---", *["---:"] * (len(self.head) - 1)]
        lines = (f"| {' | '.join(cells)} |" for cells in (self.head, rule, *self.rows))
        return "\n".join([f"**{self.title}**", "", *lines, ""])


def tables(results: Json, targets: Iterable[Target]) -> list[ResultTable]:
    """All tables of what was measured."""
    of_functions = [_functions(results["costs"])]
    return [*compact(results, targets), *of_functions]


def compact(results: Json, targets: Iterable[Target]) -> list[ResultTable]:
    """The tables of the benchmark page."""
    found = [_targets(targets)]
    if runs := results["runs"]:
        found += [_runs(runs), _latencies(runs), _processes(runs)]
    if codes := results["code_runs"]:
        found += [_code_runs(codes), _code_latencies(codes)]
    found += [_costs(results)]
    if further := results["further_costs"]:
        found += [_further(further)]
    found += [_usage(results["costs"])]
    if imports := results["imports"]:
        found += [_imports(imports)]
    return found


def brief(results: Json, targets: Iterable[Target]) -> list[ResultTable]:
    """The tables of the README: targets and costs."""
    return [_targets(targets), _costs(results), _further(results["further_costs"])]


def markdown(results: Json, shown: Iterable[ResultTable]) -> str:
    machine = results["machine"]
    where = (
        f"{results['at'][:10]}, {machine['processors']} cores, {machine['memory_gb']:.0f} GB, "
        f"{machine['system']}, Python {machine['python']}"
    )
    return "\n".join([f"`make bench`: {where}", "", *(table.markdown() for table in shown)])


def _targets(targets: Iterable[Target]) -> ResultTable:
    rows = [[what, target, found, "yes" if met else "no"] for what, target, found, met in targets]
    return ResultTable("Targets", ["", "target", "measured", "met"], rows)


def _runs(runs: Sequence[Json]) -> ResultTable:
    head = [
        "mixed messages",
        "seconds",
        "per second",
        "lost",
        "sent twice",
        "wrong",
        "states",
        "peak MB",
    ]
    head += ["processor ms", "units read", "written", "AWS $ per million"]
    rows = [
        [
            run["name"],
            f"{run['seconds']:.1f}",
            f"{run['messages_per_second']:.1f}",
            *(str(run["verdicts"][kind]) for kind in ("lost", "duplicated", "wrong")),
            *_per_message(run),
        ]
        for run in runs
    ]
    return ResultTable("Throughput and growth; per message except seconds and MB", head, rows)


def _code_runs(runs: Sequence[Json]) -> ResultTable:
    kinds = ("lost", "sent_twice", "approved_twice", "wrong")
    head = ["verifications", "seconds", *(kind.replace("_", " ") for kind in kinds), "states"]
    head += ["peak MB", "processor ms", "units read", "written", "AWS $ per million"]
    rows = [
        [
            run["name"],
            f"{run['seconds']:.1f}",
            *(str(run["verdicts"][kind]) for kind in kinds),
            *_per_message(run),
        ]
        for run in runs
    ]
    title = "Verifications, each code checked by two clients at once; per verification except MB"
    return ResultTable(title, head, rows)


def _per_message(run: Json) -> list[str]:
    """States, memory, processor time, DynamoDB's units and the cost of a run."""
    usage = run["usage"]
    return [
        f"{usage['states'] / usage['messages']:.2f}",
        f"{run['peaks']['stack']:,.0f}",
        f"{sum(run['processor_ms'].values()):.0f}",
        *(f"{usage[kind] / usage['messages']:.2f}" for kind in ("reads", "writes")),
        f"{sum(run['dollars_per_million'].values()):,.0f}",
    ]


WORKFLOW_CALLS = ("StartExecution", "SendTaskSuccess", "SendTaskFailure")
MOMENTS = {
    "post": "POST response",
    "post_to_call": "POST to provider call",
    "receipt_to_next_call": "failure receipt to next call",
    "timeout_to_next_call": "timeout to next call",
}


CODE_MOMENTS = {
    "start": "response to a start",
    "start_to_call": "start to provider call",
    "check": "response to the right code",
}


def _latencies(runs: Sequence[Json]) -> ResultTable:
    return _milliseconds("Latency in milliseconds", MOMENTS, runs)


def _code_latencies(runs: Sequence[Json]) -> ResultTable:
    return _milliseconds("Latency of verifications in milliseconds", CODE_MOMENTS, runs)


def _milliseconds(title: str, moments: Mapping[str, str], runs: Sequence[Json]) -> ResultTable:
    rows = [
        [
            f"{words}, {run['name']}",
            *(f"{spread[cut] * 1000:,.0f}" for cut in ("p50", "p95", "p99")),
        ]
        for key, words in moments.items()
        for run in runs
        if (spread := run["latencies"][key])
    ]
    return ResultTable(title, ["", "p50", "p95", "p99"], rows)


def _processes(runs: Sequence[Json]) -> ResultTable:
    run = max(runs, key=lambda one: (one["per_second"] or 0, one["usage"]["messages"]))
    together = run["peaks"]["together"]
    rows = [
        [
            name,
            f"{run['peaks']['process'][name]:,.0f}",
            f"{megabytes:,.0f}",
            f"{run['processor_ms'].get(name, 0):.1f}",
        ]
        for name, megabytes in sorted(together.items(), key=lambda each: -each[1])
    ]
    head = ["", "peak MB, one", "peak MB, all", "processor ms per message"]
    return ResultTable(f"Processes, {run['name']}", head, rows)


def _costs(results: Json) -> ResultTable:
    costs = results["costs"]
    parts = list(costs[0]["dollars_per_million"])
    rows = [
        [
            one["scenario"],
            *(f"{one['dollars_per_million'][part]:.2f}" for part in parts),
            f"{sum(one['dollars_per_million'].values()):.2f}",
            f"{one['channel_fees_per_million']:,.0f}",
        ]
        for one in costs
    ]
    title = f"US dollars per million messages, list prices of {results['prices_read']}"
    return ResultTable(title, ["scenario", *parts, "AWS", "channels' fees"], rows)


def _further(costs: Sequence[Json]) -> ResultTable:
    rows = [[one["what"], f"{one['dollars']:.2f}", f"per {one['per']}"] for one in costs]
    return ResultTable("Beside them", ["", "US dollars", ""], rows)


def _usage(costs: Sequence[Json]) -> ResultTable:
    head = ["scenario", "states", "invocations", "Lambda ms", "reads", "writes"]
    head += ["SQS", "SNS", "API", "KMS", "Step Functions calls", "bytes logged", "stored"]
    return ResultTable("Usage by scenario", head, [_used(one) for one in costs])


def _used(one: Json) -> list[str]:
    usage = one["usage"]
    calls, invocations = usage["calls"], usage["invocations"]
    totals = [
        usage["states"],
        sum(invocations.values()),
        sum(usage["milliseconds"].values()),
        usage["reads"],
        usage["writes"],
        calls.get("sqs.SendMessage", 0) + 2 * invocations.get("start_delivery", 0),
        calls.get("sns.Publish", 0),
        api_requests(invocations),
        calls.get("kms.GenerateMac", 0),
        sum(calls.get(f"states.{action}", 0) for action in WORKFLOW_CALLS),
        usage["log_bytes"] + ACCESS_LOG_BYTES * api_requests(invocations),
        one["stored_bytes"] * usage["messages"],
    ]
    return [one["scenario"], *(f"{total / usage['messages']:.4g}" for total in totals)]


def _functions(costs: Sequence[Json]) -> ResultTable:
    names = sorted({name for one in costs for name in one["usage"]["milliseconds"]})
    rows = []
    for one in costs:
        usage = one["usage"]
        cells = [
            f"{usage['invocations'][name] / usage['messages']:.3g} * "
            f"{usage['milliseconds'][name] / usage['invocations'][name]:.0f}"
            if name in usage["invocations"]
            else ""
            for name in names
        ]
        rows.append([one["scenario"], *cells])
    return ResultTable("Invocations per message * milliseconds of each", ["", *names], rows)


def _imports(imports: Sequence[Json]) -> ResultTable:
    rows = [
        [
            one["name"],
            f"{one['seconds'] * 1000:.0f}",
            f"{one['megabytes']:.0f}",
            f"{one['ratio']:.2f}",
        ]
        for one in imports
    ]
    return ResultTable("Cold imports, with one client made", ["", "ms", "MB", "ratio"], rows)
