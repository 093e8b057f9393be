"""The metrics: each event is counted once, and the channel is the only dimension.

Each metric is a log line of its own in CloudWatch's embedded metric format, so it is kept if the
function fails afterwards. The namespace is the stack's name (POWERTOOLS_METRICS_NAMESPACE).
"""

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit, single_metric

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
    # As TIME_TO_DELIVER, for all channels: percentiles cannot be added.
    MESSAGE_TIME_TO_DELIVER = "MessageTimeToDeliver"
    EXECUTION_BROKEN = "ExecutionBroken"
    START_THROTTLED = "StartThrottled"


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
    MessageStatus.DELIVERED: Metric.MESSAGE_DELIVERED,
}


def count(metric: Metric, channel: str | None = None) -> None:
    _emit(metric, MetricUnit.Count, 1, channel)


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
        if metric := _OF_MESSAGE.get(status):
            count(metric)
        if reason in ENDED_EXECUTION.values():
            count(Metric.EXECUTION_BROKEN)
        if status is MessageStatus.DELIVERED:
            _time(Metric.MESSAGE_TIME_TO_DELIVER, age)
            if channel:
                _time(Metric.TIME_TO_DELIVER, age, channel)


def _time(metric: Metric, age: timedelta, channel: str | None = None) -> None:
    milliseconds = max(age / timedelta(milliseconds=1), 0)
    _emit(metric, MetricUnit.Milliseconds, milliseconds, channel)


def _emit(metric: Metric, unit: MetricUnit, value: float, channel: str | None) -> None:
    dimensions = {"channel": channel} if channel else None
    with single_metric(metric, unit, value, default_dimensions=dimensions):
        pass
