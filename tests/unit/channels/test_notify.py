"""SMS from a Notify configuration: what is asked of AWS, and what a request may contain."""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from messaging.api import requests
from messaging.channels.sms.send import SmsChannel
from messaging.domain.content import Content, Delivery, content
from messaging.domain.errors import InvalidRequest
from messaging.domain.messages import AttemptId

NOTIFY = "arn:aws:sms-voice:us-east-1:123456789012:notify-configuration/nc-1234567890abcdef0"
TEMPLATE = {"name": "notify-code-verification-english-001", "data": {"code": "123456"}}
NUMBER = "+12065550100"
CODE: dict[str, Any] = {
    "to": {"sms": "+14255550156"},
    "content": {"sms": {"template": TEMPLATE}},
    "steps": [{"channel": "sms"}],
}
NEEDS_TEMPLATE = "must contain a template: a Notify configuration sends no other text"
VARIABLE_NAME = "can contain up to 64 letters, digits and _"
NEEDS_TEXT = "must contain a text: only a Notify configuration sends templates"


def problems(body: dict[str, Any], sender: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as error:
        requests.check(body, {"sms": sender})
    return [(one.pointer, one.detail) for one in error.value.problems]


@pytest.mark.parametrize("sender", ["nc-1234567890abcdef0", NOTIFY])
def test_a_template_carries_its_attempt_its_validity_and_its_values(sender: str) -> None:
    client = boto3.client(
        "pinpoint-sms-voice-v2",
        region_name="us-east-1",
        aws_access_key_id="fake",
        aws_secret_access_key="fake",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with Stubber(client) as stub:
        stub.add_response(
            "send_notify_text_message",
            {"MessageId": "862a8790"},
            {
                "NotifyConfigurationId": sender,
                "DestinationPhoneNumber": "+14255550156",
                "TemplateId": TEMPLATE["name"],
                "TemplateVariables": {"code": "123456"},
                "ConfigurationSetName": "set",
                "TimeToLive": 45,
                "Context": {"message_id": "m1", "attempt": "2"},
            },
        )
        delivery = Delivery(
            AttemptId("m1", 2),
            "+14255550156",
            sender,
            Content(template=TEMPLATE),
            "authentication",
            45,
        )
        assert SmsChannel(client, "set").send(delivery) == "862a8790"


def test_a_template_replaces_the_text_of_the_whole_message() -> None:
    body = {**CODE, "content": {"text": "Your code is 123456.", **CODE["content"]}}
    document = requests.check(body, {"sms": NOTIFY}).document

    assert content(document, document["steps"][0], "sms") == Content(template=TEMPLATE)


@pytest.mark.parametrize(
    ("said", "sender", "sentence"),
    [
        ({"text": "Your code is 123456."}, NOTIFY, NEEDS_TEMPLATE),
        ({}, NOTIFY, NEEDS_TEMPLATE),
        ({"sms": {"template": TEMPLATE}}, NUMBER, NEEDS_TEXT),
    ],
)
def test_the_content_must_suit_the_stacks_sender(
    said: dict[str, Any], sender: str, sentence: str
) -> None:
    assert problems({**CODE, "content": said}, sender) == [("/content/sms", sentence)]


def test_the_content_must_suit_the_requests_own_sender() -> None:
    assert requests.check({**CODE, "from": {"sms": NOTIFY}}, {"sms": NUMBER})
    assert problems({**CODE, "from": {"sms": NUMBER}}, NOTIFY) == [("/content/sms", NEEDS_TEXT)]


def test_a_sender_id_that_begins_like_a_configuration_sends_texts() -> None:
    assert requests.check({**CODE, "content": {"text": "Your code is 1."}}, {"sms": "nc-shop"})


def test_an_invalid_sender_is_the_only_problem() -> None:
    assert [at for at, _ in problems({**CODE, "from": {"sms": "my shop"}}, NOTIFY)] == ["/from/sms"]


@pytest.mark.parametrize(
    ("template", "pointer", "sentence"),
    [
        ({"data": {"code": "1"}}, "/name", "is required"),
        ({"name": "no spaces"}, "/name", "can contain up to 256 letters, digits, _ and -"),
        ({"name": "a", "data": {"code": ""}}, "/data/code", "must not be empty"),
        ({"name": "a", "data": {"code": 1}}, "/data/code", "must be a string"),
        ({"name": "a", "data": {"a b": "1"}}, "/data/a b", VARIABLE_NAME),
    ],
)
def test_an_invalid_template_is_refused(
    template: dict[str, Any], pointer: str, sentence: str
) -> None:
    body = {**CODE, "content": {"sms": {"template": template}}}

    assert problems(body, NOTIFY) == [(f"/content/sms/template{pointer}", sentence)]


def test_text_and_template_exclude_each_other() -> None:
    body = {**CODE, "content": {"sms": {"text": "123456", "template": TEMPLATE}}}

    assert problems(body, NOTIFY) == [("/content/sms", "must contain either text or template")]
