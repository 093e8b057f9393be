"""Who may not: a function without its permission, and whoever publishes what no provider said."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import Throughline, eventually
from tests.support.aws import event_of, load

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

TO = {"sms": "+12065550159", "email": "ana@example.com"}


def endpoint(throughline: Throughline) -> str:
    return throughline.environment["AWS_ENDPOINT_URL"]


def send(throughline: Throughline, channel: str) -> str:
    return throughline.send(
        {
            "to": TO,
            "content": {"text": "Hi", "subject": "Hi"},
            "steps": [{"channel": channel, "wait_seconds": 60}],
        }
    )


@contextmanager
def without(iam: "IAMClient", role: str, action: str) -> Iterator[None]:
    """The role's policies with one action less."""
    taken = {}
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document: Any = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        if action in json.dumps(document):
            taken[name] = json.dumps(document)
            less = taken[name].replace(f'"{action}"', '"sts:GetCallerIdentity"')
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=less)
    assert taken, f"{role} may not {action} anyway"
    try:
        yield
    finally:
        for name, document in taken.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)


def test_a_function_without_its_permission_can_do_nothing(throughline: Throughline) -> None:
    iam: IAMClient = throughline.session.client("iam", endpoint_url=endpoint(throughline))
    roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    (role,) = (name for name in roles if "AcceptMessageRole" in name)
    body = {"to": TO, "content": {"text": "Hi"}, "steps": [{"channel": "sms", "wait_seconds": 5}]}

    with without(iam, role, "dynamodb:PutItem"):
        assert throughline.post(body).status >= 500
    with without(iam, role, "sqs:SendMessage"):
        assert throughline.post(body).status >= 500
    assert throughline.post(body).status == 202


def waiting(throughline: Throughline, message_id: str) -> dict[str, Any] | None:
    """The message while its one attempt is sent and waits."""
    message: dict[str, Any] = throughline.get(message_id).body
    return message if [one["status"] for one in message["attempts"]] == ["sent"] else None


def test_forged_events_change_nothing(throughline: Throughline) -> None:
    topic = throughline.environment["RECEIPTS_TOPIC_ARN"]
    topics = throughline.session.client("sns", endpoint_url=endpoint(throughline))
    sent = send(throughline, "sms")
    before = eventually(lambda: waiting(throughline, sent))
    sms, email, whatsapp = map(load, ("sms_TEXT_DELIVERED", "ses_Delivery", "whatsapp_delivered"))
    email["mail"]["tags"] = {"message_id": [sent], "attempt": ["1"]}
    entry = whatsapp["whatsAppWebhookEntry"].replace("01JEXAMPLE0000000000000001", sent)
    forged = [
        # The right attempt on the right channel, with an id that no send returned.
        {**sms, "context": {"message_id": sent, "attempt": "1"}},
        {**sms, "context": {"message_id": sent, "attempt": "1"}, "eventType": "TEXT_BLOCKED"},
        {**sms, "context": {"message_id": sent, "attempt": "2"}},
        {**sms, "context": {"message_id": sent, "attempt": "0"}},
        {**sms, "context": {"message_id": uuid.uuid4().hex, "attempt": "1"}},
        email,
        {**whatsapp, "whatsAppWebhookEntry": entry},
        {**whatsapp, "whatsAppWebhookEntry": "[" * 100_000},
        {**sms, "context": [sent]},
    ]
    for event in forged:
        topics.publish(TopicArn=topic, Message=json.dumps(event))
    # One that counts, so that there is something to wait for.
    [attempt] = before["attempts"]
    true = json.loads(event_of("sms_TEXT_QUEUED", sent, 1, attempt["provider_id"]))
    topics.publish(TopicArn=topic, Message=json.dumps(true))

    after = eventually(lambda: recorded(throughline, sent))
    assert (after["status"], after["attempts"]) == (before["status"], before["attempts"])
    words = [event["word"] for event in after["timeline"] if event["event"] == "receipt"]
    assert set(words) == {"TEXT_QUEUED"}


def recorded(throughline: Throughline, message_id: str) -> dict[str, Any] | None:
    message: dict[str, Any] = throughline.get(message_id).body
    return message if "TEXT_QUEUED" in json.dumps(message["timeline"]) else None


@pytest.fixture(autouse=True, scope="module")
def emptied(throughline: Throughline) -> Iterator[None]:
    """What is forged lies among the unrecorded receipts afterwards, and says nothing to others."""
    yield
    throughline.queues.purge_queue(
        QueueUrl=throughline.environment["UNRECORDED_RECEIPTS_QUEUE_URL"]
    )
