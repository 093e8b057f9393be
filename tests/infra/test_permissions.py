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
        ("states:DescribeExecution", of_account("states", "execution:DeliveryDeliverMessage:*")),
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
    "send_message": on_table("PutItem", "UpdateItem", "Query")
    | WRITE_KEY
    | ANSWER
    | {
        *(
            (f"sms-voice:{action}", of_account("sms-voice", resource))
            for action in ("SendTextMessage", "SendNotifyTextMessage")
            for resource in (
                "phone-number/*",
                "pool/*",
                "sender-id/*",
                "notify-configuration/*",
                "protect-configuration/*",
                "configuration-set/ReceiptsConfigurationSetsSms",
            )
        ),
        *(
            ("sms-voice:SendVoiceMessage", of_account("sms-voice", resource))
            for resource in (
                "phone-number/*",
                "pool/*",
                "protect-configuration/*",
                "configuration-set/ReceiptsConfigurationSetsVoice",
            )
        ),
        (
            "social-messaging:SendWhatsAppMessage",
            of_account("social-messaging", "phone-number-id/*"),
        ),
    }
    | {
        (f"ses:{action}", of_account("ses", resource))
        for action in ("SendEmail", "SendTemplatedEmail")
        for resource in (
            "identity/*",
            "template/*",
            "configuration-set/ReceiptsConfigurationSetsEmail",
        )
    },
    "record_receipt": on_table("GetItem", "PutItem", "UpdateItem", "Query")
    | WRITE_KEY
    | ANSWER
    | {("sqs:SendMessage", "ReceiptsUnrecorded")},
    "close_message": on_table("PutItem", "UpdateItem", "Query")
    | WRITE_KEY
    | {("sqs:SendMessage", "DeliveryUnclosed")},
    "read_message": on_table("Query") | READ_KEY,
    "control_message": on_table("UpdateItem", "Query") | WRITE_KEY | ANSWER,
    "start_verification": on_table("BatchGetItem", "GetItem", "PutItem", "UpdateItem", "Query")
    | WRITE_KEY
    | {("states:SendTaskFailure", "*"), ("sqs:SendMessage", "RequestsQueue")},
    "read_verification": on_table("Query") | READ_KEY,
    "check_verification": on_table("UpdateItem", "Query")
    | WRITE_KEY
    | ANSWER
    | {("sms-voice:PutMessageFeedback", of_account("sms-voice", "message/*"))},
    "control_verification": on_table("BatchGetItem", "UpdateItem", "Query")
    | WRITE_KEY
    | {("states:SendTaskFailure", "*")},
}


def test_the_table_of_permissions_names_every_function(template: Template) -> None:
    assert ALLOWED.keys() == template.functions.keys()


@pytest.mark.parametrize("function", ALLOWED)
def test_a_function_may_do_its_work_and_nothing_else(template: Template, function: str) -> None:
    properties = template.functions[function]
    own = {
        ("logs:CreateLogStream", properties["LoggingConfig"]["LogGroup"]),
        ("logs:PutLogEvents", properties["LoggingConfig"]["LogGroup"]),
    }

    assert template.allowed(properties["Role"]) == ALLOWED[function] | own


@pytest.mark.parametrize("function", ALLOWED)
def test_with_xray_tracing_a_function_may_write_traces(changed: Template, function: str) -> None:
    allowed = changed.allowed(changed.functions[function]["Role"])

    assert {(action, on) for action, on in allowed if action.startswith("xray:")} == {
        ("xray:PutTraceSegments", "*"),
        ("xray:PutTelemetryRecords", "*"),
    }


# Step Functions delivers logs through CloudWatch's own deliveries, which know no resources:
# docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
LOG_DELIVERY = {
    *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery"),
    *("ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
}
TRACES = {"PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"}


def test_the_machine_may_invoke_its_three_functions_and_log(
    template: Template, changed: Template
) -> None:
    functions = ("DeliverySendMessage", "DeliveryPlanMessage", "DeliveryCloseMessage")
    allowed = {("lambda:InvokeFunction", function) for function in functions} | {
        (f"logs:{action}", "*") for action in LOG_DELIVERY
    }

    assert template.allowed("DeliveryDeliverMessageRole") == allowed
    assert changed.allowed("DeliveryDeliverMessageRole") == (
        allowed | {(f"xray:{action}", "*") for action in TRACES}
    )


def test_there_is_no_role_beside_those_named_here(template: Template) -> None:
    functions = {properties["Role"] for properties in template.functions.values()}

    assert template.of_type("AWS::IAM::Role").keys() == functions | {
        "DeliveryDeliverMessageRole",
        "HttpApiCloudWatchRole",
    }


def test_a_role_is_taken_by_its_service_alone(template: Template) -> None:
    services = {
        name: [one["Principal"] for one in role["AssumeRolePolicyDocument"]["Statement"]]
        for name, role in template.of_type("AWS::IAM::Role").items()
    }

    assert services.pop("DeliveryDeliverMessageRole") == [{"Service": "states.amazonaws.com"}]
    assert services.pop("HttpApiCloudWatchRole") == [{"Service": "apigateway.amazonaws.com"}]
    assert all(named == [{"Service": "lambda.amazonaws.com"}] for named in services.values())


def test_answering_a_waiting_state_stands_in_a_policy_of_its_own(template: Template) -> None:
    answering = [
        name
        for name, policy in template.of_type("AWS::IAM::Policy").items()
        if "states:SendTask" in str(policy)
    ]

    assert answering == [
        "ReceiptsRecordReceiptAnswerWaitingStates",
        "DeliverySendMessageAnswerWaitingStates",
        "HttpControlMessageAnswerWaitingStates",
        "CodesStartVerificationAnswerWaitingStates",
        "CodesCheckVerificationAnswerWaitingStates",
        "CodesControlVerificationAnswerWaitingStates",
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
