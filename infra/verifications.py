"""One-time codes: the four functions of verifications, and their paths of the API."""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import nag
from infra.api import Api, ApiFunction, add_method
from infra.channel_config import ChannelConfig
from infra.codes_key import CodesKey
from infra.config import Config
from infra.function import Code
from infra.messages_table import MessagesTable


class VerificationFunctions(Construct):
    """`/v1/verifications`: start and read, check, resend and cancel."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        config: Config,
        messages: MessagesTable,
        requests: sqs.IQueue,
        codes_key: CodesKey,
        api: Api,
    ) -> None:
        super().__init__(scope, construct_id)
        self._code = code
        self._table = messages
        start = self._start(config, requests)
        check = self._check(config, codes_key)
        control = self._control(config)
        collection = api.root.add_resource("verifications")
        add_method(collection, "POST", start)
        one = collection.add_resource("{id}")
        add_method(one, "GET", self._read(config))
        for path, function in {"check": check, "resend": control, "cancel": control}.items():
            add_method(one.add_resource(path), "POST", function)

    def _start(self, config: Config, requests: sqs.IQueue) -> ApiFunction:
        function = self._function(
            "StartVerification",
            "Starts a verification and queues its message, or sends the pending code again.",
            {
                **config.planning,
                **config.code_limits,
                "CODES_BRAND": config.codes_brand,
                "CODES_CHANNELS": ",".join(config.code_channels),
                "CODES_RESEND_SECONDS": str(config.codes_resend_seconds),
                "REQUESTS_QUEUE_URL": requests.queue_url,
            },
        )
        self._table.allow(function, "BatchGetItem", "GetItem", "PutItem", "UpdateItem", "Query")
        function.allow_sending_to(requests)
        function.allow_completing_tasks("SendTaskFailure")
        return function

    def _read(self, config: Config) -> ApiFunction:
        function = self._function(
            "ReadVerification",
            "Returns a verification with its sends and checks.",
            {"CODES_RESEND_SECONDS": str(config.codes_resend_seconds)},
        )
        self._table.allow(function, "Query")
        return function

    def _check(self, config: Config, codes_key: CodesKey) -> ApiFunction:
        function = self._function(
            "CheckVerification", "Counts a check, then compares the code.", config.retention
        )
        self._table.allow(function, "UpdateItem", "Query")
        codes_key.allow_deriving(function)
        for channel in config.channels.values():
            _allow_feedback(function, channel)
        function.allow_completing_tasks()
        return function

    def _control(self, config: Config) -> ApiFunction:
        function = self._function(
            "ControlVerification",
            "Sends a pending code again, or cancels it, for its caller.",
            {
                **config.retention,
                **config.code_limits,
                "CODES_RESEND_SECONDS": str(config.codes_resend_seconds),
            },
        )
        self._table.allow(function, "BatchGetItem", "UpdateItem", "Query")
        function.allow_completing_tasks("SendTaskFailure")
        return function

    def _function(
        self, construct_id: str, description: str, environment: Mapping[str, str]
    ) -> ApiFunction:
        return ApiFunction(
            self,
            construct_id,
            code=self._code,
            description=description,
            messages=self._table,
            environment=environment,
        )


def _allow_feedback(function: ApiFunction, channel: ChannelConfig) -> None:
    """Allows reporting an approved code to a provider that asks for it."""
    stack = Stack.of(function)
    own = f"arn:{stack.partition}:{channel.service}:{stack.region}:{stack.account}:"
    actions = [f"{channel.service}:{each}" for each in channel.feedback_actions]
    for resource in channel.feedback_resources:
        function.allow(*actions, on=[f"{own}{resource}"])
        nag.accept(
            function.own_role,
            f"IAM5[Resource::arn:<AWS::Partition>:{channel.service}:<AWS::Region>:"
            f"<AWS::AccountId>:{resource}]",
            "Messages have no names before they are sent.",
        )
