"""Sends email with Amazon SES, `SendEmail` of API v2."""

import json
import re
from collections.abc import Callable
from email.header import Header
from email.utils import formataddr
from typing import TYPE_CHECKING

from messaging.channels.provider_errors import provider_errors
from messaging.domain.content import Content, Delivery
from messaging.domain.errors import Refused

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import BodyTypeDef, EmailContentTypeDef

SERVICE = "sesv2"
MAX_ENCODED_WORD = 75  # RFC 2047, section 2
# A name before an address: in quotation marks, with escaped characters, or without.
_NAMED = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|([^<>]*?))\s*<([^<>]+)>')


def channel(client: "SESV2Client", setting: Callable[[str], str]) -> "EmailChannel":
    return EmailChannel(client, setting("CONFIGURATION_SET"))


class EmailChannel:
    def __init__(self, client: "SESV2Client", configuration_set: str) -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, delivery: Delivery) -> str:
        attempt = delivery.attempt_id
        with provider_errors():
            response = self._client.send_email(
                FromEmailAddress=_from_address(delivery.sender),
                Destination={"ToAddresses": [delivery.to]},
                Content=_content(delivery.content),
                ConfigurationSetName=self._configuration_set,
                EmailTags=[
                    {"Name": "message_id", "Value": attempt.message_id},
                    {"Name": "attempt", "Value": str(attempt.number)},
                ],
            )
        return response["MessageId"]


def _from_address(sender: str) -> str:
    """The sender in 7-bit ASCII, as SES requires: a name in other letters as encoded words (RFC
    2047), a domain in Punycode. A name with special characters is quoted (RFC 5322).

    Source: the parameter Source in
    https://docs.aws.amazon.com/ses/latest/APIReference/API_SendEmail.html.
    """
    named = _NAMED.fullmatch(sender)
    if named is None:
        return _ascii_address(sender)
    quoted, plain, address = named.groups()
    name = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    if name.isascii():
        return formataddr((name, _ascii_address(address)))
    words = Header(name, "utf-8", maxlinelen=MAX_ENCODED_WORD).encode(linesep="")
    return f"{words} <{_ascii_address(address)}>"


def _ascii_address(address: str) -> str:
    if address.isascii():
        return address
    import idna  # noqa: PLC0415 - adds to a cold start, and few senders need it

    local, _, domain = address.rpartition("@")
    if not local.isascii():
        raise Refused("the sender's address is not ASCII before the @")
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError as error:
        raise Refused("the sender's domain is not valid") from error


def _content(content: Content) -> "EmailContentTypeDef":
    if content.template is not None:
        data = json.dumps(content.template.get("data", {}), ensure_ascii=False)
        return {"Template": {"TemplateName": content.template["name"], "TemplateData": data}}
    body: BodyTypeDef = {}
    if content.text is not None:
        body["Text"] = {"Data": content.text, "Charset": "UTF-8"}
    if content.html is not None:
        body["Html"] = {"Data": content.html, "Charset": "UTF-8"}
    return {
        "Simple": {"Subject": {"Data": content.subject or "", "Charset": "UTF-8"}, "Body": body}
    }
