"""How receipts come back: the providers' events, one topic for all, and the function behind it."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_ses as ses
from aws_cdk import aws_smsvoice as smsvoice
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.config import Config
from infra.dead_letters import DeadLetterQueue
from infra.delivery import may_answer_waiting_states
from infra.function import Code, Function
from infra.key import Key
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


class ReceiptsTopic(sns.Topic):
    """What the providers publish to; WhatsApp is pointed here by a command, the others below."""

    def __init__(self, scope: Construct, construct_id: str, *, key: Key) -> None:
        super().__init__(scope, construct_id, master_key=key, enforce_ssl=True)
        for service, source in PUBLISHERS.items():
            key.allow_publishing(f"{service}.amazonaws.com")
            self._allow_publishing(service, source)

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
    """What makes SMS and SES report: without naming its set, a send is never heard of again."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: ReceiptsTopic) -> None:
        super().__init__(scope, construct_id)
        self.sms = smsvoice.CfnConfigurationSet(
            self,
            "Sms",
            event_destinations=[
                smsvoice.CfnConfigurationSet.EventDestinationProperty(
                    event_destination_name="receipts",
                    enabled=True,
                    matching_event_types=["TEXT_ALL"],
                    sns_destination=smsvoice.CfnConfigurationSet.SnsDestinationProperty(
                        topic_arn=topic.topic_arn
                    ),
                )
            ],
        )
        self.email = ses.CfnConfigurationSet(self, "Email")
        destination = ses.CfnConfigurationSetEventDestination(
            self,
            "EmailReceipts",
            configuration_set_name=self.email.ref,
            event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                enabled=True,
                matching_event_types=EMAIL_EVENTS,
                sns_destination=ses.CfnConfigurationSetEventDestination.SnsDestinationProperty(
                    topic_arn=topic.topic_arn
                ),
            ),
        )
        # The providers try the topic when they are pointed at it, so its policy comes first.
        self.sms.node.add_dependency(topic)
        destination.node.add_dependency(topic)


class Receipts(Construct):
    """The topic, what publishes to it, and `record_receipt`; a queue for what either misses."""

    def __init__(  # noqa: PLR0913 - what it needs, by keyword
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        config: Config,
        key: Key,
        store: Store,
        alarms: sns.ITopic | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = ReceiptsTopic(self, "Topic", key=key)
        self.configuration_sets = ConfigurationSets(self, "ConfigurationSets", topic=self.topic)
        self.undelivered = DeadLetterQueue(
            self, "Undelivered", holds="SNS could not hand over receipts.", alarms=alarms
        )
        self.unrecorded = DeadLetterQueue(
            self, "Unrecorded", holds="Receipts could not be recorded.", alarms=alarms
        )
        record = _record_receipt(self, code=code, config=config, store=store)
        # Lambda tries twice more by itself, after one and after two minutes: the time in which
        # the attempt that a receipt belongs to is noted at the latest.
        record.configure_async_invoke(
            retry_attempts=2,
            max_event_age=Duration.hours(6),
            on_failure=destinations.SqsDestination(self.unrecorded),
        )
        self.topic.add_subscription(
            subscriptions.LambdaSubscription(record, dead_letter_queue=self.undelivered)
        )


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
    may_answer_waiting_states(function)
    return function
