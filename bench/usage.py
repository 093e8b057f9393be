"""The AWS usage of a run, counted from the recorded calls and the execution histories."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024
# An item takes this much more on disk, and an entry of an index as well.
OVERHEAD_BYTES = 100
# The attributes of an entry of the index `Recent`.
INDEXED = ("pk", "sk", "listed_under", "accepted_at")
NUMBER_BYTES_PER_DIGITS = 2
CONTAINER_BYTES = 3
# A line of the access log, which API Gateway writes in the format of `infra/api.py`; the local AWS
# writes none.
ACCESS_LOG_BYTES = 270
# The functions behind the API. Each request that passes the gateway is an invocation of one.
API_FUNCTIONS = frozenset(
    {
        *("accept_message", "read_message", "control_message"),
        *("start_verification", "read_verification", "check_verification", "control_verification"),
    }
)


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One request to an AWS API; for DynamoDB with the consumed units."""

    service: str
    action: str
    reads: float = 0
    writes: float = 0


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of a function: its duration, the size of its log, and the custom metrics in
    the log, each with its dimensions.
    """

    function: str
    milliseconds: float
    log_bytes: int
    metrics: Sequence[str] = ()


@dataclass(frozen=True)
class Usage:
    """Totals of `messages` messages."""

    messages: int
    states: int
    reads: float
    writes: float
    calls: Mapping[str, int] = field(default_factory=dict)
    invocations: Mapping[str, int] = field(default_factory=dict)
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    log_bytes: int = 0
    metrics: Sequence[str] = ()

    @property
    def logged(self) -> int:
        """The bytes of the functions' logs and of the API's access log."""
        return self.log_bytes + ACCESS_LOG_BYTES * self.api_requests

    @property
    def api_requests(self) -> int:
        return api_requests(self.invocations)

    @property
    def queue_requests(self) -> int:
        """One per sent message, and a receive and a delete per batch by Lambda's poller."""
        return self.calls.get("sqs.SendMessage", 0) + 2 * self.invocations.get("start_delivery", 0)

    @property
    def publishes(self) -> int:
        return self.calls.get("sns.Publish", 0)

    @property
    def derived_codes(self) -> int:
        return self.calls.get("kms.GenerateMac", 0)


def api_requests(invocations: Mapping[str, int]) -> int:
    return sum(number for name, number in invocations.items() if name in API_FUNCTIONS)


def counted(
    messages: int,
    record: Iterable[AwsCall | Invocation],
    histories: Iterable[Iterable[Mapping[str, Any]]],
) -> Usage:
    calls: Counter[str] = Counter()
    invocations: Counter[str] = Counter()
    milliseconds: defaultdict[str, float] = defaultdict(float)
    metrics: set[str] = set()
    reads = writes = 0.0
    log_bytes = 0
    for entry in record:
        match entry:
            case AwsCall():
                calls[f"{entry.service}.{entry.action}"] += 1
                reads += entry.reads
                writes += entry.writes
            case Invocation():
                invocations[entry.function] += 1
                milliseconds[entry.function] += entry.milliseconds
                log_bytes += entry.log_bytes
                metrics.update(entry.metrics)
    states = sum(transitions(history) for history in histories)
    return Usage(
        messages,
        states,
        reads,
        writes,
        dict(calls),
        dict(invocations),
        dict(milliseconds),
        log_bytes,
        sorted(metrics),
    )


def transitions(history: Iterable[Mapping[str, Any]]) -> int:
    """The states entered plus the retries, which is what a Standard workflow is billed for."""
    types = Counter(event["type"] for event in history)
    entered = sum(number for kind, number in types.items() if kind.endswith("StateEntered"))
    retries = types["TaskScheduled"] - types["TaskStateEntered"]
    return entered + max(retries, 0)


def read(lines: Iterable[str]) -> Iterator[AwsCall | Invocation]:
    """The entries of a record that `written` wrote."""
    for line in lines:
        entry = json.loads(line)
        yield Invocation(**entry) if "function" in entry else AwsCall(**entry)


def written(entry: AwsCall | Invocation) -> str:
    fields = {name: getattr(entry, name) for name in entry.__slots__}
    return json.dumps(fields, separators=(",", ":")) + "\n"


def metrics_in(log: str) -> list[str]:
    """The custom metrics of a log, each with its dimensions: CloudWatch bills each combination."""
    lines = (json.loads(line) for line in log.splitlines() if line.startswith('{"_aws"'))
    found = {
        "/".join([metric["Name"], *(line[name] for name in sorted(directive["Dimensions"][0]))])
        for line in lines
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    return sorted(found)


def read_units(items: Iterable[Mapping[str, Any]], *, consistent: bool = True) -> float:
    """The units of a read that returned these items: at least one, or half of that."""
    units = max(1, math.ceil(sum(item_bytes(item) for item in items) / READ_UNIT_BYTES))
    return units if consistent else units / 2


def write_units(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """The units of a write to a table without indexes."""
    return max(1, math.ceil(max(item_bytes(before), item_bytes(after)) / WRITE_UNIT_BYTES))


def stored_bytes(items: Iterable[Mapping[str, Any]]) -> int:
    """What these items take on disk, with the keys of the index of recent messages."""
    total = 0
    for item in items:
        total += item_bytes(item) + OVERHEAD_BYTES
        if "listed_under" in item:
            total += item_bytes({name: item[name] for name in INDEXED}) + OVERHEAD_BYTES
    return total


def item_bytes(item: Mapping[str, Any]) -> int:
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return math.ceil(len(content.strip("-.0")) / NUMBER_BYTES_PER_DIGITS) + 1
        case "M":
            return CONTAINER_BYTES + item_bytes(content) + len(content)
        case "L":
            return CONTAINER_BYTES + sum(1 + _value_bytes(one) for one in content)
        case _:
            return 1
