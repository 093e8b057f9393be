"""A WhatsApp message on the phone: how it looks there, and what an answer becomes on the topic."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.aws_model import Json
from simulator.provider import Account, Phone, Reply, State, Taken
from simulator.whatsapp.events import DISPLAY_NUMBER, ERRORS, RECEIPTS, envelope, wamid
from simulator.whatsapp.message import LONGEST_TEXT

_NOT_FAILED = {
    "accepted": State.ON_ITS_WAY,
    "sent": State.ON_ITS_WAY,
    "warning": State.ON_ITS_WAY,
    "delivered": State.DELIVERED,
    "deleted": State.DELIVERED,
    "read": State.READ,
    "played": State.READ,
}
_NOT_ON_WHATSAPP = 131026
_CODES = (_NOT_ON_WHATSAPP, *(code for code in ERRORS if code != _NOT_ON_WHATSAPP))


def sender(_: Json) -> str:
    return f"+{DISPLAY_NUMBER}"


def shown(request: Json) -> Json:
    """The message as sent; a template's own text lies at Meta, so its values are all there is."""
    message = request["message"]
    kind = message.get("type", "text")
    said = message[kind]
    return {
        "type": kind,
        "text": said.get("body" if kind == "text" else "caption"),
        "link": said.get("link"),
        "filename": said.get("filename"),
        "template": _template(said) if kind == "template" else None,
    }


def _template(template: Json) -> Json:
    return {
        "name": template["name"],
        "language": template["language"]["code"],
        "parameters": list(_texts(template)),
        "components": template.get("components", []),
    }


def _texts(template: Json) -> Iterator[str]:
    for component in template.get("components", []):
        for parameter in component.get("parameters", []):
            if parameter["type"] == "text":
                yield parameter["text"]


@dataclass(frozen=True)
class WhatsAppTwoWay:
    """Inbound messages: a text that quotes the message it answers."""

    account: Account
    longest: int = LONGEST_TEXT

    def why_not(self, request: Json) -> str | None:  # noqa: ARG002 the protocol's
        return None

    def new_id(self, taken: Taken) -> str:
        return wamid(str(uuid.uuid4()), taken.asked.to.removeprefix("+"))

    def event(self, taken: Taken, reply: Reply) -> Json:
        person = taken.asked.to.removeprefix("+")
        message = {
            "from": person,
            "id": reply.id,
            "timestamp": str(int(reply.at.timestamp())),
            "context": {"from": DISPLAY_NUMBER, "id": wamid(taken.provider_id, person)},
            "text": {"body": reply.text},
            "type": "text",
        }
        contact = {"profile": {"name": "Example Person"}, "wa_id": person}
        value = {"contacts": [contact], "messages": [message]}
        return envelope(self.account, taken, value, reply.at)


PHONE = Phone(
    sender=sender,
    shown=shown,
    states={word: _NOT_FAILED.get(word, State.FAILED) for word in RECEIPTS},
    refusals={f"failed:{code}": ERRORS[code][0] for code in _CODES},
    delivered="delivered",
    read="read",
)
