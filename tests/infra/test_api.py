"""The HTTP API: what it has, who gets in, and how it refuses."""

import json
from typing import Any

import pytest

from tests.infra.template import Template

REFUSALS = {
    "INVALID_API_KEY": 403,
    "ACCESS_DENIED": 403,
    "MISSING_AUTHENTICATION_TOKEN": 404,
    "UNSUPPORTED_MEDIA_TYPE": 405,
    "REQUEST_TOO_LARGE": 413,
    "THROTTLED": 429,
    "QUOTA_EXCEEDED": 429,
    "INTEGRATION_TIMEOUT": 504,
    "DEFAULT_5XX": 500,
}


PATHS = {
    "messages": "POST",
    "messages/{id}": "GET",
    "messages/{id}/confirm": "POST",
    "messages/{id}/advance": "POST",
    "messages/{id}/cancel": "POST",
    "verifications": "POST",
    "verifications/{id}": "GET",
    "verifications/{id}/check": "POST",
    "verifications/{id}/resend": "POST",
    "verifications/{id}/cancel": "POST",
}


def path_of(template: Template, method: dict[str, Any]) -> str:
    paths = template.of_type("AWS::ApiGateway::Resource")
    parts, name = list[str](), method["ResourceId"]
    while isinstance(name, str):
        parts.insert(0, paths[name]["PathPart"])
        name = paths[name]["ParentId"]
    return "/".join(parts)


def test_each_path_has_one_method_with_a_key(template: Template) -> None:
    methods = [
        method
        for method in template.of_type("AWS::ApiGateway::Method").values()
        if method["Integration"]["Type"] == "AWS_PROXY"
    ]

    assert len(methods) == len(PATHS)
    assert {path_of(template, method): method["HttpMethod"] for method in methods} == PATHS
    assert all(method["ApiKeyRequired"] is True for method in methods)


@pytest.mark.parametrize(("path", "allowed"), PATHS.items())
def test_every_other_method_of_a_path_is_not_allowed(
    template: Template, path: str, allowed: str
) -> None:
    (method,) = (
        method
        for method in template.of_type("AWS::ApiGateway::Method").values()
        if (method["HttpMethod"], path_of(template, method)) == ("ANY", path)
    )
    integration = method["Integration"]
    (response,) = integration["IntegrationResponses"]
    headers = {
        "method.response.header.Content-Type": "'application/problem+json'",
        "method.response.header.Allow": f"'{allowed}'",
    }

    assert method["ApiKeyRequired"] is True
    # What an unmapped media type gets is the response UNSUPPORTED_MEDIA_TYPE, which is a 405 too.
    assert (integration["Type"], integration["PassthroughBehavior"]) == ("MOCK", "NEVER")
    assert integration["RequestTemplates"] == {"application/json": '{"statusCode": 405}'}
    assert (response["StatusCode"], response["ResponseParameters"]) == ("405", headers)
    assert json.loads(response["ResponseTemplates"]["application/json"])["status"] == 405
    assert method["MethodResponses"] == [
        {"StatusCode": "405", "ResponseParameters": dict.fromkeys(headers, True)}
    ]


def test_its_address_is_the_first_version(template: Template) -> None:
    stage = template.only("AWS::ApiGateway::Stage")

    assert stage["StageName"] == "v1"


def test_the_access_log_holds_neither_body_nor_key(template: Template) -> None:
    stage = template.only("AWS::ApiGateway::Stage")
    variables = set(json.loads(stage["AccessLogSetting"]["Format"]).values())

    assert variables == {
        "$context.requestId",
        "$context.requestTime",
        "$context.identity.sourceIp",
        "$context.identity.apiKeyId",
        "$context.httpMethod",
        "$context.path",
        "$context.status",
        "$context.error.responseType",
        "$context.responseLatency",
    }
    assert [settings["DataTraceEnabled"] for settings in stage["MethodSettings"]] == [False]


def test_the_key_is_a_secret_that_stands_in_no_template(template: Template) -> None:
    secret = template.only("AWS::SecretsManager::Secret")

    assert template.only("AWS::ApiGateway::ApiKey")["Value"] == (
        "{{resolve:secretsmanager:HttpAccessSecret:SecretString:::ApiKeyVersion}}"
    )
    assert "SecretString" not in secret
    assert secret["KmsKeyId"] == "Key"


def test_how_the_key_is_generated_never_changes(template: Template) -> None:
    """CloudFormation generates a new secret when anything of this changes, and the API key would
    still have the old one.
    """
    assert template.only("AWS::SecretsManager::Secret")["GenerateSecretString"] == {
        "PasswordLength": 40,
        "ExcludePunctuation": True,
    }


def test_another_version_of_the_secret_is_another_key(template: Template) -> None:
    parameter = template.body["Parameters"]["ApiKeyVersion"]

    assert parameter["Default"] == ""
    assert template.only("AWS::ApiGateway::UsagePlanKey")["KeyId"] == "HttpAccessKey"


@pytest.mark.parametrize("name", ["HttpAccessKey", "HttpAccessAdmitted"])
def test_a_replaced_key_works_until_the_rotation_deletes_it(template: Template, name: str) -> None:
    resource = template.resources[name]

    assert resource["UpdateReplacePolicy"] == "Retain"
    assert resource["DeletionPolicy"] == "Delete"


def test_the_usage_plan_limits_the_key(template: Template) -> None:
    plan = template.only("AWS::ApiGateway::UsagePlan")

    assert plan["Throttle"] == {"RateLimit": 5, "BurstLimit": 5}
    assert plan["Quota"] == {"Limit": 100_000, "Period": "DAY"}


def test_the_limits_are_parameters(changed: Template) -> None:
    plan = changed.only("AWS::ApiGateway::UsagePlan")

    assert plan["Throttle"] == {"RateLimit": 7, "BurstLimit": 8}
    assert plan["Quota"] == {"Limit": 9, "Period": "DAY"}


@pytest.mark.parametrize(("refusal", "status"), REFUSALS.items())
def test_a_refusal_is_a_problem_in_json(template: Template, refusal: str, status: int) -> None:
    (response,) = (
        response
        for response in template.of_type("AWS::ApiGateway::GatewayResponse").values()
        if response["ResponseType"] == refusal
    )

    problem = json.loads(response["ResponseTemplates"]["application/json"])
    assert (response["StatusCode"], problem["status"]) == (str(status), status)
    assert problem.keys() == {"type", "title", "status", "detail"}
    headers = {"gatewayresponse.header.Content-Type": "'application/problem+json'"}
    if status == 405:
        headers["gatewayresponse.header.Allow"] = "'GET, POST'"
    assert response["ResponseParameters"] == headers


def test_the_accounts_log_settings_outlive_the_stack(template: Template) -> None:
    for name in ("HttpApiAccount", "HttpApiCloudWatchRole"):
        assert template.resources[name]["DeletionPolicy"] == "Retain"
