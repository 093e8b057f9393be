"""The monthly cost of a stack without messages, counted from its template."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from messaging.pricing.prices import Prices

Properties = Mapping[str, Any]

SECONDS_OF_A_MONTH = 730 * 3600
# Lambda polls a queue five times at once, and less of an idle one only if no maximum concurrency is
# set: docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html. A long poll lasts at most 20
# seconds: docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
# sqs-short-and-long-polling.html
POLLS, SECONDS_OF_A_POLL = 5, 20
# A dashboard of at most so many metrics is free, of which an account has three.
FREE_METRICS = 50


def dashboard_metrics(dashboard: Properties) -> int:
    """How many metrics a dashboard references."""
    body = json.loads(_text(dashboard["DashboardBody"]))
    return sum(len(widget["properties"].get("metrics", ())) for widget in body["widgets"])


def alarm_metrics(alarm: Properties) -> int:
    """How many metrics an alarm evaluates: each of them is billed."""
    return sum("MetricStat" in one for one in alarm["Metrics"]) if "Metrics" in alarm else 1


# What has a price of its own while nothing happens: its price, and how many units it is.
BILLED: Mapping[str, tuple[str, Callable[[Properties], float]]] = {
    "AWS::KMS::Key": ("kms_key_months", lambda _: 1),
    "AWS::SecretsManager::Secret": ("secret_months", lambda _: 1),
    "AWS::CloudWatch::Alarm": ("alarm_metric_months", alarm_metrics),
    "AWS::CloudWatch::Dashboard": (
        "dashboard_months",
        lambda dashboard: dashboard_metrics(dashboard) > FREE_METRICS,
    ),
    "AWS::Lambda::EventSourceMapping": (
        "sqs_requests",
        lambda _: POLLS * SECONDS_OF_A_MONTH / SECONDS_OF_A_POLL,
    ),
}


def monthly(template: Mapping[str, Any], prices: Prices) -> dict[str, float]:
    """Dollars per month by type of resource. Stored data, which an idle stack has none of, is not
    included.
    """
    found = dict.fromkeys(BILLED, 0.0)
    for resource in template["Resources"].values():
        if kind := BILLED.get(resource["Type"]):
            price, units = kind
            found[resource["Type"]] += units(resource["Properties"]) * prices.aws[price]
    return found


def _text(value: Any) -> str:  # noqa: ANN401 - a string, or how CloudFormation makes one
    """The string, with a name in place of each reference."""
    match value:
        case str():
            return value
        case {"Fn::Join": ["", [*parts]]}:
            return "".join(_text(part) for part in parts)
        case _:
            return "reference"
