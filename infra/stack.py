"""The stack: which capabilities there are, and who knows whom."""

from pathlib import Path

from aws_cdk import Annotations, DefaultStackSynthesizer, Stack
from constructs import Construct

from infra.alarms import Alarms
from infra.api import Api
from infra.config import Config
from infra.dashboard import Dashboard
from infra.delivery import Delivery
from infra.function import Code
from infra.key import Key
from infra.receipts import Receipts
from infra.requests import Requests
from infra.store import Store
from infra.watch import Watch


class Throughline(Stack):
    """Everything, for one account and region."""

    def __init__(self, scope: Construct, *, config: Config, third_party: Path) -> None:
        super().__init__(
            scope,
            config.stack_name,
            description="Throughline gets a message through: WhatsApp, then SMS, then email.",
            # The command line looks for the bootstrap stack by itself; without the rule, the
            # template needs no parameter.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        key = Key(self, "Key", retain=config.retain_data)
        code = Code(self, "Code", config=config, third_party=third_party, key=key)
        alarms = Alarms(self, "Alarms", email=config.alarm_email, key=key)
        store = Store(self, "Store", key=key, retain=config.retain_data)
        receipts = Receipts(
            self, "Receipts", code=code, config=config, key=key, store=store, alarms=alarms
        )
        delivery = Delivery(
            self,
            "Delivery",
            code=code,
            config=config,
            store=store,
            configuration_sets=receipts.configuration_sets,
            key=key,
            alarms=alarms,
        )
        requests = Requests(
            self,
            "Requests",
            code=code,
            config=config,
            key=key,
            machine=delivery.machine,
            alarms=alarms,
        )
        Api(self, "Http", code=code, config=config, key=key, store=store, requests=requests.queue)
        Watch(self, "Alarm", config=config, requests=requests.queue, alarms=alarms)
        Dashboard(
            self,
            "OnCall",
            requests=requests.queue,
            machine=delivery.machine,
            table=store.table,
        )
        self._warn_of_examples(config)

    def _warn_of_examples(self, config: Config) -> None:
        """`cdk deploy --strict` stops at a warning; a synthesis goes on."""
        for name in config.example_senders:
            Annotations.of(self).add_warning_v2(
                f"throughline:{name}",
                f"{name} is still an example, {getattr(config, name)}: nobody can send from it. "
                f"Set your own in cdk.json or with -c {name}=…",
            )
