"""The dashboards: one with the most urgent first, lost messages, delays and usage; and channels."""

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra import metrics
from infra.alarms import background_functions
from infra.channels import CHANNELS
from infra.dead_letters import DeadLetterQueue

MINUTE = Duration.minutes(1)
WIDTH, HEIGHT = 24, 6
MILLISECONDS = "milliseconds"


class Dashboards(Construct):
    """The dashboards for on-call engineers; created last, because they show every resource.

    Two, because a dashboard of at most 50 metrics is free (three of them per account), and a larger
    one is not: aws.amazon.com/cloudwatch/pricing. cdk-monitoring-constructs would draw 111 widgets
    for the same resources, five times as many.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        requests: sqs.IQueue,
        machine: sfn.IStateMachine,
        table: dynamodb.ITable,
    ) -> None:
        super().__init__(scope, construct_id)
        self._functions = background_functions(self)
        self._draw(
            "Dashboard",
            {
                "Message loss": self._losses(),
                "Latency": self._delays(requests),
                "Resource usage": self._usage(machine, table),
            },
        )
        self._draw("Channels", {"Channels": self._channels()})

    def _draw(self, construct_id: str, sections: Mapping[str, list[cloudwatch.IWidget]]) -> None:
        board = cloudwatch.Dashboard(self, construct_id, default_interval=Duration.hours(3))
        for title, widgets in sections.items():
            board.add_widgets(cloudwatch.TextWidget(markdown=f"## {title}", width=WIDTH, height=1))
            board.add_widgets(*widgets)

    def _losses(self) -> list[cloudwatch.IWidget]:
        every = Stack.of(self).node.find_all()
        alarms = [each for each in every if isinstance(each, cloudwatch.Alarm)]
        dead = [each for each in every if isinstance(each, DeadLetterQueue)]
        return [
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=6, height=HEIGHT),
            _graph("Messages", [metrics.of_stack(self, name) for name in metrics.OF_MESSAGES]),
            _graph(
                "Dead letters",
                [
                    each.metric_approximate_number_of_messages_visible(
                        period=MINUTE, statistic="Maximum", label=each.node.id
                    )
                    for each in dead
                ],
            ),
            _graph(
                "Failures",
                [
                    metrics.of_stack(self, metrics.BROKEN),
                    metrics.api(self, "5XXError").with_(label="API failed"),
                    *(
                        each.metric_errors(period=MINUTE, label=f"{each.node.id} failed")
                        for each in self._functions
                    ),
                ],
            ),
        ]

    def _delays(self, requests: sqs.IQueue) -> list[cloudwatch.IWidget]:
        return [
            _graph(
                "From acceptance to delivery",
                [
                    metrics.of_stack(self, metrics.TIME_OF_MESSAGES, statistic=each).with_(
                        label=each
                    )
                    for each in ("p50", "p95", "p99")
                ],
                unit=MILLISECONDS,
            ),
            _graph(
                "Oldest request",
                [
                    requests.metric_approximate_age_of_oldest_message(
                        period=MINUTE, statistic="Maximum", label="age"
                    )
                ],
                unit="seconds",
            ),
            _graph(
                "Requests that wait",
                [
                    requests.metric_approximate_number_of_messages_visible(
                        period=MINUTE, statistic="Maximum", label="waiting"
                    ),
                    metrics.of_stack(self, metrics.THROTTLED),
                ],
            ),
            _graph(
                "Functions and API, p95",
                [
                    metrics.api(self, "Latency").with_(label="API", statistic="p95"),
                    *(
                        each.metric_duration(period=MINUTE, statistic="p95", label=each.node.id)
                        for each in self._functions
                    ),
                ],
                unit=MILLISECONDS,
            ),
        ]

    def _channels(self) -> list[cloudwatch.IWidget]:
        graphs = [
            _graph(
                channel,
                [
                    metrics.of_stack(self, name, channel=channel).with_(label=name)
                    for name in metrics.OF_A_CHANNEL
                ],
            )
            for channel in CHANNELS
        ]
        times = [
            metrics.of_stack(self, metrics.TIME_OF_A_CHANNEL, channel=channel, statistic="p95")
            for channel in CHANNELS
        ]
        unattributed = [
            metrics.of_stack(self, name, channel=channel).with_(label=f"{name} {channel}")
            for name in metrics.UNATTRIBUTED_RECEIPTS
            for channel in CHANNELS
        ]
        codes = [
            *(
                metrics.of_stack(self, metrics.BLOCKED_CODES, limit=limit)
                for limit in metrics.LIMITS_OF_CODES
            ),
            metrics.of_stack(self, metrics.BREAKER_OPENED),
            metrics.of_stack(self, metrics.UNCOUNTED_CODES),
        ]
        return [
            *graphs,
            _graph("Refused codes", codes),
            _graph("From acceptance to delivery, p95", times, unit=MILLISECONDS),
            _graph("Unattributed receipts", unattributed),
        ]

    def _usage(
        self, machine: sfn.IStateMachine, table: dynamodb.ITable
    ) -> list[cloudwatch.IWidget]:
        return [
            _graph(
                "StartExecution, the whole account",
                [
                    machine.metric_started(period=MINUTE, label="started here"),
                    metrics.starts("ConsumedCapacity"),
                    metrics.starts("ThrottledEvents"),
                ],
            ),
            _graph(
                "Invocations",
                [
                    each.metric_invocations(period=MINUTE, label=each.node.id)
                    for each in self._functions
                ],
            ),
            _graph(
                "Table, capacity units",
                [
                    table.metric_consumed_read_capacity_units(period=MINUTE, label="read"),
                    table.metric_consumed_write_capacity_units(period=MINUTE, label="written"),
                ],
            ),
            _graph("API", [metrics.api(self, name) for name in ("Count", "4XXError", "5XXError")]),
        ]


def _graph(
    title: str, shown: list[cloudwatch.Metric], *, unit: str = "per minute"
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=shown,
        left_y_axis=cloudwatch.YAxisProps(min=0, label=unit, show_units=False),
        width=6,
        height=HEIGHT,
    )
