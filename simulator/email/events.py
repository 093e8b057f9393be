"""The events that Amazon SES publishes for a configuration set, in its documented format."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from email.utils import parseaddr

from simulator.aws_model import Json, decoded
from simulator.provider import Account, Taken, iso, milliseconds

# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
# Bounce type and subtype: enhanced status code, diagnosis.
BOUNCES = {
    "Permanent/General": ("5.1.1", "smtp; 550 5.1.1 user unknown"),
    "Permanent/NoEmail": ("5.1.1", "smtp; 550 5.1.1 no such mailbox"),
    "Permanent/Suppressed": (
        "5.1.1",
        (
            "Amazon SES has suppressed sending to this address because it has a recent history of "
            "bouncing as an invalid address."
        ),
    ),
    "Permanent/OnAccountSuppressionList": (
        "5.1.1",
        (
            "Amazon SES did not send the message to this address because it is on the suppression "
            "list for your account."
        ),
    ),
    "Transient/General": ("4.0.0", "smtp; 450 4.0.0 temporary failure"),
    "Transient/MailboxFull": ("5.2.2", "smtp; 552 5.2.2 mailbox full"),
    "Transient/MessageTooLarge": ("5.3.4", "smtp; 552 5.3.4 message too large"),
    "Transient/CustomTimeoutExceeded": ("4.4.7", "smtp; 450 4.4.7 delivery time expired"),
    "Transient/ContentRejected": ("5.6.0", "smtp; 554 5.6.0 content rejected"),
    "Transient/AttachmentRejected": ("5.6.1", "smtp; 554 5.6.1 attachment rejected"),
    "Undetermined/Undetermined": ("5.0.0", "smtp; 554 5.0.0 undetermined"),
}
_HEADERS_WITHIN = 10_000
_PLAIN = ("Send", "Delivery", "DeliveryDelay", "Complaint", "Reject", "Rendering Failure", "Open")
RECEIPTS = (*_PLAIN, *(f"Bounce:{kind}" for kind in BOUNCES))
_BY_SES = ("Permanent/Suppressed", "Permanent/OnAccountSuppressionList")


def destinations(request: Json) -> list[str]:
    """Everyone the mail goes to: To, Cc, Bcc, or for a raw mail without them its own headers."""
    given = request.get("Destination") or {}
    kinds = ("ToAddresses", "CcAddresses", "BccAddresses")
    listed = [address for kind in kinds for address in given.get(kind) or []]
    if listed or request["Content"].get("Raw") is None:
        return listed
    raw = _raw_headers(request["Content"])
    return [part.strip() for part in raw.get("To", "").split(",") if part.strip()]


def source(request: Json) -> str:
    """Who it comes from: the request's sender, or a raw mail's own."""
    return str(request.get("FromEmailAddress") or _raw_headers(request["Content"]).get("From", ""))


def ses_event(account: Account, taken: Taken, word: str, at: datetime) -> Json:
    event, _, kind = word.partition(":")
    build = _DETAILS[event]
    name, detail = build(taken, at, kind)
    return {"eventType": event, "mail": _mail(account, taken, event), name: detail}


def _mail(account: Account, taken: Taken, event: str) -> Json:
    request = taken.asked.request
    sender = source(request)
    mail = {
        "timestamp": iso(taken.at),
        "source": sender,
        "sourceArn": account.arn("ses", f"identity/{_domain(sender)}"),
        "sendingAccountId": account.id,
        "messageId": taken.provider_id,
        "destination": [parseaddr(address)[1] for address in destinations(request)],
        "headersTruncated": False,
    }
    # AWS's samples of these two come without headers.
    if event not in ("DeliveryDelay", "Rendering Failure"):
        mail |= _headers(taken, sender)
    return mail | {"tags": _tags(taken, sender, event)}


def _tags(taken: Taken, sender: str, event: str) -> Json:
    configuration_set = {"ses:configuration-set": [taken.asked.request["ConfigurationSetName"]]}
    if event == "Rendering Failure":
        # So in AWS's sample: the sender's own tags are missing, only the message id tells.
        return configuration_set
    tags = {
        "ses:source-tls-version": ["TLSv1.3"],
        "ses:operation": ["SendEmail"],
        **configuration_set,
        "ses:source-ip": ["192.0.2.0"],
        "ses:from-domain": [_domain(sender)],
        "ses:caller-identity": ["sender-role"],
        **{name: [value] for name, value in taken.asked.echo.items()},
    }
    if event == "Delivery":
        tags |= {"ses:outgoing-ip": ["192.0.2.10"], "ses:outgoing-tls-version": ["TLSv1.3"]}
    return tags


def _headers(taken: Taken, sender: str) -> Json:
    request = taken.asked.request
    to = (request.get("Destination") or {}).get("ToAddresses") or destinations(request)
    subject = _subject(request["Content"])
    headers = [("From", sender), ("To", ", ".join(to))]
    headers += [("Subject", subject)] if subject else []
    headers += [("MIME-Version", "1.0"), ("Content-Type", "multipart/alternative")]
    own = (request["Content"].get("Simple") or {}).get("Headers", [])
    headers += [(header["Name"], header["Value"]) for header in own]
    common = {"from": [sender], "to": to, "messageId": taken.provider_id}
    return {
        "headers": [{"name": name, "value": value} for name, value in headers],
        "commonHeaders": common | ({"subject": subject} if subject else {}),
    }


def _subject(content: Json) -> str:
    """The subject, as far as it is known without the template it may lie in."""
    if content.get("Simple"):
        return str(content["Simple"]["Subject"]["Data"])
    return _raw_headers(content).get("Subject", "") if content.get("Raw") else ""


def _raw_headers(content: Json) -> dict[str, str]:
    # A raw mail may be long; its headers stand first, and whole blocks of four can be decoded.
    raw = decoded(content["Raw"]["Data"][:_HEADERS_WITHIN], "Content.Raw.Data")
    return dict(BytesHeaderParser().parsebytes(raw).items())


def _domain(address: str) -> str:
    return parseaddr(address)[1].rpartition("@")[2]


def _recipients(taken: Taken) -> list[str]:
    return [parseaddr(address)[1] for address in destinations(taken.asked.request)]


def _feedback_id(taken: Taken, event: str, at: datetime) -> str:
    # The same receipt sent twice is the same feedback, so the id is not drawn at random.
    name = f"{taken.provider_id} {event} {milliseconds(at)}"
    return f"0100{milliseconds(at):012x}-{uuid.uuid5(uuid.NAMESPACE_OID, name)}-000000"


def _send(_: Taken, __: datetime, ___: str) -> tuple[str, Json]:
    return "send", {}


def _delivery(taken: Taken, at: datetime, _: str) -> tuple[str, Json]:
    return "delivery", {
        "timestamp": iso(at),
        "processingTimeMillis": milliseconds(at) - milliseconds(taken.at),
        "recipients": _recipients(taken),
        "smtpResponse": "250 2.6.0 Message received",
        "remoteMtaIp": "198.51.100.7",
        "reportingMTA": "a8-50.smtp-out.amazonses.com",
    }


def _delay(taken: Taken, at: datetime, _: str) -> tuple[str, Json]:
    delayed = {"status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 Unable to connect"}
    return "deliveryDelay", {
        "timestamp": iso(at),
        "delayType": "TransientCommunicationFailure",
        "expirationTime": iso(taken.at + timedelta(hours=14)),
        "delayedRecipients": [{"emailAddress": to, **delayed} for to in _recipients(taken)],
    }


def _bounce(taken: Taken, at: datetime, kind: str) -> tuple[str, Json]:
    status, diagnosis = BOUNCES[kind]
    bounce_type, _, subtype = kind.partition("/")
    detail = {"action": "failed", "status": status, "diagnosticCode": diagnosis}
    return "bounce", {
        "bounceType": bounce_type,
        "bounceSubType": subtype,
        "bouncedRecipients": [{"emailAddress": to, **detail} for to in _recipients(taken)],
        "timestamp": iso(at),
        "feedbackId": _feedback_id(taken, "Bounce", at),
        "reportingMTA": "dns; amazonses.com" if kind in _BY_SES else "dsn; mta.example.com",
    }


def _complaint(taken: Taken, at: datetime, _: str) -> tuple[str, Json]:
    return "complaint", {
        "complainedRecipients": [{"emailAddress": to} for to in _recipients(taken)],
        "timestamp": iso(at),
        "feedbackId": _feedback_id(taken, "Complaint", at),
        "userAgent": "ExampleFeedback/1.0",
        "complaintFeedbackType": "abuse",
        "complaintSubType": None,
        "arrivalDate": iso(at),
    }


def _reject(_: Taken, __: datetime, ___: str) -> tuple[str, Json]:
    return "reject", {"reason": "Bad content"}


def _rendering_failure(taken: Taken, _: datetime, __: str) -> tuple[str, Json]:
    template = taken.asked.request["Content"].get("Template") or {}
    return "failure", {
        "errorMessage": "Attribute 'name' is not present in the rendering data.",
        "templateName": template.get("TemplateName", ""),
    }


def _open(_: Taken, at: datetime, __: str) -> tuple[str, Json]:
    return "open", {
        "ipAddress": "192.0.2.1",
        "timestamp": iso(at),
        "userAgent": "Mozilla/5.0 (example)",
        "isBotEvent": "Unlikely",
    }


_DETAILS: dict[str, Callable[[Taken, datetime, str], tuple[str, Json]]] = {
    "Send": _send,
    "Delivery": _delivery,
    "DeliveryDelay": _delay,
    "Bounce": _bounce,
    "Complaint": _complaint,
    "Reject": _reject,
    "Rendering Failure": _rendering_failure,
    "Open": _open,
}
