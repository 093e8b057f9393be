"""Sends WhatsApp messages with AWS End User Messaging Social, `SendWhatsAppMessage`."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from messaging.channels.provider_errors import provider_errors
from messaging.domain.content import Content, Delivery

if TYPE_CHECKING:
    from mypy_boto3_socialmessaging import EndUserMessagingSocialClient

SERVICE = "socialmessaging"


def channel(
    client: "EndUserMessagingSocialClient", setting: Callable[[str], str]
) -> "WhatsAppChannel":
    return WhatsAppChannel(client, setting("API_VERSION"))


class WhatsAppChannel:
    def __init__(self, client: "EndUserMessagingSocialClient", api_version: str) -> None:
        self._client = client
        self._api_version = api_version

    def send(self, delivery: Delivery) -> str:
        with provider_errors():
            response = self._client.send_whatsapp_message(
                originationPhoneNumberId=delivery.sender,
                message=json.dumps(_body(delivery), ensure_ascii=False).encode(),
                metaApiVersion=self._api_version,
            )
        return response["messageId"]


def _body(delivery: Delivery) -> dict[str, Any]:
    kind, content = _type_and_content(delivery.content)
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": delivery.to,
        "type": kind,
        kind: content,
        "biz_opaque_callback_data": str(delivery.attempt_id),
    }


def _type_and_content(content: Content) -> tuple[str, dict[str, Any]]:
    if content.template is not None:
        template = content.template
        return "template", {**template, "language": {"code": template["language"]}}
    if content.image is not None:
        return "image", dict(content.image)
    if content.document is not None:
        return "document", dict(content.document)
    return "text", {"preview_url": False, "body": content.text}
