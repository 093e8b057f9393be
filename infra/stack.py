"""The stack: which capabilities there are, and who knows whom."""

from pathlib import Path

from aws_cdk import (
    Annotations,
    AssetHashType,
    CfnOutput,
    DefaultStackSynthesizer,
    IgnoreMode,
    Stack,
)
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.alarms import Alarms
from infra.api import Api
from infra.config import Config
from infra.delivery import Delivery
from infra.function import Code
from infra.key import Key
from infra.receipts import Receipts
from infra.requests import Requests
from infra.store import Store

FUNCTIONS = Path(__file__).parent.parent / "functions"


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
        alarms = (
            Alarms(self, "Alarms", key=key, email=config.alarm_email)
            if config.alarm_email
            else None
        )
        code = self._code(config, third_party)
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
            sms_configuration_set=receipts.configuration_sets.sms,
            email_configuration_set=receipts.configuration_sets.email,
        )
        requests = Requests(self, "Requests", alarms=alarms)
        requests.start(delivery.machine, code=code, concurrency=config.starter_concurrency)
        api = Api(self, "Http", code=code, config=config, store=store, requests=requests.queue)

        self._warn_of_examples(config)
        self._tell(
            {
                "ApiUrl": (api.url, "Where messages are posted"),
                "ApiKeyId": (
                    api.key.key_id,
                    "The key's id; `aws apigateway get-api-key` tells its value",
                ),
                "RequestsQueueUrl": (requests.queue.queue_url, "Takes requests as the API does"),
                "StateMachineArn": (
                    delivery.machine.state_machine_arn,
                    "Takes a request as the input of an execution",
                ),
                "ReceiptsTopicArn": (
                    receipts.topic.topic_arn,
                    "The event destination to set for the WhatsApp business account",
                ),
                "MessagesTableName": (store.table.table_name, "Messages, attempts and receipts"),
                "RequestsDeadLetterQueueUrl": (
                    requests.not_started.queue_url,
                    "Requests that could not be started",
                ),
                "ReceiptsDeadLetterQueueUrl": (
                    receipts.undelivered.queue_url,
                    "Receipts that SNS could not hand over",
                ),
                "UnrecordedReceiptsQueueUrl": (
                    receipts.unrecorded.queue_url,
                    "Receipts that could not be recorded",
                ),
            }
        )

    def _code(self, config: Config, third_party: Path) -> Code:
        return Code(
            own=lambda_.Code.from_asset(
                str(FUNCTIONS), exclude=["__pycache__", "*.pyc"], ignore_mode=IgnoreMode.GIT
            ),
            third_party=lambda_.LayerVersion(
                self,
                "ThirdParty",
                description="The locked dependencies of the functions",
                # Its name says what it was made of, which saves reading it all.
                code=lambda_.Code.from_asset(
                    str(third_party),
                    asset_hash_type=AssetHashType.CUSTOM,
                    asset_hash=third_party.name,
                ),
                compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
                compatible_architectures=[lambda_.Architecture.ARM_64],
            ),
            log_level=config.log_level,
            log_retention_days=config.log_retention_days,
        )

    def _warn_of_examples(self, config: Config) -> None:
        for name in config.example_senders:
            Annotations.of(self).add_warning_v2(
                f"throughline:{name}",
                f"{name} is still an example, {getattr(config, name)}: nobody can send from it. "
                f"Set your own in cdk.json or with -c {name}=…",
            )

    def _tell(self, outputs: dict[str, tuple[str, str]]) -> None:
        for name, (value, description) in outputs.items():
            CfnOutput(self, name, value=value, description=description)
