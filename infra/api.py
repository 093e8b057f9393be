"""The HTTP API: its methods, and the errors that API Gateway itself returns."""

import json
from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import nag
from infra.api_key import ApiKey
from infra.config import Config
from infra.function import Code, Function
from infra.key import EncryptionKey
from infra.logs import LogGroup
from infra.messages_table import MessagesTable
from infra.outputs import add_output

# API Gateway's integration timeout is 29 seconds.
TIMEOUT = Duration.seconds(25)

# A constant, in the quotes that API Gateway's mappings need.
PROBLEM_TYPE = "'application/problem+json'"

# API Gateway's own error responses, without a function: type, status, title, detail.
REFUSALS = (
    (
        "INVALID_API_KEY",
        403,
        "Forbidden",
        "The header X-Api-Key does not contain a valid API key.",
    ),
    ("ACCESS_DENIED", 403, "Forbidden", "The caller is not authorized to use this API."),
    # API Gateway's name for a path or a method that the API does not have.
    ("MISSING_AUTHENTICATION_TOKEN", 404, "Not Found", "The path or method does not exist."),
    # Only methods that the API does not have restrict the media type, so that is the error.
    (
        "UNSUPPORTED_MEDIA_TYPE",
        405,
        "Method Not Allowed",
        "The path does not support this method.",
    ),
    ("REQUEST_TOO_LARGE", 413, "Content Too Large", "The request is larger than 256 KiB."),
    (
        "THROTTLED",
        429,
        "Too Many Requests",
        "The request rate was exceeded. Retry after a short time.",
    ),
    ("QUOTA_EXCEEDED", 429, "Too Many Requests", "The daily request quota was exceeded."),
    (
        "INTEGRATION_TIMEOUT",
        504,
        "Gateway Timeout",
        "The request timed out. Retry with the same Idempotency-Key.",
    ),
    (
        "DEFAULT_5XX",
        500,
        "Internal Server Error",
        "An internal error occurred. Retry with the same Idempotency-Key.",
    ),
)

[NOT_ALLOWED] = [one[1:] for one in REFUSALS if one[0] == "UNSUPPORTED_MEDIA_TYPE"]


class ApiFunction(Function):
    """A function behind a method of the API, with the table. Its failures and its duration are
    those of the API's own metrics.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        description: str,
        messages: MessagesTable,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            code=code,
            description=description,
            timeout=TIMEOUT,
            environment={"MESSAGES_TABLE": messages.table.table_name, **environment},
        )


class Api(Construct):
    """`POST /v1/messages`, `GET /v1/messages/{id}`, and what a caller does to a message."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Code,
        config: Config,
        key: EncryptionKey,
        messages: MessagesTable,
        requests: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        accept = _accept_message(
            self, code=code, config=config, messages=messages, requests=requests
        )
        read = _read_message(self, code=code, messages=messages)
        control = _control_message(self, code=code, config=config, messages=messages)
        api = _rest_api(self, key=key, config=config)
        self.root = api.root
        collection = api.root.add_resource("messages")
        add_method(collection, "POST", accept)
        message = collection.add_resource("{id}")
        add_method(message, "GET", read)
        for action in ("confirm", "advance", "cancel"):
            add_method(message.add_resource(action), "POST", control)
        _add_error_responses(api)
        add_output(self, "ApiUrl", api.url_for_path("/messages"), "Accepts messages with POST")
        ApiKey(self, "Access", api=api, config=config, key=key)


def _accept_message(
    scope: Construct, *, code: Code, config: Config, messages: MessagesTable, requests: sqs.IQueue
) -> ApiFunction:
    function = ApiFunction(
        scope,
        "AcceptMessage",
        code=code,
        description="Validates, stores and plans a request, and sends it to the queue.",
        messages=messages,
        environment={
            "REQUESTS_QUEUE_URL": requests.queue_url,
            **config.planning,
        },
    )
    messages.allow(function, "GetItem", "PutItem", "UpdateItem", "Query")
    function.allow_sending_to(requests)
    return function


def _read_message(scope: Construct, *, code: Code, messages: MessagesTable) -> ApiFunction:
    function = ApiFunction(
        scope,
        "ReadMessage",
        code=code,
        description="Returns a message with its attempts and their receipts.",
        messages=messages,
        environment={},
    )
    messages.allow(function, "Query")
    return function


def _control_message(
    scope: Construct, *, code: Code, config: Config, messages: MessagesTable
) -> ApiFunction:
    function = ApiFunction(
        scope,
        "ControlMessage",
        code=code,
        description="Confirms a message, ends its step or cancels it, for its caller.",
        messages=messages,
        environment=config.retention,
    )
    messages.allow(function, "UpdateItem", "Query")
    function.allow_completing_tasks()
    return function


def _rest_api(scope: Construct, *, key: EncryptionKey, config: Config) -> apigateway.RestApi:
    log = LogGroup(scope, "AccessLog", key=key, retention_days=config.log_retention_days)
    api = apigateway.RestApi(
        scope,
        "Api",
        # A name for people; it need not be unique.
        rest_api_name=Stack.of(scope).stack_name,
        endpoint_types=[apigateway.EndpointType.REGIONAL],
        # Access logs need a role in the account's settings. It is retained when the stack is
        # deleted, because the account has only one.
        cloud_watch_role=True,
        deploy_options=apigateway.StageOptions(
            stage_name="v1",
            tracing_enabled=config.xray_tracing,
            data_trace_enabled=False,
            access_log_destination=apigateway.LogGroupLogDestination(log),
            access_log_format=_access_log_format(),
        ),
    )
    # CDK's own output, which would repeat ApiUrl.
    api.node.try_remove_child("Endpoint")
    _accept_findings(api)
    return api


def _access_log_format() -> apigateway.AccessLogFormat:
    """Who called what and when; no body, no header, no key."""
    return apigateway.AccessLogFormat.custom(
        json.dumps(
            {
                "request_id": "$context.requestId",
                "requested_at": "$context.requestTime",
                "ip": "$context.identity.sourceIp",
                "api_key_id": "$context.identity.apiKeyId",
                "method": "$context.httpMethod",
                "path": "$context.path",
                "status": "$context.status",
                "error": "$context.error.responseType",
                "milliseconds": "$context.responseLatency",
            }
        )
    )


def _accept_findings(api: apigateway.RestApi) -> None:
    for rule, reason in {
        "APIG2": "The function validates the body and its error names every invalid field.",
        "APIG3": "A firewall has a monthly price; the account's owner decides on it.",
        "APIG4": "Every method requires the API key.",
        "APIG6": "The access log has each request; an execution log would never expire.",
        "COG4": "Callers are services with an API key, not users who sign in.",
        "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
        "AmazonAPIGatewayPushToCloudWatchLogs]": "API Gateway's own policy for writing logs.",
    }.items():
        nag.accept(api, rule, reason)


def add_method(resource: apigateway.Resource, method: str, function: Function) -> None:
    """The path's only method: any other gets 405."""
    resource.add_method(
        method,
        apigateway.LambdaIntegration(function, allow_test_invoke=False),
        api_key_required=True,
    )
    _add_other_methods(resource, allowed=method)


def _add_other_methods(resource: apigateway.Resource, *, allowed: str) -> None:
    """Every other method gets 405 from API Gateway itself, which would respond as if the path did
    not exist.

    A mock integration reads the status from its request template, and a body of another media type
    has none: docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html and
    integration-passthrough-behaviors.html
    """
    status = str(NOT_ALLOWED[0])
    headers = {"Content-Type": PROBLEM_TYPE, "Allow": f"'{allowed}'"}
    named = {f"method.response.header.{name}": value for name, value in headers.items()}
    resource.add_method(
        "ANY",
        apigateway.MockIntegration(
            passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
            request_templates={"application/json": json.dumps({"statusCode": NOT_ALLOWED[0]})},
            integration_responses=[
                apigateway.IntegrationResponse(
                    status_code=status,
                    response_parameters=named,
                    response_templates={"application/json": _problem(*NOT_ALLOWED)},
                )
            ],
        ),
        api_key_required=True,
        method_responses=[
            apigateway.MethodResponse(
                status_code=status, response_parameters=dict.fromkeys(named, True)
            )
        ],
    )


def _add_error_responses(api: apigateway.RestApi) -> None:
    for response_type, status, title, detail in REFUSALS:
        api.add_gateway_response(
            "".join(word.capitalize() for word in response_type.split("_")),
            type=apigateway.ResponseType.of(response_type),
            status_code=str(status),
            response_headers=_error_headers(status),
            templates={"application/json": _problem(status, title, detail)},
        )


def _error_headers(status: int) -> dict[str, str]:
    """With 405, the methods of the whole API: no mapping here knows those of the path."""
    allowed = {"Allow": "'GET, POST'"} if status == NOT_ALLOWED[0] else {}
    return {"Content-Type": PROBLEM_TYPE} | allowed


def _problem(status: int, title: str, detail: str) -> str:
    return json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
