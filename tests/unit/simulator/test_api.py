"""The provider APIs as boto3 sees them: what is accepted, and how the rest is rejected."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.simulator import SENDER, Json, RunningSimulator, serving, simple

PHONE = "+14255550100"
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=test"}
SMS_CALL = {"X-Amz-Target": "PinpointSMSVoiceV2.SendTextMessage", **SIGNED}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with serving() as running:
        yield running


# --- SMS


@pytest.mark.parametrize(
    "fine",
    [
        {"OriginationIdentity": "arn:aws:sms-voice:us-east-1:123456789012:pool/pool-1"},
        {"TimeToLive": 5},
        {"TimeToLive": 259_200},
        {"Context": {f"k{number}": "v" * 800 for number in range(5)}},
        {"MessageBody": "a" * 1530},
        {"MessageBody": "ж" * 630},
        {"MaxPrice": "0.01"},
        {"DestinationPhoneNumber": "14255550100"},
    ],
    ids=str,
)
def test_sms_accepts_what_aws_accepts(running: RunningSimulator, fine: Json) -> None:
    assert running.send_sms(PHONE, **fine)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"DestinationPhoneNumber": "0425555"}, "DestinationPhoneNumber"),
        ({"DestinationPhoneNumber": "+1425555010000000000000"}, "DestinationPhoneNumber"),
        ({"OriginationIdentity": "Ana & Co"}, "OriginationIdentity"),
        ({"MessageBody": "a" * 1601}, "MessageBody"),
        ({"MessageBody": "a" * 1531}, "MessageBody"),
        ({"MessageBody": "€" * 766}, "MessageBody"),
        ({"MessageBody": "ж" * 631}, "MessageBody"),
        ({"MessageBody": " \n "}, "MessageBody"),
        ({"MessageType": "OTP"}, "MessageType"),
        ({"TimeToLive": 259_201}, "TimeToLive"),
        ({"Context": {f"k{number}": "v" for number in range(6)}}, "Context"),
        ({"Context": {"k" * 101: "v"}}, "Context"),
        ({"Context": {"a key": "v"}}, "Context"),
        ({"Context": {"k": "v" * 801}}, "Context"),
        ({"Context": {"k": " v"}}, "Context"),
        ({"ConfigurationSetName": "a set"}, "ConfigurationSetName"),
        ({"MaxPrice": "cheap"}, "MaxPrice"),
    ],
    ids=str,
)
def test_sms_names_the_invalid_field(running: RunningSimulator, wrong: Json, field: str) -> None:
    with pytest.raises(running.sms.exceptions.ValidationException) as refused:
        running.send_sms(PHONE, **wrong)

    answer: Any = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["Reason"] in ("FIELD_VALIDATION_FAILED", "INVALID_PARAMETER")
    assert {part["Name"] for part in answer["Fields"]} == {field}
    assert answer["Message"]


def test_sms_over_the_price_limit_is_not_sent(running: RunningSimulator) -> None:
    with pytest.raises(running.sms.exceptions.ValidationException) as refused:
        running.send_sms(PHONE, MessageBody="a" * 161, MaxPrice="0.011")

    answer: Any = refused.value.response
    assert answer["Reason"] == "PRICE_OVER_THRESHOLD"


def test_a_dry_run_sends_nothing(running: RunningSimulator) -> None:
    provider_id = running.send_sms(PHONE, DryRun=True)

    call = running.get(f"/sent?message_id={provider_id}")[0]
    assert (call["receipts"], call["note"]) == (
        [],
        "The request is a dry run, so no message is sent.",
    )


@pytest.mark.parametrize(
    ("to", "exception", "status", "members"),
    [
        (
            "+14255550110",
            "ConflictException",
            400,
            {"Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"},
        ),
        (
            "+12065550111",
            "ValidationException",
            400,
            {"Reason": "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY"},
        ),
        (
            "+14255550112",
            "ServiceQuotaExceededException",
            400,
            {"Reason": "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"},
        ),
        ("+14255550113", "AccessDeniedException", 400, {"Reason": "ACCOUNT_DISABLED"}),
        ("+14255550141", "ThrottlingException", 400, {}),
        ("+14255550145", "InternalServerException", 500, {}),
    ],
)
def test_sms_is_rejected_with_the_errors_of_aws(
    running: RunningSimulator, to: str, exception: str, status: int, members: Json
) -> None:
    with pytest.raises(getattr(running.sms.exceptions, exception)) as refused:
        running.send_sms(to)

    answer: Any = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert answer["Message"]
    assert members.items() <= answer.items()
    assert "Fields" not in answer


# --- WhatsApp


TEXT = {"messaging_product": "whatsapp", "to": PHONE, "type": "text", "text": {"body": "Hello"}}
OTP = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": PHONE,
    "type": "template",
    "template": {
        "name": "example_otp",
        "language": {"code": "en_US"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "123456"}]},
            {
                "type": "button",
                "sub_type": "url",
                "index": "0",
                "parameters": [{"type": "text", "text": "123456"}],
            },
        ],
    },
}


def media(kind: str, **members: object) -> Json:
    return {"messaging_product": "whatsapp", "to": PHONE, "type": kind, kind: members}


def template(**members: object) -> Json:
    whole = {"name": "login_code", "language": {"code": "en"}} | members
    return {"messaging_product": "whatsapp", "to": PHONE, "type": "template", "template": whole}


@pytest.mark.parametrize(
    "message",
    [
        TEXT,
        TEXT | {"text": {"body": "a" * 4096, "preview_url": True}},
        OTP,
        template(components=[]),
        media("image", link="https://example.com/a.png", caption="Your receipt"),
        media("image", id="530339869524171"),
        media("document", link="https://example.com/a.pdf", filename="a.pdf"),
        template(
            components=[
                {
                    "type": "header",
                    "parameters": [
                        {"type": "image", "image": {"link": "https://example.com/a.png"}}
                    ],
                }
            ]
        ),
    ],
    ids=lambda message: message["type"],
)
def test_whatsapp_accepts_what_meta_accepts(running: RunningSimulator, message: Json) -> None:
    assert running.send_message(message)


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ({**TEXT, "to": None}, "to"),
        ({**TEXT, "to": "Ana"}, "to"),
        ({**TEXT, "messaging_product": "sms"}, "messaging_product"),
        ({**TEXT, "recipient_type": "crowd"}, "recipient_type"),
        ({**TEXT, "type": "letter"}, "type"),
        ({**TEXT, "text": "Hello"}, "text"),
        ({**TEXT, "text": {"body": ""}}, "body"),
        ({**TEXT, "text": {"body": "a" * 4097}}, "body"),
        ({**TEXT, "text": {"body": "a", "preview_url": "yes"}}, "preview_url"),
        ({**TEXT, "biz_opaque_callback_data": "a" * 257}, "biz_opaque_callback_data"),
        ({**TEXT, "biz_opaque_callback_data": 7}, "biz_opaque_callback_data"),
        (media("image"), "id or link"),
        (media("image", id="1", link="https://example.com/a.png"), "id or link"),
        (media("image", link="file:///a.png"), "link"),
        (media("document", link="https://example.com/a.pdf", caption="a" * 1025), "caption"),
        (template(name="Login code"), "template name"),
        (template(language="en_US"), "language"),
        (template(language={"code": "English"}), "language code"),
        (template(components={}), "components"),
        (template(components=[{"type": "footnote"}]), "component type"),
        (template(components=[{"type": "button", "sub_type": "url"}]), "button index"),
        (template(components=[{"type": "button", "index": "0"}]), "sub_type"),
        (template(components=[{"type": "body", "parameters": [{"text": "1"}]}]), "type"),
        (template(components=[{"type": "body", "parameters": [{"type": "text"}]}]), "text"),
        (template(components=[{"type": "body", "parameters": [{"type": "currency"}]}]), "currency"),
    ],
    ids=str,
)
def test_whatsapp_names_the_invalid_member(
    running: RunningSimulator, message: Json, names: str
) -> None:
    with pytest.raises(running.whatsapp.exceptions.InvalidParametersException, match=names):
        running.send_message(message)


@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"to": "\\ud800"}', b"[" * 100_000, b"7"])
def test_whatsapp_rejects_what_is_not_a_message(running: RunningSimulator, raw: bytes) -> None:
    with pytest.raises(running.whatsapp.exceptions.InvalidParametersException):
        running.whatsapp.send_whatsapp_message(
            originationPhoneNumberId=SENDER, metaApiVersion="v20.0", message=raw
        )


@pytest.mark.parametrize(
    ("sender", "version"),
    [
        ("+12065550100", "v20.0"),
        (SENDER, "20"),
        (SENDER, "latest"),
        (f"{SENDER}{'0' * 100}", "v20.0"),
    ],
)
def test_whatsapp_checks_its_own_parameters(
    running: RunningSimulator, sender: str, version: str
) -> None:
    with pytest.raises(running.whatsapp.exceptions.ValidationException):
        running.whatsapp.send_whatsapp_message(
            originationPhoneNumberId=sender,
            metaApiVersion=version,
            message=json.dumps(TEXT).encode(),
        )


@pytest.mark.parametrize(
    ("to", "exception", "status"),
    [
        ("+14255550110", "ResourceNotFoundException", 404),
        ("+14255550111", "InvalidParametersException", 400),
        ("+14255550113", "AccessDeniedException", 403),
        ("+14255550141", "ThrottledRequestException", 429),
        ("+14255550142", "DependencyException", 502),
        ("+14255550145", "InternalServiceException", 500),
    ],
)
def test_whatsapp_is_rejected_with_the_errors_of_aws(
    running: RunningSimulator, to: str, exception: str, status: int
) -> None:
    with pytest.raises(getattr(running.whatsapp.exceptions, exception)) as refused:
        running.send_whatsapp(to)

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


# --- email


@pytest.mark.parametrize(
    "fine",
    [
        {"Content": {"Raw": {"Data": b"Subject: Hello\r\n\r\nAna"}}},
        {"Content": {"Template": {"TemplateName": "Hello", "TemplateData": '{"name": "Ana"}'}}},
        {"Content": {"Template": {"TemplateContent": {"Subject": "s", "Text": "t"}}}},
        {"Destination": {"ToAddresses": ["Ana <ana@example.com>"] * 50}},
        {"EmailTags": [{"Name": "n" * 256, "Value": "v" * 256}]},
        {"ReplyToAddresses": ["help@example.com"]},
        {"FromEmailAddress": '"Shop: Doe, Jane" <a@example.com>'},
        {"FromEmailAddress": "=?utf-8?b?R3LDvMOfZQ==?= <a@xn--bcher-kva.example>"},
    ],
    ids=str,
)
def test_email_accepts_what_aws_accepts(running: RunningSimulator, fine: Json) -> None:
    assert running.send_email("ana@example.com", **fine)


def simple_with(header: Json) -> Json:
    content = simple("s", "t")
    content["Simple"]["Headers"] = [header]
    return {"Content": content}


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"Content": {}}, "exactly one of"),
        ({"Content": simple("s", "t") | {"Raw": {"Data": b"x"}}}, "exactly one of"),
        ({"Content": {"Simple": {"Subject": {"Data": "s"}, "Body": {}}}}, "Text or Html"),
        ({"Content": {"Template": {"TemplateData": "{}"}}}, "exactly one of"),
        ({"Content": {"Template": {"TemplateName": "n", "TemplateData": "{"}}}, "TemplateData"),
        ({"Content": {"Template": {"TemplateName": "n", "TemplateData": "7"}}}, "TemplateData"),
        ({"Content": simple("Hello\r\nBcc: eve@example.com", "t")}, "Subject"),
        ({"Destination": {"ToAddresses": ["a@example.com\r\nBcc: eve@example.com"]}}, "control"),
        ({"FromEmailAddress": "A\n <a@example.com>"}, "control"),
        ({"FromEmailAddress": "Grüße <a@example.com>"}, "control or whitespace"),
        ({"FromEmailAddress": "ä@example.com"}, "control or whitespace"),
        ({"FromEmailAddress": "a@bücher.example"}, "Domain contains illegal character"),
        ({"Destination": {"ToAddresses": ["a@bücher.example"]}}, "illegal character"),
        ({"FromEmailAddress": "Doe, Jane <a@example.com>"}, "illegal"),
        ({"FromEmailAddress": "Shop: Jane <a@example.com>"}, "illegal"),
        (simple_with({"Name": "X-Order", "Value": "42\r\nBcc: eve@example.com"}), "pattern"),
        (simple_with({"Name": "X Order", "Value": "42"}), "pattern"),
        (simple_with({"Name": "X" * 126, "Value": "4" * 900}), "header"),
        ({"Destination": {}}, "recipient"),
        ({"Destination": {"ToAddresses": ["ana@example.com"] * 51}}, "Recipient count"),
        ({"Destination": {"ToAddresses": ["ana"]}}, "@domain"),
        ({"Destination": {"ToAddresses": ["ana@"]}}, "illegal"),
        ({"Destination": {"ToAddresses": ["a@example.com, b@example.com"]}}, "illegal"),
        ({"FromEmailAddress": ""}, "FromEmailAddress"),
        ({"EmailTags": [{"Name": "a tag", "Value": "v"}]}, "tag's name"),
        ({"EmailTags": [{"Name": "tag", "Value": "m1.1"}]}, "tag's value"),
        ({"EmailTags": [{"Name": "tag", "Value": "v" * 257}]}, "tag's value"),
        ({"ConfigurationSetName": "arn:aws:ses:x"}, "ConfigurationSetName"),
    ],
    ids=str,
)
def test_email_names_what_is_invalid(running: RunningSimulator, wrong: Json, names: str) -> None:
    with pytest.raises(running.email.exceptions.BadRequestException, match=names):
        running.send_email("ana@example.com", **wrong)


@pytest.mark.parametrize(
    ("to", "code", "status"),
    [
        ("refused@example.com", "MessageRejected", 400),
        ("paused@example.com", "SendingPausedException", 400),
        ("suspended@example.com", "AccountSuspendedException", 400),
        ("unverified@example.com", "MailFromDomainNotVerifiedException", 400),
        ("always-throttled@example.com", "TooManyRequestsException", 429),
        ("server-error@example.com", "InternalFailure", 500),
    ],
)
def test_email_is_rejected_with_the_errors_of_aws(
    running: RunningSimulator, to: str, code: str, status: int
) -> None:
    with pytest.raises(ClientError) as refused:
        running.send_email(to)

    answer: Any = refused.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


# --- the protocols


def test_an_unknown_operation_is_rejected(running: RunningSimulator) -> None:
    with pytest.raises(ClientError, match="UnknownOperationException"):
        running.sms.describe_phone_numbers()
    with pytest.raises(ClientError, match="UnknownOperationException"):
        running.whatsapp.list_linked_whatsapp_business_accounts()
    with pytest.raises(ClientError, match="UnknownOperationException"):
        running.email.get_account()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"[]", "SerializationException"),
        (b'{"DestinationPhoneNumber": 14255550100, "MessageBody": "Hi"}', "SerializationException"),
        (b'{"DestinationPhoneNumber": "+14255550100", "MessageBody": null}', "ValidationException"),
        (b'{"MessageBody": "Hi"}', "ValidationException"),
    ],
)
def test_an_invalid_body_that_boto3_would_not_send_is_rejected(
    running: RunningSimulator, body: bytes, code: str
) -> None:
    status, answer = running.ask("POST", "/", body, **SMS_CALL)

    assert (status, answer["__type"]) == (400, code)


def test_a_message_that_is_not_base64_is_rejected(running: RunningSimulator) -> None:
    body = {"originationPhoneNumberId": SENDER, "metaApiVersion": "v20.0", "message": "{}"}
    status, answer = running.ask("POST", "/v1/whatsapp/send", body, **SIGNED)

    assert (status, answer) == (400, {"message": "message is not base64"})


def test_an_unsigned_request_is_rejected(running: RunningSimulator) -> None:
    status, answer = running.ask("POST", "/", {}, **{"X-Amz-Target": SMS_CALL["X-Amz-Target"]})

    assert (status, answer["__type"]) == (403, "MissingAuthenticationTokenException")


def test_a_request_that_is_too_large_is_rejected_unread(running: RunningSimulator) -> None:
    # No client of ours sends a length that is not the body's.
    headers = {"Content-Length": str(2**30), **SIGNED}
    with closing(HTTPConnection("127.0.0.1", running.port, timeout=60)) as connection:
        connection.request("POST", "/v2/email/outbound-emails", b"", headers)
        answer = connection.getresponse()
        told = answer.status, json.loads(answer.read())

    assert told == (413, {"message": "A request can have at most 67108864 bytes"})
