"""How receipts come back: the providers' events, one topic for all, and the function behind it."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ses as ses
from aws_cdk import aws_smsvoice as smsvoice
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import Alarms
from infra.config import Config
from infra.dead_letters import DeadLetterQueue
from infra.function import Code, Function
from infra.key import Key
from infra.outputs import tell
from infra.store import Store

# Who publishes receipts, and as what: its configuration sets, or any WhatsApp account.
# docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-sns-creating-role.html
# docs.aws.amazon.com/ses/latest/dg/event-publishing-add-event-destination-sns.html
# docs.aws.amazon.com/social-messaging/latest/userguide/managing-event-destinations-add.html
PUBLISHERS = {
    "sms-voice": "configuration-set/*",
    "ses": "configuration-set/*",
    "social-messaging": "*",
}

# Not open and click: asking for them makes SES put a pixel into the mail and rewrite its links.
EMAIL_EVENTS = [
    "send",
    "delivery",
    "deliveryDelay",
    "bounce",
    "complaint",
    "reject",
    "renderingFailure",
]


class Receipts(Construct):
    """The topic, what publishes to it, and `record_receipt`; a queue for what either misses."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        config: Config,
        key: Key,
        store: Store,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, construct_id)
        topic = ReceiptsTopic(self, "Topic", key=key)
        self.configuration_sets = ConfigurationSets(self, "ConfigurationSets", topic=topic)
        record = _record_receipt(self, code=code, config=config, store=store)
        undelivered = DeadLetterQueue(
            self,
            "Undelivered",
            output="ReceiptsDeadLetterQueueUrl",
            holds="Receipts that SNS could not hand over",
            key=key,
            alarms=alarms,
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
            alarms=alarms,
        )
        keep_what_fails(record, unrecorded)


def keep_what_fails(function: Function, queue: sqs.Queue) -> None:
    """Has an event that a function cannot handle tried again, and then kept on the queue.

    CDK's own destination would grant every use of the key; putting on a queue takes two.
    """
    function.allow_putting_on(queue)
    kind = lambda_.CfnEventInvokeConfig
    kind(
        function,
        "Failures",
        function_name=function.function_name,
        qualifier="$LATEST",
        # Lambda tries again after one minute and after two more; by then a send has been noted.
        maximum_retry_attempts=2,
        destination_config=kind.DestinationConfigProperty(
            on_failure=kind.OnFailureProperty(destination=queue.queue_arn)
        ),
    )


class ReceiptsTopic(sns.Topic):
    """What the providers publish to; WhatsApp is pointed here by a command, the others below."""

    def __init__(self, scope: Construct, construct_id: str, *, key: Key) -> None:
        super().__init__(scope, construct_id, master_key=key, enforce_ssl=True)
        for service, source in PUBLISHERS.items():
            key.allow_publishing(f"{service}.amazonaws.com")
            self._allow_publishing(service, source)
        tell(
            self,
            "ReceiptsTopicArn",
            self.topic_arn,
            "The event destination to set for the WhatsApp business account",
        )

    def _allow_publishing(self, service: str, source: str) -> None:
        stack = Stack.of(self)
        # Any of the account's sets: naming ours would close a circle, for it needs the topic first.
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
    """What makes SMS and SES report: a send that names no set is never heard of again."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: ReceiptsTopic) -> None:
        super().__init__(scope, construct_id)
        self.sms = _sms_set(self, topic)
        self.email = _email_set(self, topic)


# A provider may try the topic when it is pointed at it, so the topic's policy comes first.


def _sms_set(scope: Construct, topic: ReceiptsTopic) -> str:
    kind = smsvoice.CfnConfigurationSet
    configuration_set = kind(
        scope,
        "Sms",
        event_destinations=[
            kind.EventDestinationProperty(
                event_destination_name="receipts",
                enabled=True,
                matching_event_types=["TEXT_ALL"],
                sns_destination=kind.SnsDestinationProperty(topic_arn=topic.topic_arn),
            )
        ],
    )
    configuration_set.node.add_dependency(topic)
    return configuration_set.ref


def _email_set(scope: Construct, topic: ReceiptsTopic) -> str:
    configuration_set = ses.CfnConfigurationSet(scope, "Email")
    kind = ses.CfnConfigurationSetEventDestination
    destination = kind(
        scope,
        "EmailReceipts",
        configuration_set_name=configuration_set.ref,
        event_destination=kind.EventDestinationProperty(
            enabled=True,
            matching_event_types=EMAIL_EVENTS,
            sns_destination=kind.SnsDestinationProperty(topic_arn=topic.topic_arn),
        ),
    )
    destination.node.add_dependency(topic)
    return configuration_set.ref


def _record_receipt(scope: Construct, *, code: Code, config: Config, store: Store) -> Function:
    function = Function(
        scope,
        "RecordReceipt",
        code=code,
        description="Reads what a provider reports and answers the state that waits for it.",
        timeout=Duration.seconds(30),
        environment={
            "MESSAGES_TABLE": store.table.table_name,
            "RETENTION_DAYS": str(config.retention_days),
            "SMS_CARRIER_RECEIPT": config.sms_carrier_receipt,
        },
    )
    store.allow(function, "GetItem", "PutItem", "UpdateItem", "Query")
    function.allow_answering_waiting_states()
    return function
