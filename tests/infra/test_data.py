"""What is kept, how it is protected, and for how long."""

from typing import Any

import pytest

from tests.infra.template import Template

# The properties by which a resource gets a name of its own, so that a second one cannot exist.
# An API's name is not among them: it is for people, and two APIs may share one.
PHYSICAL_NAMES = {
    "AlarmName",
    "ConfigurationSetName",
    "FunctionName",
    "LayerName",
    "LogGroupName",
    "ManagedPolicyName",
    "QueueName",
    "RoleName",
    "StateMachineName",
    "TableName",
    "TopicName",
    "UsagePlanName",
}
# What these are about is named by it.
REFERRING = {
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::SES::ConfigurationSetEventDestination",
}


def test_the_table_has_generic_keys_and_expires_its_items(template: Template) -> None:
    table = template.only("AWS::DynamoDB::Table")

    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "retained_until", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_recent_messages_are_listed_by_their_keys_alone(template: Template) -> None:
    assert template.only("AWS::DynamoDB::Table")["GlobalSecondaryIndexes"] == [
        {
            "IndexName": "Recent",
            "KeySchema": [
                {"AttributeName": "listed_under", "KeyType": "HASH"},
                {"AttributeName": "accepted_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ]


def test_messages_can_be_restored_and_are_encrypted_with_the_stacks_key(template: Template) -> None:
    table = template.only("AWS::DynamoDB::Table")

    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {
        "KMSMasterKeyId": "Key",
        "SSEEnabled": True,
        "SSEType": "KMS",
    }
    assert template.of_type("AWS::KMS::Key")["Key"]["EnableKeyRotation"] is True


@pytest.mark.parametrize("name", ["StoreMessages", "Key", "CodesKey"])
def test_the_table_and_the_keys_outlive_the_stack(template: Template, name: str) -> None:
    resource = template.resources[name]

    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"


def test_a_first_deployment_that_is_rolled_back_leaves_nothing(template: Template) -> None:
    """But for the role of API Gateway, which the account has only one of."""
    kept = {
        name
        for name, resource in template.resources.items()
        if resource.get("DeletionPolicy") == "Retain"
    }

    assert kept == {"HttpApiAccount", "HttpApiCloudWatchRole"}
    # CloudFormation cannot delete a protected table.
    assert template.only("AWS::DynamoDB::Table")["DeletionProtectionEnabled"] is False


@pytest.mark.parametrize("name", ["StoreMessages", "Key"])
def test_without_retain_data_they_go_with_the_stack(changed: Template, name: str) -> None:
    assert changed.resources[name]["DeletionPolicy"] == "Delete"
    assert changed.only("AWS::DynamoDB::Table")["DeletionProtectionEnabled"] is False


def test_every_function_the_machine_and_the_api_log_for_a_month(template: Template) -> None:
    logs = template.of_type("AWS::Logs::LogGroup")

    assert len(logs) == len(template.functions) + 2
    assert all(log["RetentionInDays"] == 30 for log in logs.values())


def test_how_long_logs_are_kept_is_a_parameter(changed: Template) -> None:
    logs = changed.of_type("AWS::Logs::LogGroup")

    assert {log["RetentionInDays"] for log in logs.values()} == {7}


@pytest.mark.parametrize(
    ("kind", "names_it"),
    [
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::SecretsManager::Secret", "KmsKeyId"),
    ],
)
def test_whatever_holds_something_is_encrypted_with_the_stacks_key(
    template: Template, changed: Template, kind: str, names_it: str
) -> None:
    for resource in (*template.of_type(kind).values(), *changed.of_type(kind).values()):
        assert resource[names_it] == "Key"


def test_queues_refuse_plain_http(template: Template) -> None:
    queues = template.of_type("AWS::SQS::Queue")
    policies = template.of_type("AWS::SQS::QueuePolicy").values()

    assert {
        queue for policy in policies if _refuses_http(policy) for queue in policy["Queues"]
    } == (queues.keys())


def test_the_key_serves_the_stacks_services_for_this_account_only(template: Template) -> None:
    own = "arn:<AWS::Partition>:{}:<AWS::Region>:<AWS::AccountId>:{}"
    use = ["kms:Decrypt", "kms:GenerateDataKey*"]
    any_topic = {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": own.format("sns", "*")}}
    providers = ["ses.amazonaws.com", "sms-voice.amazonaws.com", "social-messaging.amazonaws.com"]
    owner, *others = template.of_type("AWS::KMS::Key")["Key"]["KeyPolicy"]["Statement"]

    assert owner["Principal"] == {"AWS": "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"}
    assert "Condition" not in owner
    granted = {
        str(one["Principal"]["Service"]): (one["Action"], one["Condition"]) for one in others
    }
    assert granted == {
        str(providers): (use, any_topic),
        "sns.amazonaws.com": (use, {"ArnLike": {"aws:SourceArn": own.format("sns", "*")}}),
        "logs.<AWS::Region>.amazonaws.com": (
            [
                f"kms:{use}*"
                for use in ("Decrypt", "Describe", "Encrypt", "GenerateDataKey", "ReEncrypt")
            ],
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": own.format("logs", "log-group:*")}},
        ),
    }


def test_two_stacks_fit_into_one_account(template: Template, changed: Template) -> None:
    first, second = (physical_names(each) for each in (template, changed))

    # The log of executions, whose name the two stacks' names tell apart.
    assert first.keys() == second.keys() == {("DeliveryDeliverMessageLog", "LogGroupName")}
    assert not set(first.values()) & set(second.values())


def physical_names(template: Template) -> dict[tuple[str, str], str]:
    return {
        (name, named): resource["Properties"][named]
        for name, resource in template.resources.items()
        if resource["Type"] not in REFERRING
        for named in PHYSICAL_NAMES & resource.get("Properties", {}).keys()
    }


def _refuses_http(policy: dict[str, Any]) -> bool:
    return any(
        statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in policy["PolicyDocument"]["Statement"]
    )
