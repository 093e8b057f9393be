"""A mail in the mailbox: its subject and its bodies, out of whatever form SES was given it in."""

import base64
import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from simulator.aws_model import Json
from simulator.call import KEPT_TEXT
from simulator.email.events import BOUNCES, RECEIPTS, source
from simulator.provider import Phone, State

_NOT_FAILED = {
    "Send": State.ON_ITS_WAY,
    "DeliveryDelay": State.ON_ITS_WAY,
    "Delivery": State.DELIVERED,
    "Open": State.READ,
    "Complaint": State.COMPLAINED,
}


def shown(request: Json) -> Json:
    """The mail as sent; a template's own text lies at SES, so its values are all there is."""
    content = request["Content"]
    mail = {"type": "email", "subject": None, "text": None, "html": None, "template": None}
    if content.get("Simple"):
        return mail | _simple(content["Simple"])
    if content.get("Raw"):
        return mail | _raw(content["Raw"]["Data"])
    return mail | _template(content["Template"])


def _simple(simple: Json) -> Json:
    body = simple["Body"]
    return {
        "subject": simple["Subject"]["Data"],
        "text": (body.get("Text") or {}).get("Data"),
        "html": (body.get("Html") or {}).get("Data"),
    }


def _template(template: Json) -> Json:
    inline = template.get("TemplateContent") or {}
    name = template.get("TemplateName") or template.get("TemplateArn")
    data = template.get("TemplateData", "{}")
    return {
        "subject": inline.get("Subject"),
        "text": inline.get("Text"),
        "html": inline.get("Html"),
        "template": {"name": name, "data": None if len(data) > KEPT_TEXT else json.loads(data)},
    }


def _raw(data: str) -> Json:
    # Of a long mail only the beginning is kept, where its texts stand; the rest is attachments.
    raw = base64.b64decode(data[:KEPT_TEXT])
    mail = message_from_bytes(raw, EmailMessage, policy=default)
    return {
        "subject": mail.get("Subject"),
        "text": _body(mail, "plain"),
        "html": _body(mail, "html"),
    }


def _body(mail: EmailMessage, form: str) -> str | None:
    part = mail.get_body((form,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except LookupError:  # a charset that nobody knows
        return part.as_string()


PHONE = Phone(
    sender=source,
    shown=shown,
    states={word: _NOT_FAILED.get(word, State.FAILED) for word in RECEIPTS},
    refusals={f"Bounce:{kind}": diagnosis for kind, (_, diagnosis) in BOUNCES.items()},
    delivered="Delivery",
    read="Open",
    complaint="Complaint",
)
