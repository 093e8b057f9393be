"""AWS in this process for unit and path tests: fake credentials, a table, an environment."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

REGION = "us-east-1"
ACCOUNT = "123456789012"
TABLE = "Messages"
QUEUE = "Requests"
DEAD_LETTERS = "NotStarted"
EVENTS = Path(__file__).parents[1] / "events"
PUBLISHED_AT = "2026-01-02T00:00:09.000Z"
# The message that the sample events are about.
SAMPLE_ID = "01JEXAMPLE0000000000000001"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_DEFAULT_REGION": REGION,
    "POWERTOOLS_SERVICE_NAME": "throughline",
    "POWERTOOLS_METRICS_NAMESPACE": "Throughline",
    "MESSAGES_TABLE": TABLE,
    "REQUESTS_QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{QUEUE}",
    "REQUESTS_DEAD_LETTER_QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{DEAD_LETTERS}",
    "START_INTERVAL_SECONDS": "0",
    "STATE_MACHINE_ARN": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:DeliverMessage",
    "RETENTION_DAYS": "30",
    "WHATSAPP_WAIT_SECONDS": "45",
    "SMS_WAIT_SECONDS": "120",
    "EMAIL_WAIT_SECONDS": "300",
    "VOICE_WAIT_SECONDS": "120",
    "WHATSAPP_SENDER": "phone-number-id-00000000000000000000000000000001",
    "SMS_SENDER": "+12065550100",
    "EMAIL_SENDER": "Throughline <hello@example.com>",
    "VOICE_SENDER": "+12065550101",
    "SMS_CONFIGURATION_SET": "sms-set",
    "EMAIL_CONFIGURATION_SET": "email-set",
    "VOICE_CONFIGURATION_SET": "voice-set",
    "WHATSAPP_API_VERSION": "v24.0",
    "WHATSAPP_CODE_TEMPLATE": "verification_code",
    "WHATSAPP_CODE_LANGUAGES": "en",
    "SMS_NOTIFY_CODE_TEMPLATE": "notify-code-verification-english-001",
    "SMS_PROTECT_CONFIGURATION": "",
    "SMS_CODES_MAX_PRICE": "",
    "VOICE_PROTECT_CONFIGURATION": "",
    "VOICE_CODES_MAX_PRICE": "",
    "SMS_CARRIER_RECEIPT": "delivered",
    "CODES_KEY_ID": "11111111-2222-3333-4444-555555555555",
    "CODES_BRAND": "Acme",
    "CODES_CHANNELS": "whatsapp,sms,email,voice",
    "CODES_RESEND_SECONDS": "30",
    "CODES_PER_RECIPIENT_HOUR": "5",
    "CODES_PER_RECIPIENT_DAY": "10",
    "CODES_PER_PREFIX_HOUR": "10",
    "CODES_PER_CLIENT_HOUR": "20",
    "CODES_COUNTRIES_ALLOWED": "",
    "CODES_COUNTRIES_DENIED": "",
    "CODES_BREAKER": "block",
    "CODES_BREAKER_PERCENT": "20",
}


@contextmanager
def aws(environment: Mapping[str, str] = ENVIRONMENT) -> Iterator[None]:
    """A mocked AWS with the table and the queue, and the environment of a deployed function."""
    config: Any = {
        "stepfunctions": {"execute_state_machine": True},
        "lambda": {"use_docker": False},
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        call = DynamoHandler.call_action
        lock = threading.RLock()

        def one_at_a_time(handler: DynamoHandler) -> Any:
            with lock:
                return call(handler)

        # A DynamoDB call is atomic; moto's is not, and branches of the workflow run in threads.
        patch.setattr(DynamoHandler, "call_action", one_at_a_time)
        with mock_aws(config=config):
            make_table(TABLE)
            for name in (QUEUE, DEAD_LETTERS):
                boto3.client("sqs").create_queue(QueueName=name)
            yield


def make_table(name: str) -> None:
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("pk", "sk", "listed_under", "accepted_at")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "Recent",
                "KeySchema": [
                    {"AttributeName": "listed_under", "KeyType": "HASH"},
                    {"AttributeName": "accepted_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )


class _Context:
    """What Lambda gives a function beside its event."""

    function_name = "function"
    memory_limit_in_mb = 256
    invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:function"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


CONTEXT = cast("LambdaContext", _Context())


def event_text(name: str) -> str:
    """A provider's event as it stands in tests/events."""
    return (EVENTS / f"{name}.json").read_text()


def event_of(name: str, message_id: str, attempt: int, provider_id: str) -> str:
    """The event as the provider publishes it about this attempt, sent with this provider id."""
    text = event_text(name).replace(f"{SAMPLE_ID}.1", f"{message_id}.{attempt}")
    event: dict[str, Any] = json.loads(text.replace(SAMPLE_ID, message_id))
    mail = event.get("mail")
    if mail:
        mail["messageId"] = provider_id
        mail.setdefault("tags", {})["attempt"] = [str(attempt)]
    else:
        event.get("detail", event)["messageId"] = provider_id
        event.get("context", {})["attempt"] = str(attempt)
    return json.dumps(event)


def sns(message: str) -> dict[str, Any]:
    """The event with which SNS invokes a function."""
    notification = {"Message": message, "Timestamp": PUBLISHED_AT}
    return {"Records": [{"EventSource": "aws:sns", "Sns": notification}]}


def load(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(event_text(name))
    return event
