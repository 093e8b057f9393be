"""The metrics of alarms and dashboard: those that the functions write, and AWS's own."""

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

# As functions/messaging/metrics.py writes them; a contract test compares the two.
OF_A_CHANNEL = ("Sent", "Delivered", "Failed", "Refused", "TimedOut", "Fallback")
TIME_OF_A_CHANNEL = "TimeToDeliver"
UNATTRIBUTED_RECEIPTS = ("ForeignReceipt", "UnmatchedReceipt")
OF_MESSAGES = (
    "MessageAccepted",
    "MessageDelivered",
    "MessageConfirmed",
    "MessageSent",
    "MessageUndelivered",
    "MessageExpired",
    "MessageCancelled",
    "MessageRejected",
)
TIME_OF_MESSAGES = "MessageTimeToDeliver"
BROKEN = "ExecutionBroken"
THROTTLED = "StartThrottled"
BLOCKED_CODES = "CodeBlocked"
# Its dimension: as functions/messaging/codes/guard.py names them.
LIMITS_OF_CODES = ("recipient", "client_ip", "prefix", "country", "breaker")
BREAKER_OPENED = "CodeBreakerOpened"
UNCOUNTED_CODES = "CodesUncounted"

# The one dimension that Powertools adds by itself: POWERTOOLS_SERVICE_NAME.
SERVICE = {"service": "throughline"}


def of_stack(
    scope: Construct,
    name: str,
    *,
    channel: str | None = None,
    limit: str | None = None,
    statistic: str = "Sum",
) -> cloudwatch.Metric:
    """A metric that the functions of this stack write; the namespace is the stack's name."""
    given = {"channel": channel, "limit": limit}
    dimensions = {dimension: value for dimension, value in given.items() if value}
    return _metric(
        Stack.of(scope).stack_name, name, SERVICE | dimensions, statistic, channel or limit
    )


def starts(name: str) -> cloudwatch.Metric:
    """A metric of the account's StartExecution calls, those of other stacks included.

    docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    """
    return _metric("AWS/States", name, {"APIName": "StartExecution"}, "Sum")


def of_all_functions(name: str) -> cloudwatch.Metric:
    """A metric of all Lambda functions of the account and Region: it has no dimension.

    docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
    """
    return _metric("AWS/Lambda", name, {}, "Sum")


def api(scope: Construct, name: str) -> cloudwatch.Metric:
    """A metric of this stack's API, which has the stack's name."""
    named = {"ApiName": Stack.of(scope).stack_name}
    return _metric("AWS/ApiGateway", name, named, "Sum")


def sum_of(metrics: list[cloudwatch.Metric], label: str) -> cloudwatch.MathExpression:
    """The sum of several metrics, where a missing value counts as zero."""
    return cloudwatch.MathExpression(
        expression="SUM(FILL(METRICS(), 0))",
        using_metrics={f"m{number}": metric for number, metric in enumerate(metrics)},
        label=label,
        period=Duration.minutes(1),
    )


def _metric(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    statistic: str,
    label: str | None = None,
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions),
        statistic=statistic,
        label=label,
        period=Duration.minutes(1),
    )
