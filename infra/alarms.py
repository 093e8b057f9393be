"""When alarms fire: few of them, each with its section in docs/runbook.md.

Each dead-letter queue has an alarm of its own. A threshold that a user would choose is a
parameter; the others are constants here, with their reasons.
"""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra import metrics
from infra.alarm_topic import AlarmTopic
from infra.api import ApiFunction
from infra.config import Config
from infra.function import Function

# The percentage of fewer messages than this in 15 minutes is not significant.
ENOUGH_MESSAGES = 20
# A failed invocation is retried by its caller, and the retry mostly succeeds.
FUNCTION_ERRORS = 5
MINUTE, QUARTER = Duration.minutes(1), Duration.minutes(15)


class StackAlarms(Construct):
    """The alarms of the whole stack; created last, because they cover all of its resources."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        requests: sqs.IQueue,
        machine: sfn.IStateMachine,
        alarm_topic: AlarmTopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._alarm_topic = alarm_topic
        self._add_queue_alarms(requests, config)
        self._add_function_alarms()
        self._add_execution_alarms(machine)
        self._add_message_alarms(config)
        self._add_code_alarms()

    def _add_queue_alarms(self, requests: sqs.IQueue, config: Config) -> None:
        self._add(
            "OldestRequest",
            "Requests wait too long to be started",
            requests.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
            above=config.alarm_oldest_request_seconds,
            minutes=(3, 5),
        )
        throttled = [
            metrics.of_stack(self, metrics.THROTTLED),
            metrics.starts("ThrottledEvents"),
        ]
        self._add(
            "StartsThrottled",
            "Step Functions throttles StartExecution because the account's quota is exceeded",
            metrics.sum_of(throttled, "throttled starts"),
            above=0,
            # A burst of direct starts may empty the bucket for a moment.
            minutes=(3, 5),
        )

    def _add_function_alarms(self) -> None:
        errors = [each.metric_errors(period=MINUTE) for each in background_functions(self)]
        self._add(
            "FunctionErrors",
            "Functions fail repeatedly",
            metrics.sum_of(errors, "failed invocations"),
            above=FUNCTION_ERRORS - 1,
            minutes=(2, 5),
        )
        self._add(
            "ApiErrors",
            "Requests to the API fail repeatedly",
            # One metric instead of one for each function behind the API, each of which has a price.
            metrics.api(self, "5XXError"),
            above=FUNCTION_ERRORS - 1,
            minutes=(2, 5),
        )
        self._add(
            "FunctionThrottles",
            "Lambda throttles invocations because the account's concurrency limit is reached",
            # One metric instead of one per function, each of which has a price: the limit is that
            # of all functions of the account.
            metrics.of_all_functions("Throttles"),
            above=0,
            minutes=(3, 5),
        )

    def _add_execution_alarms(self, machine: sfn.IStateMachine) -> None:
        self._add(
            "ExecutionsBroken",
            "Executions failed with an error that the workflow does not define, or were stopped",
            metrics.of_stack(self, metrics.BROKEN),
            above=0,
            minutes=(1, 1),
        )
        self._add(
            "TransitionsThrottled",
            "Step Functions delays states because the account's quota of transitions is exceeded",
            # "Throttling on the StateTransition service metric is reported as ExecutionThrottled":
            # docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
            machine.metric_throttled(period=MINUTE),
            above=0,
            # A burst may empty the bucket for a moment.
            minutes=(3, 5),
        )

    def _add_message_alarms(self, config: Config) -> None:
        self._add(
            "UndeliveredShare",
            "Too many messages are not delivered",
            _undelivered_percent(self),
            above=config.alarm_undelivered_percent,
        )
        p95 = metrics.of_stack(self, metrics.TIME_OF_MESSAGES, statistic="p95").with_(
            period=QUARTER
        )
        self._add(
            "TimeToDeliver",
            "The 95th percentile of the time from acceptance to delivery is too high",
            p95,
            above=config.alarm_time_to_deliver_seconds * 1000,
            # With few messages a percentile is the value of one of them.
            low_samples="ignore",
        )

    def _add_code_alarms(self) -> None:
        self._add(
            "BreakerOpened",
            "Too few codes are entered, as in artificially inflated traffic: a breaker opened",
            metrics.of_stack(self, metrics.BREAKER_OPENED),
            above=0,
        )
        self._add(
            "CodesUncounted",
            "Codes are sent without limits, because they cannot be counted",
            metrics.of_stack(self, metrics.UNCOUNTED_CODES),
            above=0,
        )

    def _add(
        self,
        construct_id: str,
        meaning: str,
        metric: cloudwatch.IMetric,
        *,
        above: float,
        minutes: tuple[int, int] = (1, 1),
        low_samples: str | None = None,
    ) -> None:
        """An alarm that fires when `minutes[0]` of `minutes[1]` periods are above the threshold.

        A period without data is not above it.
        """
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=f"{meaning}. See docs/runbook.md.",
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            datapoints_to_alarm=minutes[0],
            evaluation_periods=minutes[1],
            evaluate_low_sample_count_percentile=low_samples,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self._alarm_topic.notify_of(alarm)


def background_functions(scope: Construct) -> list[Function]:
    """Every function of the stack so far that is not behind the API."""
    every = Stack.of(scope).node.find_all()
    functions = (each for each in every if isinstance(each, Function))
    return [each for each in functions if not isinstance(each, ApiFunction)]


def _undelivered_percent(scope: Construct) -> cloudwatch.MathExpression:
    ends = {
        "undelivered": "MessageUndelivered",
        "expired": "MessageExpired",
        "sent": "MessageSent",
        "delivered": "MessageDelivered",
        "confirmed": "MessageConfirmed",
    }
    counted = " + ".join(f"FILL({name}, 0)" for name in ends)
    lost = "FILL(undelivered, 0) + FILL(expired, 0)"
    return cloudwatch.MathExpression(
        expression=f"IF({counted} >= {ENOUGH_MESSAGES}, 100 * ({lost}) / ({counted}), 0)",
        using_metrics={
            name: metrics.of_stack(scope, metric).with_(period=QUARTER)
            for name, metric in ends.items()
        },
        label="undelivered, percent",
        period=QUARTER,
    )
