"""The cost of a usage at list prices."""

from collections.abc import Iterable

from bench.usage import Usage
from messaging.pricing.prices import Prices

MILLION = 1_000_000
GIGABYTE = 1024**3


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
        "Logs": usage.log_bytes / GIGABYTE * prices.aws["log_gigabytes"],
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


def channel_fees_per_million(channels: Iterable[str], prices: Prices) -> float:
    """Channel fees in dollars per million messages, each sent on these channels."""
    return sum(prices.channels[channel] for channel in channels) * MILLION
