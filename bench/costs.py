"""The cost of a usage at list prices."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.usage import Usage
from messaging.pricing.prices import Prices

MILLION = 1_000_000
GIGABYTE = 1024**3
# SQS and SNS use a data key, and DynamoDB a table key, for five minutes. Each period has two
# requests for each principal that sends or publishes (the API's function; the channel's service),
# and one for each that receives or uses the table (the starter; the functions on the way).
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
# https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
# https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html
KEY_REQUESTS_PER_PERIOD = 2 + 2 + 1 + 3
PERIODS_PER_MONTH = 30 * 24 * 60 // 5


def per_million(usage: Usage, prices: Prices, memory_mb: int) -> dict[str, float]:
    """Dollars per million messages like these, by AWS service."""
    parts = {
        "Step Functions": usage.states * prices.aws["states"],
        "Lambda": _functions(usage, prices, memory_mb),
        "DynamoDB": usage.reads * prices.aws["dynamodb_reads"]
        + usage.writes * prices.aws["dynamodb_writes"],
        "API Gateway": usage.api_requests * prices.aws["api_requests"],
        "SQS": usage.queue_requests * prices.aws["sqs_requests"],
        "SNS": usage.publishes * prices.aws["sns_publishes"],
        "KMS": usage.derived_codes * prices.aws["key_requests"],
        "Logs": usage.logged / GIGABYTE * prices.aws["log_gigabytes"],
    }
    return {part: dollars / usage.messages * MILLION for part, dollars in parts.items()}


def _functions(usage: Usage, prices: Prices, memory_mb: int) -> float:
    """Lambda bills whole milliseconds, by the memory size of the function."""
    gigabyte_seconds = sum(usage.milliseconds.values()) / 1000 * memory_mb / 1024
    requests = sum(usage.invocations.values())
    return (
        requests * prices.aws["lambda_requests"]
        + gigabyte_seconds * prices.aws["lambda_gb_seconds"]
    )


@dataclass(frozen=True)
class Pricing:
    """What the cost of a usage depends on: list prices, and the functions' memory size."""

    prices: Prices
    memory_mb: int

    def of(self, usage: Usage) -> dict[str, float]:
        return per_million(usage, self.prices, self.memory_mb)


@dataclass(frozen=True)
class FurtherCost:
    """What is billed beside the messages' requests, in dollars."""

    what: str
    dollars: float
    per: str


def further(
    first: Usage, busy: Usage, all_metrics: int, stored: float, pricing: Pricing
) -> list[FurtherCost]:
    """`first`: messages delivered first; `stored`: the bytes that one of them takes in the table.
    `busy`: the same with retries. `all_metrics`: the number of metrics that the functions can emit.
    """
    aws, retries = pricing.prices.aws, (busy.states - first.states) / busy.messages
    retried = sum(pricing.of(busy).values()) - sum(pricing.of(first).values())
    gigabyte_month = aws["table_gigabyte_months"] + aws["recovery_gigabyte_months"]
    traces = sum(first.invocations.values()) / first.messages
    return [
        FurtherCost("retries of a busy provider", retried / retries, "million retries"),
        FurtherCost(
            "stored data and its point-in-time recovery",
            stored * MILLION / GIGABYTE * gigabyte_month,
            "million messages and month of retention",
        ),
        FurtherCost(
            f"{len(first.metrics)} custom metrics of messages delivered first",
            len(first.metrics) * aws["metric_months"],
            "month",
        ),
        FurtherCost(
            f"all {all_metrics} custom metrics", all_metrics * aws["metric_months"], "month"
        ),
        FurtherCost(
            "KMS requests, at most, of steady traffic on one channel",
            KEY_REQUESTS_PER_PERIOD * PERIODS_PER_MONTH * aws["key_requests"],
            "month",
        ),
        FurtherCost(
            "X-Ray, if it is on, at most: a trace per invocation",
            traces * aws["traces"] * MILLION,
            "million messages",
        ),
    ]


def channel_fees_per_million(channels: Iterable[str], prices: Prices) -> float:
    """Channel fees in dollars per million messages, each sent on these channels."""
    return sum(prices.channels[channel] for channel in channels) * MILLION
