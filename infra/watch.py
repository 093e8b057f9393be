"""What rings: few alarms, each with its section in docs/runbook.md.

The dead-letter queues bring their own. A threshold that a user would choose is a parameter; the
others stand here with their reasons.
"""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import metrics
from infra.alarms import Alarms
from infra.config import Config
from infra.function import Function

# Of fewer messages than this in a quarter of an hour, a share says nothing.
ENOUGH_MESSAGES = 20
# One failed invocation is tried again by whoever called it, and mostly heals by itself.
FUNCTION_ERRORS = 5
MINUTE, QUARTER = Duration.minutes(1), Duration.minutes(15)


class Watch(Construct):
    """The alarms over the whole stack; made last, because they watch whatever is in it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        requests: sqs.IQueue,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, construct_id)
        self._alarms = alarms
        self._functions = functions_of(self)
        self._watch_the_queue(requests, config)
        self._watch_the_functions()
        self._watch_the_executions()
        self._watch_the_messages(config)

    def _watch_the_queue(self, requests: sqs.IQueue, config: Config) -> None:
        self._ring(
            "OldestRequest",
            "Requests wait too long to be started",
            requests.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
            above=config.alarm_oldest_request_seconds,
            minutes=(3, 5),
        )
        throttled = [
            metrics.ours(self, metrics.THROTTLED),
            metrics.starts("ThrottledEvents"),
        ]
        self._ring(
            "StartsThrottled",
            "Step Functions refuses starts: the account's quota is used up",
            metrics.together(throttled, "throttled starts"),
            above=0,
            # A burst of direct starts may empty the bucket for a moment.
            minutes=(3, 5),
        )

    def _watch_the_functions(self) -> None:
        errors = [each.metric_errors(period=MINUTE) for each in self._functions]
        self._ring(
            "FunctionErrors",
            "Functions fail again and again",
            metrics.together(errors, "failed invocations"),
            above=FUNCTION_ERRORS - 1,
            minutes=(2, 5),
        )
        throttles = [each.metric_throttles(period=MINUTE) for each in self._functions]
        self._ring(
            "FunctionThrottles",
            "Lambda refuses invocations: the account's concurrency is used up",
            metrics.together(throttles, "throttled invocations"),
            above=0,
            minutes=(3, 5),
        )

    def _watch_the_executions(self) -> None:
        self._ring(
            "ExecutionsBroken",
            "Executions ended for a reason that is none of ours, or were stopped",
            metrics.ours(self, metrics.BROKEN),
            above=0,
            minutes=(1, 1),
        )

    def _watch_the_messages(self, config: Config) -> None:
        self._ring(
            "UndeliveredShare",
            "Too many messages reach nobody",
            _undelivered_percent(self),
            above=config.alarm_undelivered_percent,
        )
        p95 = metrics.ours(self, metrics.TIME_OF_MESSAGES, statistic="p95").with_(period=QUARTER)
        self._ring(
            "TimeToDeliver",
            "One message in twenty takes too long from its acceptance to its delivery",
            p95,
            above=config.alarm_time_to_deliver_seconds * 1000,
            # A percentile of a handful of messages is one message's.
            low_samples="ignore",
        )

    def _ring(
        self,
        construct_id: str,
        says: str,
        metric: cloudwatch.IMetric,
        *,
        above: float,
        minutes: tuple[int, int] = (1, 1),
        low_samples: str | None = None,
    ) -> None:
        """An alarm when so many of so many periods are above the threshold; silence is fine."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=f"{says}. See docs/runbook.md.",
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            datapoints_to_alarm=minutes[0],
            evaluation_periods=minutes[1],
            evaluate_low_sample_count_percentile=low_samples,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self._alarms.tell_of(alarm)


def functions_of(scope: Construct) -> list[Function]:
    """Every function of the stack, also one that is added later."""
    every = Stack.of(scope).node.find_all()
    return [each for each in every if isinstance(each, Function)]


def _undelivered_percent(scope: Construct) -> cloudwatch.MathExpression:
    ends = {
        "undelivered": "MessageUndelivered",
        "expired": "MessageExpired",
        "sent": "MessageSent",
        "delivered": "MessageDelivered",
    }
    counted = " + ".join(f"FILL({name}, 0)" for name in ends)
    lost = "FILL(undelivered, 0) + FILL(expired, 0)"
    return cloudwatch.MathExpression(
        expression=f"IF({counted} >= {ENOUGH_MESSAGES}, 100 * ({lost}) / ({counted}), 0)",
        using_metrics={
            name: metrics.ours(scope, metric).with_(period=QUARTER) for name, metric in ends.items()
        },
        label="undelivered, percent",
        period=QUARTER,
    )
