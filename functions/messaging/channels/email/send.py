"""Sends email with Amazon SES, `SendEmail` of API v2."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from messaging.channels.provider_errors import provider_errors
from messaging.domain.content import Content, Delivery

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import BodyTypeDef, EmailContentTypeDef

SERVICE = "sesv2"


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
                FromEmailAddress=delivery.sender,
                Destination={"ToAddresses": [delivery.to]},
                Content=_content(delivery.content),
                ConfigurationSetName=self._configuration_set,
                EmailTags=[
                    {"Name": "message_id", "Value": attempt.message_id},
                    {"Name": "attempt", "Value": str(attempt.number)},
                ],
            )
        return response["MessageId"]


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
