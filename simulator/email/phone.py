"""An email in the mailbox: its sender, its subject and its bodies, from each form of content."""

import base64
import json
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default

from simulator.aws_model import Json
from simulator.email.events import BOUNCES, RECEIPT_TYPES, source
from simulator.provider import PhoneState, PhoneView
from simulator.provider_call import MAX_STORED_TEXT

_NOT_FAILED = {
    "Send": PhoneState.IN_TRANSIT,
    "DeliveryDelay": PhoneState.IN_TRANSIT,
    "Delivery": PhoneState.DELIVERED,
    "Open": PhoneState.READ,
    "Complaint": PhoneState.COMPLAINED,
}


def content(body: Json) -> Json:
    """The email as sent; the text of a template is stored at SES, so it has its values only."""
    form = body["Content"]
    mail = {"type": "email", "subject": None, "text": None, "html": None, "template": None}
    if form.get("Simple"):
        return mail | _simple(form["Simple"])
    if form.get("Raw"):
        return mail | _raw(form["Raw"]["Data"])
    return mail | _template(form["Template"])


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
        "template": {
            "name": name,
            "data": None if len(data) > MAX_STORED_TEXT else json.loads(data),
        },
    }


def _raw(data: str) -> Json:
    # Only the beginning of a long email is stored. It has the texts; the rest is attachments.
    raw = base64.b64decode(data[:MAX_STORED_TEXT])
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
    except LookupError:  # an unknown charset
        return part.as_string()


def _sender(body: Json) -> str:
    """The sender as a mailbox shows it: a name in encoded words is decoded."""
    return str(make_header(decode_header(source(body))))


PHONE = PhoneView(
    sender=_sender,
    content=content,
    states={one: _NOT_FAILED.get(one, PhoneState.FAILED) for one in RECEIPT_TYPES},
    refusals={f"Bounce:{kind}": diagnosis for kind, (_, diagnosis) in BOUNCES.items()},
    delivered="Delivery",
    read="Open",
    complaint="Complaint",
    unsupported={"reply": "Amazon SES publishes no replies to an email"},
)
