"""AWS Lambda: how many messages per second the account's concurrency allows."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from operations.doctor.account import AccountReader, NotReadable, Response
from operations.doctor.examined import ExaminedStack, Pace
from operations.doctor.findings import Finding, about, limit, note, number, ok, unknown

# "Concurrent executions": docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
QUOTA = "L-B99A9384"
# AWS's default; new accounts have less, which is raised on request (the same page).
DEFAULT_CONCURRENCY = 1_000
# What a message that its first channel delivers takes of the functions beside start_delivery,
# warm, in seconds, from and to. Assumed, at 512 MB, until the account has its own figures.
ASSUMED_SECONDS = {
    "accepting it": (0.1, 0.3),
    "sending it": (0.1, 0.3),
    "two receipts": (0.1, 0.3),
}
# Fewer sends than this are mostly cold starts.
ENOUGH_SENDS = 50
DAYS = 7
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class FunctionSeconds:
    """The seconds of functions that one send takes with all around it, and where that is from."""

    least: float
    most: float
    source: str

    def messages_per_second(self, concurrency: int) -> str:
        low, high = (about(concurrency / each) for each in (self.most, self.least))
        return low if low == high else f"{low} to {high}"


def assumed() -> FunctionSeconds:
    least, most = (sum(each) for each in zip(*ASSUMED_SECONDS.values(), strict=True))
    parts = ", ".join(f"{what} {low}-{high} s" for what, (low, high) in ASSUMED_SECONDS.items())
    return FunctionSeconds(least, most, f"an assumption: {parts}")


def concurrency(account: AccountReader, examined: ExaminedStack) -> Iterator[Finding]:
    """What the account's concurrency allows; raises NotReadable without its settings."""
    settings = account.read("lambda", "GetAccountSettings")["AccountLimit"]
    seconds = assumed()
    if examined.deployed:
        try:
            seconds = measured(_durations(account, examined)) or seconds
        except NotReadable as problem:
            yield unknown(f"The durations of the functions could not be read: {problem}.")
    yield from judge(settings, examined.pace, seconds, examined.region)


def judge(
    settings: Response, pace: Pace, seconds: FunctionSeconds, region: str
) -> Iterator[Finding]:
    """Sentences about AccountLimit of GetAccountSettings."""
    total, free = (settings[f"{each}ConcurrentExecutions"] for each in ("", "Unreserved"))
    left = free - pace.starter_concurrency
    yield note(
        f"Lambda runs at most {number(total)} functions at once in this account and Region, "
        f"{number(free)} of them without reserved concurrency. While requests are queued, "
        f"start_delivery occupies up to {pace.starter_concurrency} of these."
    )
    if left <= 0:
        yield limit(
            f"That leaves none for sending while requests are queued: lower starter_concurrency "
            f"below {number(free)}, or raise the quota.",
            _request(pace, seconds, region),
        )
        return
    text = (
        f"The other {number(left)} allow about {seconds.messages_per_second(left)} messages per "
        f"second, at {_seconds(seconds)} of functions for each send ({seconds.source}). The stack "
        f"starts up to {number(pace.starts_per_second)} per second."
    )
    if left / seconds.most >= pace.starts_per_second:
        yield ok(text)
    else:
        yield limit(
            f"{text} Beyond that, Lambda throttles: messages are delayed, and one that waits too "
            "long takes its next channel. Lower starts_per_second, or request a higher quota.",
            _request(pace, seconds, region),
        )


def measured(durations: Mapping[str, tuple[float, float]]) -> FunctionSeconds | None:
    """The seconds that each send took, from the functions' seconds and invocations, if enough."""
    sends = durations.get("send_message", (0, 0))[1]
    if sends < ENOUGH_SENDS:
        return None
    total = sum(seconds for name, (seconds, _) in durations.items() if name != "start_delivery")
    each = total / sends
    return FunctionSeconds(each, each, f"measured over {number(sends)} sends in {DAYS} days")


def _durations(account: AccountReader, examined: ExaminedStack) -> dict[str, tuple[float, float]]:
    """Each function's seconds and invocations of the last days, as CloudWatch counts them.

    docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    now = datetime.now(UTC)
    names = list(examined.functions)
    results = account.read(
        "cloudwatch",
        "GetMetricData",
        StartTime=now - timedelta(days=DAYS),
        EndTime=now,
        MetricDataQueries=[
            _query(f"{kind.lower()}{place}", kind, examined.functions[name])
            for place, name in enumerate(names)
            for kind in ("Duration", "Invocations")
        ],
    )["MetricDataResults"]
    sums = {result["Id"]: sum(result.get("Values", [])) for result in results}
    return {
        name: (sums.get(f"duration{place}", 0) / 1000, sums.get(f"invocations{place}", 0))
        for place, name in enumerate(names)
    }


def _query(query_id: str, metric: str, function: str) -> dict[str, object]:
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Lambda",
                "MetricName": metric,
                "Dimensions": [{"Name": "FunctionName", "Value": function}],
            },
            "Period": SECONDS_A_DAY,
            "Stat": "Sum",
        },
    }


def _seconds(seconds: FunctionSeconds) -> str:
    least, most = number(seconds.least), number(seconds.most)
    return f"{least} s" if least == most else f"{least} to {most} s"


def _request(pace: Pace, seconds: FunctionSeconds, region: str) -> str:
    """Enough for the pace of the stack by the less favourable figure, in hundreds."""
    needed = pace.starts_per_second * seconds.most + pace.starter_concurrency
    desired = max(DEFAULT_CONCURRENCY, math.ceil(needed / 100) * 100)
    return (
        "aws service-quotas request-service-quota-increase --service-code lambda "
        f"--quota-code {QUOTA} --desired-value {desired} --region {region}"
    )
