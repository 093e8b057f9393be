"""The events of AWS End User Messaging Social: Meta's webhook entries in AWS's envelope."""

import base64
import hashlib
import json
from datetime import datetime, timedelta

from simulator.aws_model import Json
from simulator.provider import AcceptedMessage, AwsAccount, iso
from simulator.whatsapp.authentication import code_of

_WABA = "100000000000001"
_META_NUMBER = "100000000000002"
DISPLAY_NUMBER = "12065550100"
_HREF = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"

# Meta's error codes: title and details.
# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
ERRORS = {
    130429: ("Rate limit hit", "Cloud API message throughput has been reached."),
    130472: ("User's number is part of an experiment", "Message was not sent: experiment."),
    131000: ("Something went wrong", "Message failed to send due to an unknown error."),
    131008: (
        "Required parameter is missing",
        "buttons: Button at index 0 of type Url requires a parameter",
    ),
    131016: ("Service unavailable", "A service is temporarily unavailable."),
    131026: ("Message undeliverable", "Message Undeliverable."),
    131031: ("Account has been locked", "The account has been locked for a policy violation."),
    131042: ("Business eligibility payment issue", "There was a problem with the payment method."),
    131047: (
        "Re-engagement message",
        (
            "Message failed to send because more than 24 hours have passed since the customer last "
            "replied to this number."
        ),
    ),
    131048: ("Spam rate limit hit", "This number has sent too many messages flagged as spam."),
    131049: (
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    131050: ("User has stopped marketing messages", "The user stopped marketing messages."),
    131051: ("Unsupported message type", "Message type is not currently supported."),
    131053: ("Media upload error", "Unable to upload the media used in the message."),
    131056: ("Pair rate limit hit", "Too many messages from this number to the same recipient."),
    132000: ("Number of parameters does not match", "Template parameter count does not match."),
    132001: ("Template name does not exist", "The template is not approved in this language."),
    132015: ("Template is paused", "The template is paused for low quality."),
    368: ("Temporarily blocked for policies violations", "The account violated policies."),
}
_STATUSES = ("accepted", "sent", "delivered", "read", "played", "warning", "deleted", "failed")
RECEIPT_TYPES = (*_STATUSES, *(f"failed:{code}" for code in ERRORS))


def whatsapp_event(
    account: AwsAccount, message: AcceptedMessage, receipt_type: str, at: datetime
) -> Json:
    """One status; AWS reports `failed` without a code when it cannot deliver to Meta."""
    recipient = message.request.to.removeprefix("+")
    contacts = {"contacts": [{"wa_id": recipient}]} if receipt_type == "sent" else {}
    value = contacts | {"statuses": [_status(message, receipt_type, at)]}
    return envelope(account, message, value, at) | {"messageId": message.provider_id}


def envelope(account: AwsAccount, message: AcceptedMessage, value: Json, at: datetime) -> Json:
    """AWS's envelope around a webhook entry of Meta's, without AWS's own ID of the message."""
    number = str(message.request.body["originationPhoneNumberId"])
    number_id = number.rpartition("/")[2].removeprefix("phone-number-id-")
    waba_arn = account.arn("social-messaging", "waba/fb2594b8a7974770b128a409e2example")
    number_arn = account.arn("social-messaging", f"phone-number-id/{number_id}")
    return {
        "context": {
            "MetaWabaIds": [{"wabaId": _WABA, "arn": waba_arn}],
            "MetaPhoneNumberIds": [{"metaPhoneNumberId": _META_NUMBER, "arn": number_arn}],
        },
        "whatsAppWebhookEntry": json.dumps(_entry(value), separators=(",", ":")),
        "aws_account_id": account.id,
        "message_timestamp": iso(at, digits=9),
    }


def _entry(value: Json) -> Json:
    metadata = {"display_phone_number": DISPLAY_NUMBER, "phone_number_id": _META_NUMBER}
    whole = {"messaging_product": "whatsapp", "metadata": metadata} | value
    return {"id": _WABA, "changes": [{"value": whole, "field": "messages"}]}


def _status(message: AcceptedMessage, receipt_type: str, at: datetime) -> Json:
    status, _, code = receipt_type.partition(":")
    recipient = message.request.to.removeprefix("+")
    # AWS creates these two itself, without the data that Meta echoes.
    echo = {} if receipt_type in ("accepted", "failed") else message.request.echo
    return {
        "id": wamid(message.provider_id, recipient),
        "status": status,
        "timestamp": str(int(at.timestamp())),
        "recipient_id": recipient,
        **_conversation(message, status),
        **({"errors": [_error(int(code))]} if code else {}),
        **echo,
    }


def wamid(provider_id: str, recipient: str) -> str:
    """Meta's own ID of the message: always the same for the same AWS ID."""
    digest = hashlib.sha256(provider_id.encode()).hexdigest().upper()[:18]
    number = bytes([len(recipient)]) + recipient.encode()
    packed = b"\x1c\x18" + number + b"\x15\x02\x00\x11\x18\x12" + digest.encode() + b"\x00"
    return f"wamid.{base64.b64encode(packed).decode()}"


def _conversation(message: AcceptedMessage, status: str) -> Json:
    if status not in ("sent", "delivered"):
        return {}
    category = _category(message.request.body["message"])
    template = category != "service"
    pricing = {"billable": template, "pricing_model": "PMP", "category": category}
    pricing["type"] = "regular" if template else "free_customer_service"
    if status == "delivered":
        return {"pricing": pricing}
    conversation = {
        "id": hashlib.sha256(message.request.to.encode()).hexdigest()[:32],
        "expiration_timestamp": str(int((message.accepted_at + timedelta(days=1)).timestamp())),
        "origin": {"type": category},
    }
    return {"conversation": conversation, "pricing": pricing}


def _category(message: Json) -> str:
    """Of what a template is for, Meta knows more than its values show."""
    if message.get("type") != "template":
        return "service"
    return "authentication" if code_of(message["template"]) else "utility"


def _error(code: int) -> Json:
    title, details = ERRORS[code]
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details},
        "href": _HREF,
    }
