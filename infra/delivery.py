"""How one message is delivered: the state machine and the three functions it calls."""

from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra import nag
from infra.alarms import Alarms
from infra.config import Config
from infra.dead_letters import DeadLetterQueue
from infra.function import Code, Function
from infra.key import Key
from infra.logs import LogGroup
from infra.outputs import tell
from infra.receipts import ConfigurationSets, keep_what_fails
from infra.store import Store

DEFINITION = Path(__file__).parent.parent / "statemachine" / "deliver_message.asl.json"

# Longer than a provider may take, shorter than the 60 seconds that a state waits for an answer.
TIMEOUT = Duration.seconds(30)

# The ends that come after `Close message`. Not `InvalidRequest`: a node made by hand leads there
# past everything that notes a message. An event's detail has what DescribeExecution tells, `error`
# as well: docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
CLOSED_BY_ITSELF = ["Undelivered", "Expired"]
# Every other end. An event that names no error is one that we do not know: closed as well.
LEFT_OPEN = [
    {"status": ["TIMED_OUT", "ABORTED"]},
    {"status": ["FAILED"], "error": [{"anything-but": CLOSED_BY_ITSELF}, {"exists": False}]},
]

# A sender is named by its number, its address or a pool, and a request's `from` may name another:
# none of that is an ARN. So every sender of this account and region may be used, and no other.
SENDERS = {
    "sms-voice:SendTextMessage": ["phone-number/*", "pool/*", "sender-id/*"],
    "social-messaging:SendWhatsAppMessage": ["phone-number-id/*"],
    "ses:SendEmail": ["identity/*", "template/*"],
}


class Delivery(Construct):
    """`DeliverMessage` and the functions `send_message`, `plan_message` and `close_message`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        config: Config,
        store: Store,
        configuration_sets: ConfigurationSets,
        key: Key,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, construct_id)
        functions = {
            "SendMessage": _send_message(
                self, code=code, config=config, store=store, configuration_sets=configuration_sets
            ),
            "PlanMessage": _plan_message(self, code=code, config=config, store=store),
            "CloseMessage": _close_message(self, code=code, config=config, store=store),
        }
        log = LogGroup(
            self, "DeliverMessageLog", key=code.key, retention_days=config.log_retention_days
        )
        self.machine = _deliver_message(self, functions=functions, log=log)
        _close_after_the_end(
            self, machine=self.machine, close=functions["CloseMessage"], key=key, alarms=alarms
        )
        tell(
            self,
            "StateMachineArn",
            self.machine.state_machine_arn,
            "Takes a request as the input of an execution",
        )


def _send_message(
    scope: Construct,
    *,
    code: Code,
    config: Config,
    store: Store,
    configuration_sets: ConfigurationSets,
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
            "SMS_CONFIGURATION_SET": configuration_sets.sms,
            "EMAIL_CONFIGURATION_SET": configuration_sets.email,
            "WHATSAPP_API_VERSION": config.whatsapp_api_version,
        },
    )
    store.allow(function, "PutItem", "UpdateItem", "Query")
    function.allow_answering_waiting_states()
    _allow_sending(function, email_configuration_set=configuration_sets.email)
    return function


def _allow_sending(function: Function, *, email_configuration_set: str) -> None:
    stack = Stack.of(function)
    own = f"{stack.region}:{stack.account}"
    for action, senders in SENDERS.items():
        service = action.partition(":")[0]
        arn = f"arn:{stack.partition}:{service}:{own}:"
        function.allow(action, on=[f"{arn}{sender}" for sender in senders])
        for sender in senders:
            nag.accept(
                function.own_role,
                f"IAM5[Resource::arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{sender}]",
                "A request may name any sender of the account, and not by its ARN.",
            )
    configuration_set = (
        f"arn:{stack.partition}:ses:{own}:configuration-set/{email_configuration_set}"
    )
    function.allow("ses:SendEmail", on=[configuration_set])


def _plan_message(scope: Construct, *, code: Code, config: Config, store: Store) -> Function:
    function = Function(
        scope,
        "PlanMessage",
        code=code,
        description="Checks, stores and plans a request that did not come through the API.",
        timeout=TIMEOUT,
        environment={"MESSAGES_TABLE": store.table.table_name, **config.planning},
    )
    store.allow(function, "PutItem", "Query")
    return function


def _close_message(scope: Construct, *, code: Code, config: Config, store: Store) -> Function:
    function = Function(
        scope,
        "CloseMessage",
        code=code,
        description="Notes how the open attempts and the message ended.",
        timeout=TIMEOUT,
        environment={
            "MESSAGES_TABLE": store.table.table_name,
            "RETENTION_DAYS": str(config.retention_days),
        },
    )
    store.allow(function, "PutItem", "UpdateItem", "Query")
    return function


def _close_after_the_end(
    scope: Construct, *, machine: sfn.StateMachine, close: Function, key: Key, alarms: Alarms
) -> None:
    """An execution that was stopped, or that AWS ended, did not close its message itself."""
    unclosed = DeadLetterQueue(
        scope,
        "Unclosed",
        output="UnclosedMessagesQueueUrl",
        holds="Ends of executions whose message could not be closed",
        key=key,
        alarms=alarms,
    )
    keep_what_fails(close, unclosed)
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


def _deliver_message(
    scope: Construct, *, functions: dict[str, Function], log: LogGroup
) -> sfn.StateMachine:
    machine = sfn.StateMachine(
        scope,
        "DeliverMessage",
        definition_body=sfn.DefinitionBody.from_string(DEFINITION.read_text()),
        definition_substitutions={
            f"{name}FunctionArn": function.function_arn for name, function in functions.items()
        },
        state_machine_type=sfn.StateMachineType.STANDARD,
        tracing_enabled=True,
        # No data: a direct start's input holds addresses and texts.
        logs=sfn.LogOptions(
            destination=log, level=sfn.LogLevel.ERROR, include_execution_data=False
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
