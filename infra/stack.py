"""The stack: its capabilities, and which needs which."""

from pathlib import Path

from aws_cdk import Annotations, DefaultStackSynthesizer, Stack
from constructs import Construct

from infra.alarm_topic import AlarmTopic
from infra.alarms import StackAlarms
from infra.api import Api
from infra.channels import LABELS
from infra.codes_key import CodesKey
from infra.config import Config
from infra.dashboard import Dashboards
from infra.delivery import DeliveryWorkflow
from infra.function import Code
from infra.key import EncryptionKey
from infra.messages_table import MessagesTable
from infra.receipts import ReceiptRecording
from infra.requests import Requests
from infra.verifications import VerificationFunctions


class Throughline(Stack):
    """All resources, in one account and region."""

    def __init__(self, scope: Construct, *, config: Config, third_party: Path) -> None:
        super().__init__(
            scope,
            config.stack_name,
            description=f"Throughline gets a message through: {', then '.join(LABELS)}.",
            # The command line finds the bootstrap stack by itself; without the rule, the template
            # needs no parameter.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        self._warn_of_examples(config)
        config = config.deployed(self)
        key = EncryptionKey(self, "Key", retain=config.retain_data)
        code = Code(self, "Code", config=config, third_party=third_party, key=key)
        alarm_topic = AlarmTopic(self, "Alarms", address=config.alarm_email, key=key)
        messages = MessagesTable(self, "Store", key=key, retain=config.retain_data)
        codes_key = CodesKey(self, "CodesKey", retain=config.retain_data)
        receipts = ReceiptRecording(
            self,
            "Receipts",
            code=code,
            config=config,
            key=key,
            messages=messages,
            alarm_topic=alarm_topic,
        )
        delivery = DeliveryWorkflow(
            self,
            "Delivery",
            code=code,
            config=config,
            messages=messages,
            configuration_sets=receipts.configuration_sets,
            codes_key=codes_key,
            key=key,
            alarm_topic=alarm_topic,
        )
        requests = Requests(
            self,
            "Requests",
            code=code,
            config=config,
            key=key,
            machine=delivery.machine,
            alarm_topic=alarm_topic,
        )
        api = Api(
            self,
            "Http",
            code=code,
            config=config,
            key=key,
            messages=messages,
            requests=requests.queue,
        )
        VerificationFunctions(
            self,
            "Codes",
            code=code,
            config=config,
            messages=messages,
            requests=requests.queue,
            codes_key=codes_key,
            api=api,
        )
        StackAlarms(
            self,
            "Alarm",
            config=config,
            requests=requests.queue,
            machine=delivery.machine,
            alarm_topic=alarm_topic,
        )
        Dashboards(
            self,
            "OnCall",
            requests=requests.queue,
            machine=delivery.machine,
            table=messages.table,
        )

    def _warn_of_examples(self, config: Config) -> None:
        """`cdk deploy --strict` stops at a warning; a synthesis goes on."""
        for name, sender in config.example_senders.items():
            Annotations.of(self).add_warning_v2(
                f"throughline:{name}",
                f"{name} is still an example, {sender}: no message can be sent from it. "
                f"Set your own in cdk.json or with -c {name}=…",
            )
