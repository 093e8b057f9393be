"""How one message is delivered: the state machine and the three functions it calls."""

from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra import nag
from infra.alarm_topic import AlarmTopic
from infra.channel_config import ChannelConfig
from infra.codes_key import CodesKey
from infra.config import Config
from infra.dead_letters import DeadLetterQueue
from infra.function import Code, Function
from infra.key import EncryptionKey
from infra.logs import LogGroup
from infra.messages_table import MessagesTable
from infra.outputs import add_output
from infra.receipts import ConfigurationSets, keep_failed_events

DEFINITION = Path(__file__).parent.parent / "statemachine" / "deliver_message.asl.json"

# Longer than a provider may take, shorter than the 60 seconds after which a state times out.
TIMEOUT = Duration.seconds(30)

# The errors after `Close message`. Not `InvalidRequest`: an execution whose input is invalid ends
# with it without a closed message. An event's detail has what DescribeExecution returns, `error`
# as well: docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
CLOSED_BY_ITSELF = ["Undelivered", "Expired", "Cancelled"]
# Every other end. An event without an error is unknown: its message is closed as well.
LEFT_OPEN = [
    {"status": ["TIMED_OUT", "ABORTED"]},
    {"status": ["FAILED"], "error": [{"anything-but": CLOSED_BY_ITSELF}, {"exists": False}]},
]


class DeliveryWorkflow(Construct):
    """`DeliverMessage` and the functions `send_message`, `plan_message` and `close_message`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        config: Config,
        messages: MessagesTable,
        configuration_sets: ConfigurationSets,
        codes_key: CodesKey,
        key: EncryptionKey,
        alarm_topic: AlarmTopic,
    ) -> None:
        super().__init__(scope, construct_id)
        functions = {
            "SendMessage": _send_message(
                self,
                code=code,
                config=config,
                messages=messages,
                configuration_sets=configuration_sets,
            ),
            "PlanMessage": _plan_message(self, code=code, config=config, messages=messages),
            "CloseMessage": _close_message(self, code=code, config=config, messages=messages),
        }
        codes_key.allow_deriving(functions["SendMessage"])
        self.machine = _deliver_message(
            self, functions=functions, log=_log(self, code), traced=code.traced
        )
        _close_after_the_end(
            self,
            machine=self.machine,
            close=functions["CloseMessage"],
            key=key,
            alarm_topic=alarm_topic,
        )
        add_output(
            self,
            "StateMachineArn",
            self.machine.state_machine_arn,
            "Accepts a request as the input of an execution",
        )


def _send_message(
    scope: Construct,
    *,
    code: Code,
    config: Config,
    messages: MessagesTable,
    configuration_sets: ConfigurationSets,
) -> Function:
    function = Function(
        scope,
        "SendMessage",
        code=code,
        description="Makes one attempt on one channel.",
        timeout=TIMEOUT,
        environment={
            "MESSAGES_TABLE": messages.table.table_name,
            **config.sending,
            **configuration_sets.variables,
        },
    )
    messages.allow(function, "PutItem", "UpdateItem", "Query")
    function.allow_completing_tasks()
    for name, channel in config.channels.items():
        _allow_sending(function, channel, configuration_sets.names.get(name))
    return function


def _allow_sending(
    function: Function, channel: ChannelConfig, configuration_set: str | None
) -> None:
    """Allows every sender of this account and region.

    A sender is named by its number, its address or its pool, and a request's `from` may name
    another than the stack's: none of that is an ARN.
    """
    stack = Stack.of(function)
    own = f"arn:{stack.partition}:{channel.service}:{stack.region}:{stack.account}:"
    resources = [
        each.format(configuration_set=configuration_set) for each in channel.send_resources
    ]
    function.allow(
        *(f"{channel.service}:{each}" for each in channel.send_actions),
        on=[f"{own}{each}" for each in resources],
    )
    for resource in resources:
        if "*" in resource:
            nag.accept(
                function.own_role,
                f"IAM5[Resource::arn:<AWS::Partition>:{channel.service}:<AWS::Region>:"
                f"<AWS::AccountId>:{resource}]",
                "A request may name any sender or template of the account, and not by its ARN.",
            )


def _plan_message(
    scope: Construct, *, code: Code, config: Config, messages: MessagesTable
) -> Function:
    function = Function(
        scope,
        "PlanMessage",
        code=code,
        description="Validates, stores and plans a request that did not come through the API.",
        timeout=TIMEOUT,
        environment={"MESSAGES_TABLE": messages.table.table_name, **config.planning},
    )
    messages.allow(function, "PutItem", "Query")
    return function


def _close_message(
    scope: Construct, *, code: Code, config: Config, messages: MessagesTable
) -> Function:
    function = Function(
        scope,
        "CloseMessage",
        code=code,
        description="Records how the open attempts and the message ended.",
        timeout=TIMEOUT,
        environment={
            "MESSAGES_TABLE": messages.table.table_name,
            **config.retention,
        },
    )
    messages.allow(function, "PutItem", "UpdateItem", "Query")
    return function


def _close_after_the_end(
    scope: Construct,
    *,
    machine: sfn.StateMachine,
    close: Function,
    key: EncryptionKey,
    alarm_topic: AlarmTopic,
) -> None:
    """Closes the message of an execution that was stopped or that AWS ended."""
    unclosed = DeadLetterQueue(
        scope,
        "Unclosed",
        output="UnclosedMessagesQueueUrl",
        holds="Ended executions whose message could not be closed",
        key=key,
        alarm_topic=alarm_topic,
    )
    keep_failed_events(close, unclosed)
    ended = {
        "message_id": events.EventField.from_path("$.detail.name"),
        "execution_status": events.EventField.from_path("$.detail.status"),
        "started_at": events.EventField.from_path("$.detail.startDate"),
    }
    events.Rule(
        scope,
        "ExecutionEnded",
        description="Closes the message of an execution that ended before it could.",
        event_pattern=events.EventPattern(
            source=["aws.states"],
            detail_type=["Step Functions Execution Status Change"],
            detail={"stateMachineArn": [machine.state_machine_arn], "$or": LEFT_OPEN},
        ),
        targets=[targets.LambdaFunction(close, event=events.RuleTargetInput.from_object(ended))],
    )


def _log(scope: Construct, code: Code) -> LogGroup:
    """The log of the executions.

    All groups of this prefix share one statement of the account's resource policy, whose length is
    limited; each other group takes one of its own, and CloudFormation's names have no prefix. The
    stack's name tells two stacks apart:
    docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-cwl
    """
    return LogGroup(
        scope,
        "DeliverMessageLog",
        key=code.key,
        retention_days=code.log_retention_days,
        name=f"/aws/vendedlogs/states/{Stack.of(scope).stack_name}-DeliverMessage",
    )


def _deliver_message(
    scope: Construct, *, functions: dict[str, Function], log: LogGroup, traced: bool
) -> sfn.StateMachine:
    machine = sfn.StateMachine(
        scope,
        "DeliverMessage",
        definition_body=sfn.DefinitionBody.from_string(DEFINITION.read_text()),
        definition_substitutions={
            f"{name}FunctionArn": function.function_arn for name, function in functions.items()
        },
        state_machine_type=sfn.StateMachineType.STANDARD,
        tracing_enabled=traced,
        # No data: the input of a direct start has addresses and texts.
        logs=sfn.LogOptions(
            destination=log, level=sfn.LogLevel.ERROR, include_execution_data=False
        ),
    )
    # CDK derives no permissions from a definition that is text.
    machine.add_to_role_policy(
        iam.PolicyStatement(
            actions=["lambda:InvokeFunction"],
            resources=[function.function_arn for function in functions.values()],
        )
    )
    nag.accept(machine, "IAM5[Resource::*]", "Log delivery and X-Ray support no resources.")
    if not traced:
        nag.accept(machine, "SF2", "Traces have a price; the parameter xray_tracing turns them on.")
    nag.accept(
        machine, "SF1", "The execution history has every event already; the log is for failures."
    )
    return machine
