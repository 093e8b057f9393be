"""Who may do what: each role's permissions, all of them."""

import pytest

from tests.infra.template import Template

TABLE = "StoreMessages"
KEY = "Key"

READ_KEY = {("kms:Decrypt", KEY), ("kms:DescribeKey", KEY)}
WRITE_KEY = READ_KEY | {
    ("kms:Encrypt", KEY),
    ("kms:GenerateDataKey", KEY),
    ("kms:ReEncryptFrom", KEY),
    ("kms:ReEncryptTo", KEY),
}
ANSWER = {("states:SendTaskSuccess", "*"), ("states:SendTaskFailure", "*")}


def on_table(*actions: str) -> set[tuple[str, str]]:
    return {(f"dynamodb:{action}", TABLE) for action in actions}


def of_account(service: str, resource: str) -> str:
    return f"arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{resource}"


ALLOWED = {
    "accept_message": on_table("GetItem", "PutItem", "UpdateItem", "Query")
    | WRITE_KEY
    | {("sqs:SendMessage", "RequestsQueue")},
    "plan_message": on_table("PutItem", "Query") | WRITE_KEY,
    "start_delivery": {
        ("states:StartExecution", "DeliveryDeliverMessage"),
        ("sqs:SendMessage", "RequestsNotStarted"),
        ("kms:Decrypt", KEY),
        ("kms:GenerateDataKey", KEY),
    }
    | {
        (f"sqs:{action}", "RequestsQueue")
        for action in (
            "ReceiveMessage",
            "DeleteMessage",
            "ChangeMessageVisibility",
            "GetQueueAttributes",
            "GetQueueUrl",
        )
    },
    "send_message": on_table("GetItem", "PutItem", "UpdateItem", "Query")
    | WRITE_KEY
    | ANSWER
    | {
        ("sms-voice:SendTextMessage", of_account("sms-voice", "phone-number/*")),
        ("sms-voice:SendTextMessage", of_account("sms-voice", "pool/*")),
        ("sms-voice:SendTextMessage", of_account("sms-voice", "sender-id/*")),
        (
            "social-messaging:SendWhatsAppMessage",
            of_account("social-messaging", "phone-number-id/*"),
        ),
        ("ses:SendEmail", of_account("ses", "identity/*")),
        ("ses:SendEmail", of_account("ses", "template/*")),
        (
            "ses:SendEmail",
            of_account("ses", "configuration-set/ReceiptsConfigurationSetsEmail"),
        ),
    },
    "record_receipt": on_table("GetItem", "PutItem", "UpdateItem", "Query")
    | WRITE_KEY
    | ANSWER
    | {("sqs:SendMessage", "ReceiptsUnrecorded")},
    "close_message": on_table("GetItem", "PutItem", "UpdateItem", "Query")
    | WRITE_KEY
    | {("sqs:SendMessage", "DeliveryUnclosed")},
    "read_message": on_table("Query") | READ_KEY,
}


def test_the_table_of_permissions_names_every_function(template: Template) -> None:
    assert ALLOWED.keys() == template.functions.keys()


@pytest.mark.parametrize("function", ALLOWED)
def test_a_function_may_do_its_work_and_nothing_else(template: Template, function: str) -> None:
    properties = template.functions[function]
    own = {
        ("logs:CreateLogStream", properties["LoggingConfig"]["LogGroup"]),
        ("logs:PutLogEvents", properties["LoggingConfig"]["LogGroup"]),
        ("xray:PutTraceSegments", "*"),
        ("xray:PutTelemetryRecords", "*"),
    }

    assert template.allowed(properties["Role"]) == ALLOWED[function] | own


def test_the_machine_may_invoke_its_three_functions_and_log(template: Template) -> None:
    allowed = template.allowed("DeliveryDeliverMessageRole")

    assert {pair for pair in allowed if pair[0].startswith("lambda:")} == {
        ("lambda:InvokeFunction", "DeliverySendMessage"),
        ("lambda:InvokeFunction", "DeliveryPlanMessage"),
        ("lambda:InvokeFunction", "DeliveryCloseMessage"),
    }
    assert {action.partition(":")[0] for action, _ in allowed} == {"lambda", "logs", "xray"}


def test_answering_a_waiting_state_stands_in_a_policy_of_its_own(template: Template) -> None:
    answering = [
        name
        for name, policy in template.of_type("AWS::IAM::Policy").items()
        if "states:SendTask" in str(policy)
    ]

    assert answering == [
        "ReceiptsRecordReceiptAnswerWaitingStates",
        "DeliverySendMessageAnswerWaitingStates",
    ]


def test_only_api_gateways_role_holds_a_managed_policy(template: Template) -> None:
    managed = [
        name
        for name, role in template.of_type("AWS::IAM::Role").items()
        if "ManagedPolicyArns" in role or "Policies" in role
    ]

    assert managed == ["HttpApiCloudWatchRole"]


def test_no_one_is_allowed_every_action(template: Template) -> None:
    roles = template.of_type("AWS::IAM::Role")

    assert not {
        action for role in roles for action, _ in template.allowed(role) if action.endswith("*")
    }
