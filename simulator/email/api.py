"""SendEmail of Amazon SES (API v2), validated as SES does."""

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import getaddresses, parseaddr

from simulator.aws_model import AwsError, AwsOperation, Json, aws_operation, validation_message
from simulator.email.events import destinations, ses_event
from simulator.email.phone import PHONE
from simulator.provider import (
    AcceptedMessage,
    AwsAccount,
    PhoneView,
    ProviderRequest,
    milliseconds,
)

# https://docs.aws.amazon.com/ses/latest/dg/quotas.html
MAX_RECIPIENTS = 50
MAX_HEADER = 996
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_SET_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_SEPARATORS = frozenset(":;")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ADDRESS = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def provider(account: AwsAccount) -> "EmailProvider":
    return EmailProvider(account)


@dataclass(frozen=True)
class EmailProvider:
    """`POST /v2/email/outbound-emails` of the service sesv2."""

    account: AwsAccount
    channel: str = "email"
    throttling_error: str = "TooManyRequestsException"
    phone: PhoneView = PHONE
    two_way: None = None

    @property
    def operation(self) -> AwsOperation:
        return aws_operation("sesv2", "SendEmail")

    def parse(self, body: Json) -> ProviderRequest:
        if violations := self.operation.violations(body):
            raise _bad(validation_message(violations))
        _check_addresses(body)
        _check_content(body["Content"])
        tags = body.get("EmailTags") or []
        _check_tags(tags)
        _check_set(body.get("ConfigurationSetName"))
        to = parseaddr(destinations(body)[0])[1]
        echo = {tag["Name"]: tag["Value"] for tag in tags}
        return ProviderRequest(
            body=body,
            to=to,
            echo=echo,
            message_id=echo.get("message_id"),
            attempt=echo.get("attempt"),
            listed_as=_without_label(to),
            publishes_events="ConfigurationSetName" in body,
        )

    def new_provider_id(self) -> str:
        return f"0100{milliseconds(datetime.now(UTC)):012x}-{uuid.uuid4()}-000000"

    def response(self, provider_id: str) -> Json:
        return {"MessageId": provider_id}

    def receipt_event(self, message: AcceptedMessage, receipt_type: str, at: datetime) -> Json:
        return ses_event(self.account, message, receipt_type, at)


def _without_label(address: str) -> str:
    """The address in lower case, without the `+label` of its local part."""
    local, _, domain = address.lower().partition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _check_addresses(body: Json) -> None:
    sender = body.get("FromEmailAddress")
    if not sender and "Raw" not in body["Content"]:
        raise _bad("FromEmailAddress is missing")
    recipients = destinations(body)
    if not recipients:
        raise _bad("There is no recipient")
    if len(recipients) > MAX_RECIPIENTS:
        raise _bad(f"Recipient count exceeds {MAX_RECIPIENTS}")
    for address in [*recipients, *body.get("ReplyToAddresses", []), *([sender] if sender else [])]:
        _check_address(address)


def _check_address(address: str) -> None:
    if _CONTROL.search(address):
        raise _bad("Address contains control characters")
    if "@" not in address:
        raise _bad("Missing final '@domain'")
    _check_characters(address)
    parts = getaddresses([address])
    if len(parts) != 1 or not _ADDRESS.fullmatch(parts[0][1]):
        raise _bad("Address is illegal")


def _check_characters(address: str) -> None:
    """SES does not support SMTPUTF8: an address is 7-bit ASCII, with its domain in Punycode and its
    name as encoded words.

    Sources: the parameter Source in
    https://docs.aws.amazon.com/ses/latest/APIReference/API_SendEmail.html; for the messages
    github.com/18F/identity-idp/pull/7380, github.com/openstax/accounts/issues/253 and
    github.com/boto/botocore/issues/1774.
    """
    before, _, domain = address.rpartition("@")
    if not domain.isascii():
        raise _bad("Domain contains illegal character")
    if not before.isascii():
        raise _bad("Local address contains control or whitespace")
    if not _SEPARATORS.isdisjoint(_QUOTED.sub("", address)):
        raise _bad("Local address contains illegal character")


def _check_content(content: Json) -> None:
    kinds = [kind for kind in ("Simple", "Raw", "Template") if content.get(kind) is not None]
    if len(kinds) != 1:
        raise _bad("Content must have exactly one of Simple, Raw and Template")
    if "Simple" in content:
        _check_simple(content["Simple"])
    if "Template" in content:
        _check_template(content["Template"])


def _check_simple(simple: Json) -> None:
    if _CONTROL.search(simple["Subject"]["Data"]):
        raise _bad("Subject contains control characters")
    if not any(simple["Body"].get(form) for form in ("Text", "Html")):
        raise _bad("Body must have Text or Html")
    _check_headers(simple.get("Headers", []))


def _check_template(template: Json) -> None:
    names = ("TemplateName", "TemplateArn", "TemplateContent")
    if sum(template.get(name) is not None for name in names) != 1:
        raise _bad(f"Template must have exactly one of {', '.join(names)}")
    try:
        data = json.loads(template.get("TemplateData", "{}"))
    except json.JSONDecodeError as error:
        raise _bad("TemplateData is not JSON") from error
    if not isinstance(data, dict):
        raise _bad("TemplateData is not a JSON object")
    _check_headers(template.get("Headers", []))


def _check_headers(headers: Iterable[Json]) -> None:
    for header in headers:
        if len(header["Name"]) + len(header["Value"]) > MAX_HEADER:
            raise _bad(f"A header can have at most {MAX_HEADER} characters")


def _check_tags(tags: Iterable[Json]) -> None:
    for tag in tags:
        for part in ("Name", "Value"):
            if not _TAG.fullmatch(tag[part]):
                raise _bad(f"A tag's {part.lower()} must have 1 to 256 of A-Z a-z 0-9 _ -")


def _check_set(name: str | None) -> None:
    if name is not None and not _SET_NAME.fullmatch(name):
        raise _bad("ConfigurationSetName must have 1 to 64 of A-Z a-z 0-9 _ -")


def _bad(message: str) -> AwsError:
    return AwsError("BadRequestException", message)
