"""How receipts arrive: the providers' events, their topic, and the function that records them."""

from collections.abc import Iterable, Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarm_topic import AlarmTopic
from infra.channel_config import ChannelConfig, HasConfigurationSet
from infra.config import Config
from infra.dead_letters import DeadLetterQueue
from infra.function import Code, Function
from infra.key import EncryptionKey
from infra.messages_table import MessagesTable
from infra.outputs import add_output


class ReceiptRecording(Construct):
    """The topic, its publishers and `record_receipt`; a queue for what either cannot process."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        config: Config,
        key: EncryptionKey,
        messages: MessagesTable,
        alarm_topic: AlarmTopic,
    ) -> None:
        super().__init__(scope, construct_id)
        topic = ReceiptsTopic(self, "Topic", key=key, channels=config.channels.values())
        self.configuration_sets = ConfigurationSets(
            self, "ConfigurationSets", channels=config.channels, topic=topic
        )
        record = _record_receipt(self, code=code, config=config, messages=messages)
        undelivered = DeadLetterQueue(
            self,
            "Undelivered",
            output="ReceiptsDeadLetterQueueUrl",
            holds="Receipts that SNS could not deliver",
            key=key,
            alarm_topic=alarm_topic,
        )
        topic.add_subscription(
            subscriptions.LambdaSubscription(record, dead_letter_queue=undelivered)
        )
        unrecorded = DeadLetterQueue(
            self,
            "Unrecorded",
            output="UnrecordedReceiptsQueueUrl",
            holds="Receipts that could not be recorded",
            key=key,
            alarm_topic=alarm_topic,
        )
        keep_failed_events(record, unrecorded)


def keep_failed_events(function: Function, queue: sqs.Queue) -> None:
    """Retries an event on which a function fails, and then sends it to the queue.

    CDK's own destination would grant every use of the key; sending to a queue takes two.
    """
    function.allow_sending_to(queue)
    kind = lambda_.CfnEventInvokeConfig
    kind(
        function,
        "Failures",
        function_name=function.function_name,
        qualifier="$LATEST",
        # Lambda retries after one minute and after two more; by then a send has been recorded.
        maximum_retry_attempts=2,
        destination_config=kind.DestinationConfigProperty(
            on_failure=kind.OnFailureProperty(destination=queue.queue_arn)
        ),
    )


class ReceiptsTopic(sns.Topic):
    """The topic that the providers publish their events to."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: EncryptionKey,
        channels: Iterable[ChannelConfig],
    ) -> None:
        super().__init__(scope, construct_id, master_key=key, enforce_ssl=True)
        # Channels of one service have the same statements, and CDK writes them once.
        for channel in channels:
            key.allow_publishing(f"{channel.service}.amazonaws.com")
            self._allow_publishing(channel.service, channel.event_source)
        add_output(
            self,
            "ReceiptsTopicArn",
            self.topic_arn,
            "The topic that receives the providers' events",
        )

    def _allow_publishing(self, service: str, source: str) -> None:
        stack = Stack.of(self)
        # Any source of the account: a configuration set of the stack needs the topic first, so
        # naming it would be a circular dependency.
        own = f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{source}"
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": own},
                },
            )
        )


class ConfigurationSets(Construct):
    """What makes the providers publish events: there are none of a send that names no set."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        channels: Mapping[str, ChannelConfig],
        topic: ReceiptsTopic,
    ) -> None:
        super().__init__(scope, construct_id)
        # The sets' names, by channel.
        self.names = {
            name: channel.add_configuration_set(self, topic)
            for name, channel in channels.items()
            if isinstance(channel, HasConfigurationSet)
        }

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that name the sets."""
        return {f"{name.upper()}_CONFIGURATION_SET": each for name, each in self.names.items()}


def _record_receipt(
    scope: Construct, *, code: Code, config: Config, messages: MessagesTable
) -> Function:
    function = Function(
        scope,
        "RecordReceipt",
        code=code,
        description="Records a provider's event and completes the state that waits for it.",
        timeout=Duration.seconds(30),
        environment={
            "MESSAGES_TABLE": messages.table.table_name,
            **config.recording,
        },
    )
    messages.allow(function, "GetItem", "PutItem", "UpdateItem", "Query")
    function.allow_completing_tasks()
    return function
