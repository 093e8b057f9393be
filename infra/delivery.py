"""How one message is delivered: the state machine and the three functions it calls."""

from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from aws_cdk import aws_smsvoice as smsvoice
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra import nag
from infra.config import Config
from infra.function import Code, Function
from infra.logs import LogGroup
from infra.store import Store

DEFINITION = Path(__file__).parent.parent / "statemachine" / "deliver_message.asl.json"

# Longer than a provider may take, shorter than the 60 seconds that a state waits for an answer.
TIMEOUT = Duration.seconds(30)

# A sender is named as E.164, as an address or by a pool, and a request's `from` may name another
# one: none of that is an ARN. So every sender of this account and region may be used, and no other.
SENDERS = {
    "sms-voice:SendTextMessage": ["phone-number/*", "pool/*", "sender-id/*"],
    "social-messaging:SendWhatsAppMessage": ["phone-number-id/*"],
    "ses:SendEmail": ["identity/*", "template/*"],
}


class Delivery(Construct):
    """`DeliverMessage` and the functions `send_message`, `plan_message` and `close_message`."""

    def __init__(  # noqa: PLR0913 - what it needs, by keyword
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        config: Config,
        store: Store,
        sms_configuration_set: smsvoice.CfnConfigurationSet,
        email_configuration_set: ses.CfnConfigurationSet,
    ) -> None:
        super().__init__(scope, construct_id)
        send = _send_message(
            self,
            code=code,
            config=config,
            store=store,
            sms_configuration_set=sms_configuration_set,
            email_configuration_set=email_configuration_set,
        )
        self.machine = _deliver_message(
            self,
            functions={
                "SendMessage": send,
                "PlanMessage": _plan_message(self, code=code, config=config, store=store),
                "CloseMessage": _close_message(self, code=code, store=store),
            },
            log_retention_days=config.log_retention_days,
        )


def may_answer_waiting_states(function: Function) -> None:
    """Lets a function give back task tokens.

    In a policy of its own, because a function waits for its role's default policy, and the machine
    waits for the function: what concerns the machine may not stand there.
    """
    policy = iam.Policy(
        function,
        "AnswerWaitingStates",
        roles=[function.own_role],
        statements=[
            iam.PolicyStatement(
                actions=["states:SendTaskSuccess", "states:SendTaskFailure"], resources=["*"]
            )
        ],
    )
    nag.accept(policy, "IAM5[Resource::*]", "These actions know no resources: the token decides.")


def _send_message(  # noqa: PLR0913 - what it needs, by keyword
    scope: Construct,
    *,
    code: Code,
    config: Config,
    store: Store,
    sms_configuration_set: smsvoice.CfnConfigurationSet,
    email_configuration_set: ses.CfnConfigurationSet,
) -> Function:
    function = Function(
        scope,
        "SendMessage",
        code=code,
        description="Makes one attempt on one channel.",
        timeout=TIMEOUT,
        environment={
            "MESSAGES_TABLE": store.table.table_name,
            "RETENTION_DAYS": str(config.retention_days),
            **config.senders,
            "SMS_CONFIGURATION_SET": sms_configuration_set.ref,
            "EMAIL_CONFIGURATION_SET": email_configuration_set.ref,
            "WHATSAPP_API_VERSION": config.whatsapp_api_version,
        },
    )
    store.allow(function, "PutItem", "UpdateItem", "Query")
    may_answer_waiting_states(function)
    _may_send(function, email_configuration_set)
    return function


def _may_send(function: Function, email_configuration_set: ses.CfnConfigurationSet) -> None:
    stack = Stack.of(function)
    for action, resources in SENDERS.items():
        service = action.partition(":")[0]
        own = f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:"
        function.allow(action, on=[own + resource for resource in resources])
        for resource in resources:
            nag.accept(
                function.own_role,
                f"IAM5[Resource::arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{resource}]",
                "A request may name any sender of the account, and not by its ARN.",
            )
    function.allow(
        "ses:SendEmail",
        on=[
            stack.format_arn(
                service="ses",
                resource="configuration-set",
                resource_name=email_configuration_set.ref,
            )
        ],
    )


def _plan_message(scope: Construct, *, code: Code, config: Config, store: Store) -> Function:
    function = Function(
        scope,
        "PlanMessage",
        code=code,
        description="Checks, stores and plans a request that did not come through the API.",
        timeout=TIMEOUT,
        environment={"MESSAGES_TABLE": store.table.table_name, **config.planning},
    )
    store.allow(function, "PutItem", "GetItem", "Query")
    return function


def _close_message(scope: Construct, *, code: Code, store: Store) -> Function:
    function = Function(
        scope,
        "CloseMessage",
        code=code,
        description="Notes how the open attempts and the message ended.",
        timeout=TIMEOUT,
        environment={"MESSAGES_TABLE": store.table.table_name},
    )
    store.allow(function, "Query", "UpdateItem")
    return function


def _deliver_message(
    scope: Construct, *, functions: dict[str, Function], log_retention_days: int
) -> sfn.StateMachine:
    machine = sfn.StateMachine(
        scope,
        "DeliverMessage",
        comment="Delivers one message",
        definition_body=sfn.DefinitionBody.from_string(DEFINITION.read_text()),
        definition_substitutions={
            f"{name}FunctionArn": function.function_arn for name, function in functions.items()
        },
        state_machine_type=sfn.StateMachineType.STANDARD,
        tracing_enabled=True,
        logs=sfn.LogOptions(
            destination=LogGroup(scope, "DeliverMessageLog", retention_days=log_retention_days),
            level=sfn.LogLevel.ERROR,
            include_execution_data=False,
        ),
    )
    # A definition that comes as text grants nothing.
    machine.add_to_role_policy(
        iam.PolicyStatement(
            actions=["lambda:InvokeFunction"],
            resources=[function.function_arn for function in functions.values()],
        )
    )
    nag.accept(machine, "IAM5[Resource::*]", "Log delivery and X-Ray know no resources.")
    nag.accept(machine, "SF1", "The history holds every event already; the log is for failures.")
    return machine
