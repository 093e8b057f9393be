"""The metrics: each event is counted once, and the channel is the only dimension.

Each event is a log line of its own in CloudWatch's embedded metric format, so it is kept if the
function fails afterwards. The namespace is the stack's name (POWERTOOLS_METRICS_NAMESPACE).
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from messaging.domain.statuses import ENDED_EXECUTION, AttemptStatus, MessageStatus

if TYPE_CHECKING:
    from messaging.domain.messages import Attempt


class Metric(StrEnum):
    """The first group has the dimension `channel`, the second has none."""

    SENT = "Sent"
    REFUSED = "Refused"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    DELIVERED = "Delivered"
    FALLBACK = "Fallback"
    TIME_TO_DELIVER = "TimeToDeliver"
    FOREIGN_RECEIPT = "ForeignReceipt"
    UNMATCHED_RECEIPT = "UnmatchedReceipt"

    MESSAGE_ACCEPTED = "MessageAccepted"
    MESSAGE_REJECTED = "MessageRejected"
    MESSAGE_UNDELIVERED = "MessageUndelivered"
    MESSAGE_EXPIRED = "MessageExpired"
    MESSAGE_SENT = "MessageSent"
    MESSAGE_DELIVERED = "MessageDelivered"
    MESSAGE_CONFIRMED = "MessageConfirmed"
    MESSAGE_CANCELLED = "MessageCancelled"
    # As TIME_TO_DELIVER, for all channels: percentiles cannot be added.
    MESSAGE_TIME_TO_DELIVER = "MessageTimeToDeliver"
    EXECUTION_BROKEN = "ExecutionBroken"
    START_THROTTLED = "StartThrottled"
    CODE_BLOCKED = "CodeBlocked"
    CODE_BREAKER_OPENED = "CodeBreakerOpened"
    CODES_UNCOUNTED = "CodesUncounted"

    @property
    def of_a_channel(self) -> bool:
        return [*Metric].index(self) < [*Metric].index(Metric.MESSAGE_ACCEPTED)


_OF_ATTEMPT = {
    AttemptStatus.FAILED: Metric.FAILED,
    AttemptStatus.TIMED_OUT: Metric.TIMED_OUT,
    AttemptStatus.DELIVERED: Metric.DELIVERED,
    AttemptStatus.READ: Metric.DELIVERED,
}
_OF_MESSAGE = {
    MessageStatus.ACCEPTED: Metric.MESSAGE_ACCEPTED,
    MessageStatus.REJECTED: Metric.MESSAGE_REJECTED,
    MessageStatus.UNDELIVERED: Metric.MESSAGE_UNDELIVERED,
    MessageStatus.EXPIRED: Metric.MESSAGE_EXPIRED,
    MessageStatus.SENT: Metric.MESSAGE_SENT,
    MessageStatus.CONFIRMED: Metric.MESSAGE_CONFIRMED,
    MessageStatus.CANCELLED: Metric.MESSAGE_CANCELLED,
}
_TIMES = {Metric.TIME_TO_DELIVER, Metric.MESSAGE_TIME_TO_DELIVER}


def count(metric: Metric, channel: str | None = None, limit: str | None = None) -> None:
    _emit(_embedded({metric: 1}, channel, limit))


class StatusMetrics:
    """Counts each change of a status once, as the store reports it."""

    def attempt_status_rose(self, attempt: "Attempt") -> None:
        """A read receipt counts as a delivery if no delivery receipt preceded it."""
        known = attempt.status is AttemptStatus.READ and "delivered" in attempt.times
        if (metric := _OF_ATTEMPT.get(attempt.status)) and not known:
            count(metric, attempt.channel)

    def message_status_rose(
        self, status: MessageStatus, age: timedelta, channel: str | None, reason: str | None
    ) -> None:
        """`age`: since its acceptance. `reason`: why it ended, if not by its attempts."""
        milliseconds = max(age / timedelta(milliseconds=1), 0)
        if status is MessageStatus.DELIVERED:
            of_all = {Metric.MESSAGE_DELIVERED: 1, Metric.MESSAGE_TIME_TO_DELIVER: milliseconds}
            of_channel = {Metric.TIME_TO_DELIVER: milliseconds}
            _emit(_embedded(of_all), *([_embedded(of_channel, channel)] if channel else []))
        elif metric := _OF_MESSAGE.get(status):
            count(metric)
        if reason in ENDED_EXECUTION.values():
            count(Metric.EXECUTION_BROKEN)


def _embedded(
    values: Mapping[Metric, float], channel: str | None = None, limit: str | None = None
) -> dict[str, Any]:
    metrics = EphemeralMetrics()
    for name, value in {"channel": channel, "limit": limit}.items():
        if value:
            metrics.add_dimension(name, value)
    for metric, amount in values.items():
        timed = metric in _TIMES
        metrics.add_metric(metric, MetricUnit.Milliseconds if timed else MetricUnit.Count, amount)
    return dict(metrics.serialize_metric_set())


def _emit(*sets: Mapping[str, Any]) -> None:
    """Sets of metrics with different dimensions in one line, which Powertools cannot write.

    docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    line = {name: value for one in sets for name, value in one.items()}
    directives = [each for one in sets for each in one["_aws"]["CloudWatchMetrics"]]
    line["_aws"] = {**line["_aws"], "CloudWatchMetrics": directives}
    print(json.dumps(line, separators=(",", ":")))  # noqa: T201 - how Lambda logs
