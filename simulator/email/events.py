"""The events that Amazon SES publishes for a configuration set, in its documented format."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from email.utils import parseaddr

from simulator.aws_model import Json, decoded
from simulator.provider import AcceptedMessage, AwsAccount, iso, milliseconds

# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
# Bounce type and subtype with their enhanced status code and diagnostic code.
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
_MAX_HEADERS = 10_000
_PLAIN = ("Send", "Delivery", "DeliveryDelay", "Complaint", "Reject", "Rendering Failure", "Open")
RECEIPT_TYPES = (*_PLAIN, *(f"Bounce:{kind}" for kind in BOUNCES))
_BY_SES = ("Permanent/Suppressed", "Permanent/OnAccountSuppressionList")


def destinations(body: Json) -> list[str]:
    """All recipients: To, Cc and Bcc, or those in the headers of a raw email without them."""
    given = body.get("Destination") or {}
    kinds = ("ToAddresses", "CcAddresses", "BccAddresses")
    listed = [address for kind in kinds for address in given.get(kind) or []]
    if listed or body["Content"].get("Raw") is None:
        return listed
    raw = _raw_headers(body["Content"])
    return [part.strip() for part in raw.get("To", "").split(",") if part.strip()]


def source(body: Json) -> str:
    """The sender: that of the request, or the one in a raw email."""
    return str(body.get("FromEmailAddress") or _raw_headers(body["Content"]).get("From", ""))


def ses_event(
    account: AwsAccount, message: AcceptedMessage, receipt_type: str, at: datetime
) -> Json:
    event, _, kind = receipt_type.partition(":")
    build = _DETAILS[event]
    name, detail = build(message, at, kind)
    return {"eventType": event, "mail": _mail(account, message, event), name: detail}


def _mail(account: AwsAccount, message: AcceptedMessage, event: str) -> Json:
    body = message.request.body
    sender = source(body)
    mail = {
        "timestamp": iso(message.accepted_at),
        "source": sender,
        "sourceArn": account.arn("ses", f"identity/{_domain(sender)}"),
        "sendingAccountId": account.id,
        "messageId": message.provider_id,
        "destination": [parseaddr(address)[1] for address in destinations(body)],
        "headersTruncated": False,
    }
    # AWS's samples of these two have no headers.
    if event not in ("DeliveryDelay", "Rendering Failure"):
        mail |= _headers(message, sender)
    return mail | {"tags": _tags(message, sender, event)}


def _tags(message: AcceptedMessage, sender: str, event: str) -> Json:
    configuration_set = {"ses:configuration-set": [message.request.body["ConfigurationSetName"]]}
    if event == "Rendering Failure":
        # As in AWS's sample: without the sender's own tags, so only the message ID identifies it.
        return configuration_set
    tags = {
        "ses:source-tls-version": ["TLSv1.3"],
        "ses:operation": ["SendEmail"],
        **configuration_set,
        "ses:source-ip": ["192.0.2.0"],
        "ses:from-domain": [_domain(sender)],
        "ses:caller-identity": ["sender-role"],
        **{name: [value] for name, value in message.request.echo.items()},
    }
    if event == "Delivery":
        tags |= {"ses:outgoing-ip": ["192.0.2.10"], "ses:outgoing-tls-version": ["TLSv1.3"]}
    return tags


def _headers(message: AcceptedMessage, sender: str) -> Json:
    body = message.request.body
    to = (body.get("Destination") or {}).get("ToAddresses") or destinations(body)
    subject = _subject(body["Content"])
    headers = [("From", sender), ("To", ", ".join(to))]
    headers += [("Subject", subject)] if subject else []
    headers += [("MIME-Version", "1.0"), ("Content-Type", "multipart/alternative")]
    own = (body["Content"].get("Simple") or {}).get("Headers", [])
    headers += [(header["Name"], header["Value"]) for header in own]
    common = {"from": [sender], "to": to, "messageId": message.provider_id}
    return {
        "headers": [{"name": name, "value": value} for name, value in headers],
        "commonHeaders": common | ({"subject": subject} if subject else {}),
    }


def _subject(content: Json) -> str:
    """The subject, unless it is in a template that is stored at SES."""
    if content.get("Simple"):
        return str(content["Simple"]["Subject"]["Data"])
    return _raw_headers(content).get("Subject", "") if content.get("Raw") else ""


def _raw_headers(content: Json) -> dict[str, str]:
    # A raw email can be long. Its headers come first, and a multiple of four can be decoded.
    raw = decoded(content["Raw"]["Data"][:_MAX_HEADERS], "Content.Raw.Data")
    return dict(BytesHeaderParser().parsebytes(raw).items())


def _domain(address: str) -> str:
    return parseaddr(address)[1].rpartition("@")[2]


def _recipients(message: AcceptedMessage) -> list[str]:
    return [parseaddr(address)[1] for address in destinations(message.request.body)]


def _feedback_id(message: AcceptedMessage, event: str, at: datetime) -> str:
    # A receipt that is published twice is the same feedback, so the ID is not random.
    name = f"{message.provider_id} {event} {milliseconds(at)}"
    return f"0100{milliseconds(at):012x}-{uuid.uuid5(uuid.NAMESPACE_OID, name)}-000000"


def _send(_: AcceptedMessage, __: datetime, ___: str) -> tuple[str, Json]:
    return "send", {}


def _delivery(message: AcceptedMessage, at: datetime, _: str) -> tuple[str, Json]:
    return "delivery", {
        "timestamp": iso(at),
        "processingTimeMillis": milliseconds(at) - milliseconds(message.accepted_at),
        "recipients": _recipients(message),
        "smtpResponse": "250 2.6.0 Message received",
        "remoteMtaIp": "198.51.100.7",
        "reportingMTA": "a8-50.smtp-out.amazonses.com",
    }


def _delay(message: AcceptedMessage, at: datetime, _: str) -> tuple[str, Json]:
    delayed = {"status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 Unable to connect"}
    return "deliveryDelay", {
        "timestamp": iso(at),
        "delayType": "TransientCommunicationFailure",
        "expirationTime": iso(message.accepted_at + timedelta(hours=14)),
        "delayedRecipients": [{"emailAddress": to, **delayed} for to in _recipients(message)],
    }


def _bounce(message: AcceptedMessage, at: datetime, kind: str) -> tuple[str, Json]:
    status, diagnosis = BOUNCES[kind]
    bounce_type, _, subtype = kind.partition("/")
    detail = {"action": "failed", "status": status, "diagnosticCode": diagnosis}
    return "bounce", {
        "bounceType": bounce_type,
        "bounceSubType": subtype,
        "bouncedRecipients": [{"emailAddress": to, **detail} for to in _recipients(message)],
        "timestamp": iso(at),
        "feedbackId": _feedback_id(message, "Bounce", at),
        "reportingMTA": "dns; amazonses.com" if kind in _BY_SES else "dsn; mta.example.com",
    }


def _complaint(message: AcceptedMessage, at: datetime, _: str) -> tuple[str, Json]:
    return "complaint", {
        "complainedRecipients": [{"emailAddress": to} for to in _recipients(message)],
        "timestamp": iso(at),
        "feedbackId": _feedback_id(message, "Complaint", at),
        "userAgent": "ExampleFeedback/1.0",
        "complaintFeedbackType": "abuse",
        "complaintSubType": None,
        "arrivalDate": iso(at),
    }


def _reject(_: AcceptedMessage, __: datetime, ___: str) -> tuple[str, Json]:
    return "reject", {"reason": "Bad content"}


def _rendering_failure(message: AcceptedMessage, _: datetime, __: str) -> tuple[str, Json]:
    template = message.request.body["Content"].get("Template") or {}
    return "failure", {
        "errorMessage": "Attribute 'name' is not present in the rendering data.",
        "templateName": template.get("TemplateName", ""),
    }


def _open(_: AcceptedMessage, at: datetime, __: str) -> tuple[str, Json]:
    return "open", {
        "ipAddress": "192.0.2.1",
        "timestamp": iso(at),
        "userAgent": "Mozilla/5.0 (example)",
        "isBotEvent": "Unlikely",
    }


_DETAILS: dict[str, Callable[[AcceptedMessage, datetime, str], tuple[str, Json]]] = {
    "Send": _send,
    "Delivery": _delivery,
    "DeliveryDelay": _delay,
    "Bounce": _bounce,
    "Complaint": _complaint,
    "Reject": _reject,
    "Rendering Failure": _rendering_failure,
    "Open": _open,
}
