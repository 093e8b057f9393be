"""A WhatsApp message on the phone: its sender and content, and the event of a reply to it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.aws_model import Json
from simulator.provider import (
    AcceptedMessage,
    AwsAccount,
    PhoneState,
    PhoneView,
    RecipientReply,
)
from simulator.whatsapp.authentication import BUTTON, TEXT, code_of
from simulator.whatsapp.events import DISPLAY_NUMBER, ERRORS, RECEIPT_TYPES, envelope, wamid
from simulator.whatsapp.message import MAX_TEXT

_NOT_FAILED = {
    "accepted": PhoneState.IN_TRANSIT,
    "sent": PhoneState.IN_TRANSIT,
    "warning": PhoneState.IN_TRANSIT,
    "delivered": PhoneState.DELIVERED,
    "deleted": PhoneState.DELIVERED,
    "read": PhoneState.READ,
    "played": PhoneState.READ,
}
_NOT_ON_WHATSAPP = 131026
_CODES = (_NOT_ON_WHATSAPP, *(code for code in ERRORS if code != _NOT_ON_WHATSAPP))


def sender(_: Json) -> str:
    return f"+{DISPLAY_NUMBER}"


def content(body: Json) -> Json:
    """The message as sent; the text of a template is stored at Meta, so it has its values only,
    but for the text and the button of an authentication template, which are always the same.
    """
    message = body["message"]
    kind = message.get("type", "text")
    message_object = message[kind]
    return {
        "type": kind,
        "text": message_object.get("body" if kind == "text" else "caption"),
        "link": message_object.get("link"),
        "filename": message_object.get("filename"),
        "template": _template(message_object) if kind == "template" else None,
    }


def _template(template: Json) -> Json:
    found = {
        "name": template["name"],
        "language": template["language"]["code"],
        "parameters": list(_texts(template)),
        "components": template.get("components", []),
    }
    code = code_of(template)
    return found | _authentication(code) if code else found


def _authentication(code: str) -> Json:
    return {"text": TEXT.format(code=code), "button": {"text": BUTTON, "copies": code}}


def _texts(template: Json) -> Iterator[str]:
    for component in template.get("components", []):
        for parameter in component.get("parameters", []):
            if parameter["type"] == "text":
                yield parameter["text"]


@dataclass(frozen=True)
class TwoWayWhatsApp:
    """Inbound messages: a text that quotes the message that it replies to."""

    account: AwsAccount
    max_length: int = MAX_TEXT

    def unavailable(self, body: Json) -> str | None:  # noqa: ARG002 - the protocol has it
        return None

    def new_reply_id(self, message: AcceptedMessage) -> str:
        return wamid(str(uuid.uuid4()), message.request.to.removeprefix("+"))

    def reply_event(self, message: AcceptedMessage, reply: RecipientReply) -> Json:
        recipient = message.request.to.removeprefix("+")
        inbound = {
            "from": recipient,
            "id": reply.id,
            "timestamp": str(int(reply.at.timestamp())),
            "context": {"from": DISPLAY_NUMBER, "id": wamid(message.provider_id, recipient)},
            "text": {"body": reply.text},
            "type": "text",
        }
        contact = {"profile": {"name": "Example Person"}, "wa_id": recipient}
        value = {"contacts": [contact], "messages": [inbound]}
        return envelope(self.account, message, value, reply.at)


PHONE = PhoneView(
    sender=sender,
    content=content,
    states={one: _NOT_FAILED.get(one, PhoneState.FAILED) for one in RECEIPT_TYPES},
    refusals={f"failed:{code}": ERRORS[code][0] for code in _CODES},
    delivered="delivered",
    read="read",
)
