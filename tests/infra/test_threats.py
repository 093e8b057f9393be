"""What the template admits from outside, and what no role of the stack may do."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.template import Template

POLICIES = {
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
}
# To delete or list messages, to read the API key, to forge a receipt, to stop an execution, and to
# become somebody else.
NEVER = (
    *("dynamodb:Delete", "dynamodb:BatchWrite", "dynamodb:Scan", "dynamodb:PartiQL"),
    *("secretsmanager:", "apigateway:", "sns:", "iam:", "sts:"),
    *("states:StopExecution", "states:GetExecutionHistory", "lambda:Update", "kms:PutKeyPolicy"),
)


def admitting(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each statement of the policies of a type that allows something, with its policy's name."""
    for name, properties in template.of_type(kind).items():
        for statement in properties[POLICIES[kind]]["Statement"]:
            if statement["Effect"] == "Allow":
                yield name, statement


@pytest.mark.parametrize("kind", POLICIES)
def test_no_resource_is_open_to_another_account(template: Template, kind: str) -> None:
    """To the account itself, to services, and to roles of the stack."""
    statements = [statement for _, statement in admitting(template, kind)]

    assert statements
    for statement in statements:
        [(kind, principal)] = statement["Principal"].items()
        assert kind in {"Service", "AWS"}
        if kind == "AWS" and principal != "arn:<AWS::Partition>:iam::<AWS::AccountId>:root":
            named = [principal] if isinstance(principal, str) else principal
            assert set(named) <= template.of_type("AWS::IAM::Role").keys()


def test_no_policy_admits_anybody_to_the_requests_queue(template: Template) -> None:
    names = [name for name, _ in admitting(template, "AWS::SQS::QueuePolicy")]

    assert names == ["ReceiptsUndeliveredPolicy"]


def test_only_the_stacks_own_api_topic_rule_and_machine_invoke_functions(
    template: Template,
) -> None:
    permissions = template.of_type("AWS::Lambda::Permission").values()
    admitted = {(one["FunctionName"], one["Principal"]) for one in permissions}

    behind_the_api = {name for name, by in admitted if by == "apigateway.amazonaws.com"}
    assert behind_the_api == {
        *("HttpAcceptMessage", "HttpReadMessage", "HttpControlMessage"),
        *("CodesStartVerification", "CodesReadVerification"),
        *("CodesCheckVerification", "CodesControlVerification"),
    }
    assert admitted - {(name, "apigateway.amazonaws.com") for name in behind_the_api} == {
        ("ReceiptsRecordReceipt", "sns.amazonaws.com"),
        ("DeliveryCloseMessage", "events.amazonaws.com"),
    }
    assert all(one["SourceArn"] for one in permissions)


def test_no_role_may_delete_list_forge_or_become_another(template: Template) -> None:
    roles = template.of_type("AWS::IAM::Role")
    allowed = {action for role in roles for action, _ in template.allowed(role)}

    assert allowed
    assert [action for action in allowed if action.startswith(NEVER)] == []


def test_only_the_starter_starts_executions_and_no_role_puts_requests_but_the_api(
    template: Template,
) -> None:
    functions = {properties["Role"]: file for file, properties in template.functions.items()}

    def may(action: str, resource: str) -> list[str]:
        return [functions[one] for one in functions if (action, resource) in template.allowed(one)]

    assert may("states:StartExecution", "DeliveryDeliverMessage") == ["start_delivery"]
    assert may("sqs:SendMessage", "RequestsQueue") == [
        "accept_message",
        "start_verification",
    ]


def test_the_secret_has_no_policy_of_its_own(template: Template) -> None:
    assert not template.of_type("AWS::SecretsManager::ResourcePolicy")
