"""What each channel asks of its API, and what it makes of the answer."""

import json
from email.header import decode_header, make_header
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.stub import ANY, Stubber

from messaging.channels import Channel
from messaging.channels.email.send import EmailChannel
from messaging.channels.sms.send import SmsChannel
from messaging.channels.whatsapp.send import WhatsAppChannel
from messaging.domain.content import Content, Delivery
from messaging.domain.errors import Ambiguous, Refused, Unavailable
from messaging.domain.messages import AttemptId

KEYS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "fake",
    "aws_secret_access_key": "fake",
    "config": Config(retries={"total_max_attempts": 1}),
}
URL = "https://example.com"


def delivery(content: Content, to: str = "+14255550156", **changes: Any) -> Delivery:
    facts: dict[str, Any] = {"sender": "sender", "category": "utility", "valid_seconds": 45}
    return Delivery(AttemptId("m1", 2), to, content=content, **(facts | changes))


def test_an_sms_carries_its_attempt_its_validity_and_its_type() -> None:
    client = boto3.client("pinpoint-sms-voice-v2", **KEYS)
    with Stubber(client) as stub:
        stub.add_response(
            "send_text_message",
            {"MessageId": "862a8790"},
            {
                "DestinationPhoneNumber": "+14255550156",
                "OriginationIdentity": "sender",
                "MessageBody": "hi",
                "MessageType": "TRANSACTIONAL",
                "ConfigurationSetName": "set",
                "TimeToLive": 45,
                "Context": {"message_id": "m1", "attempt": "2"},
            },
        )
        assert SmsChannel(client, "set").send(delivery(Content(text="hi"))) == "862a8790"


@pytest.mark.parametrize(
    ("category", "message_type"),
    [
        ("authentication", "TRANSACTIONAL"),
        ("utility", "TRANSACTIONAL"),
        ("marketing", "PROMOTIONAL"),
    ],
)
def test_the_category_decides_the_sms_type(category: str, message_type: str) -> None:
    client = boto3.client("pinpoint-sms-voice-v2", **KEYS)
    expected = dict.fromkeys(
        (
            "DestinationPhoneNumber",
            "OriginationIdentity",
            "MessageBody",
            "ConfigurationSetName",
            "TimeToLive",
            "Context",
        ),
        ANY,
    )
    with Stubber(client) as stub:
        stub.add_response(
            "send_text_message", {"MessageId": "1"}, {**expected, "MessageType": message_type}
        )
        SmsChannel(client, "set").send(delivery(Content(text="hi"), category=category))


def whatsapp_body(content: Content) -> dict[str, Any]:
    client, sent = boto3.client("socialmessaging", **KEYS), []

    def keep(params: dict[str, Any], **_: Any) -> None:
        sent.append(params)

    client.meta.events.register("provide-client-params.socialmessaging.*", keep)
    with Stubber(client) as stub:
        stub.add_response("send_whatsapp_message", {"messageId": "6d69f07a"})
        assert WhatsAppChannel(client, "v24.0").send(delivery(content)) == "6d69f07a"
    assert sent[0]["originationPhoneNumberId"] == "sender"
    assert sent[0]["metaApiVersion"] == "v24.0"
    body: dict[str, Any] = json.loads(sent[0]["message"])
    return body


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (Content(text="Café €5 😀"), "text", {"preview_url": False, "body": "Café €5 😀"}),
        (
            Content(template={"name": "login_code", "language": "en_US", "components": [{}]}),
            "template",
            {"name": "login_code", "language": {"code": "en_US"}, "components": [{}]},
        ),
        (
            Content(image={"link": URL, "caption": "A map"}),
            "image",
            {"link": URL, "caption": "A map"},
        ),
        (
            Content(document={"link": URL, "filename": "invoice.pdf"}),
            "document",
            {"link": URL, "filename": "invoice.pdf"},
        ),
    ],
)
def test_whatsapp_gets_metas_format(content: Content, kind: str, said: dict[str, Any]) -> None:
    assert whatsapp_body(content) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+14255550156",
        "type": kind,
        kind: said,
        "biz_opaque_callback_data": "m1.2",
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            Content(subject="Hi", text="hi"),
            {
                "Simple": {
                    "Subject": {"Data": "Hi", "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": "hi", "Charset": "UTF-8"}},
                }
            },
        ),
        (
            Content(subject="Hi", html="<b>hi</b>"),
            {
                "Simple": {
                    "Subject": {"Data": "Hi", "Charset": "UTF-8"},
                    "Body": {"Html": {"Data": "<b>hi</b>", "Charset": "UTF-8"}},
                }
            },
        ),
        (
            Content(template={"name": "order", "data": {"name": "Ana 😀"}}),
            {"Template": {"TemplateName": "order", "TemplateData": '{"name": "Ana 😀"}'}},
        ),
        (
            Content(template={"name": "order"}),
            {"Template": {"TemplateName": "order", "TemplateData": "{}"}},
        ),
    ],
)
def test_an_email_carries_its_attempt_in_its_tags(content: Content, said: dict[str, Any]) -> None:
    client = boto3.client("sesv2", **KEYS)
    with Stubber(client) as stub:
        stub.add_response(
            "send_email",
            {"MessageId": "0100"},
            {
                "FromEmailAddress": "sender",
                "Destination": {"ToAddresses": ["ana@example.com"]},
                "Content": said,
                "ConfigurationSetName": "set",
                "EmailTags": [
                    {"Name": "message_id", "Value": "m1"},
                    {"Name": "attempt", "Value": "2"},
                ],
            },
        )
        assert EmailChannel(client, "set").send(delivery(content, to="ana@example.com")) == "0100"


def from_address(sender: str) -> str:
    """What SES is asked to show as the sender."""
    client, sent = boto3.client("sesv2", **KEYS), []
    client.meta.events.register(
        "provide-client-params.sesv2.*", lambda params, **_: sent.append(params)
    )
    with Stubber(client) as stub:
        stub.add_response("send_email", {"MessageId": "0100"})
        EmailChannel(client, "set").send(delivery(Content(subject="Hi", text="hi"), sender=sender))
    asked: str = sent[0]["FromEmailAddress"]
    return asked


@pytest.mark.parametrize(
    ("sender", "asked"),
    [
        ("hello@example.com", "hello@example.com"),
        ("Throughline <hello@example.com>", "Throughline <hello@example.com>"),
        ('"Doe, Jane" <jane@example.com>', '"Doe, Jane" <jane@example.com>'),
        ("J. Doe (Shop) <jane@example.com>", '"J. Doe (Shop)" <jane@example.com>'),
        ("Doe, Jane <jane@example.com>", '"Doe, Jane" <jane@example.com>'),
        (r'"Jane \"JD\" Doe" <jane@example.com>', r'"Jane \"JD\" Doe" <jane@example.com>'),
        ("<jane@example.com>", "jane@example.com"),
        ("Grüße <hello@example.com>", "=?utf-8?b?R3LDvMOfZQ==?= <hello@example.com>"),
        ('"Grüße, J." <a@example.com>', "=?utf-8?b?R3LDvMOfZSwgSi4=?= <a@example.com>"),
        ("Jane <a@bücher.example>", "Jane <a@xn--bcher-kva.example>"),
        ("hello@straße.example", "hello@xn--strae-oqa.example"),
    ],
)
def test_the_sender_of_an_email_is_seven_bit_ascii(sender: str, asked: str) -> None:
    assert from_address(sender) == asked


@pytest.mark.parametrize("name", ["ж" * 200, "Người nhận a very very long name (Shop, Co.)"])
def test_a_long_name_is_several_encoded_words_of_at_most_75_characters(name: str) -> None:
    words = from_address(f'"{name}" <hello@example.com>').removesuffix(" <hello@example.com>")

    assert max(len(word) for word in words.split()) <= 75  # RFC 2047, section 2
    assert str(make_header(decode_header(words))) == name


@pytest.mark.parametrize("sender", ["jö@example.com", "Jane <jane@exa mple.ж>"])
def test_a_sender_that_cannot_be_ascii_is_refused(sender: str) -> None:
    with pytest.raises(Refused, match="the sender's"):
        from_address(sender)


@pytest.fixture(scope="module")
def channels() -> list[tuple[str, Any, Channel]]:
    """Each channel with its client and its operation."""
    sms = boto3.client("pinpoint-sms-voice-v2", **KEYS)
    whatsapp = boto3.client("socialmessaging", **KEYS)
    email = boto3.client("sesv2", **KEYS)
    return [
        ("send_text_message", sms, SmsChannel(sms, "set")),
        ("send_whatsapp_message", whatsapp, WhatsAppChannel(whatsapp, "v24.0")),
        ("send_email", email, EmailChannel(email, "set")),
    ]


@pytest.mark.parametrize(
    ("code", "status", "verdict"),
    [
        ("ThrottlingException", 400, Unavailable),
        ("ThrottledRequestException", 429, Unavailable),
        ("TooManyRequestsException", 429, Unavailable),
        ("LimitExceededException", 400, Unavailable),
        ("InternalServerException", 500, Ambiguous),
        ("InternalServiceException", 500, Ambiguous),
        ("DependencyException", 502, Ambiguous),
        ("ServiceUnavailable", 503, Ambiguous),
        ("ConflictException", 400, Refused),
        ("ValidationException", 400, Refused),
        ("ServiceQuotaExceededException", 400, Refused),
        ("AccessDeniedException", 403, Refused),
        ("ResourceNotFoundException", 404, Refused),
        ("MessageRejected", 400, Refused),
        ("MailFromDomainNotVerifiedException", 400, Refused),
        ("SendingPausedException", 400, Refused),
    ],
)
def test_a_providers_no_is_refused_busy_or_perhaps_sent(
    channels: list[tuple[str, Any, Channel]], code: str, status: int, verdict: type[Exception]
) -> None:
    for operation, client, channel in channels:
        with Stubber(client) as stub:
            stub.add_client_error(operation, code, "+14255550156 said no", status)
            with pytest.raises(verdict, match=f"^{code}$"):
                channel.send(delivery(Content(text="hi", subject="Hi")))


def test_a_refusal_names_the_reason_but_no_number(
    channels: list[tuple[str, Any, Channel]],
) -> None:
    _, client, channel = channels[0]
    with Stubber(client) as stub:
        stub.add_client_error(
            "send_text_message",
            "ConflictException",
            "+14255550156 has opted out",
            modeled_fields={"Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"},
        )
        with pytest.raises(
            Refused, match=r"^ConflictException DESTINATION_PHONE_NUMBER_OPTED_OUT$"
        ):
            channel.send(delivery(Content(text="hi")))


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (EndpointConnectionError(endpoint_url=URL), Unavailable),
        (ConnectTimeoutError(endpoint_url=URL), Unavailable),
        (ReadTimeoutError(endpoint_url=URL), Ambiguous),
        (ConnectionClosedError(endpoint_url=URL), Ambiguous),
    ],
)
def test_a_broken_line_is_safe_only_before_the_request_went_out(
    channels: list[tuple[str, Any, Channel]], error: Exception, verdict: type[Exception]
) -> None:
    def fails(**_: Any) -> None:
        raise error

    for _, client, channel in channels:
        client.meta.events.register("before-send.*", fails)
        with pytest.raises(verdict, match=type(error).__name__):
            channel.send(delivery(Content(text="hi", subject="Hi")))
        client.meta.events.unregister("before-send.*", fails)
