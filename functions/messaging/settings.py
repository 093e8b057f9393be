"""What a deployed function is told by its environment; nothing else reads the environment."""

import os
from collections.abc import Mapping
from datetime import timedelta

from messaging.domain.errors import MissingSetting
from messaging.domain.statuses import AttemptStatus


def messages_table() -> str:
    return _text("MESSAGES_TABLE")


def requests_queue_url() -> str:
    return _text("REQUESTS_QUEUE_URL")


def requests_dead_letter_queue_url() -> str:
    return _text("REQUESTS_DEAD_LETTER_QUEUE_URL")


def start_interval() -> float:
    """Seconds that each start takes at least."""
    return float(_text("START_INTERVAL_SECONDS"))


def state_machine_arn() -> str:
    return _text("STATE_MACHINE_ARN")


def retention() -> timedelta:
    """How long everything about a message is kept."""
    return timedelta(days=int(_text("RETENTION_DAYS")))


def default_waits() -> Mapping[str, int]:
    """Seconds to wait for success, by channel, where the step does not say."""
    return {
        "whatsapp": int(_text("WHATSAPP_WAIT_SECONDS")),
        "sms": int(_text("SMS_WAIT_SECONDS")),
        "email": int(_text("EMAIL_WAIT_SECONDS")),
    }


def senders() -> Mapping[str, str]:
    """The sender by channel, where the request names none; empty where the stack has none."""
    return {
        "whatsapp": _text("WHATSAPP_SENDER"),
        "sms": _text("SMS_SENDER"),
        "email": _text("EMAIL_SENDER"),
    }


def sms_configuration_set() -> str:
    return _text("SMS_CONFIGURATION_SET")


def email_configuration_set() -> str:
    return _text("EMAIL_CONFIGURATION_SET")


def whatsapp_api_version() -> str:
    """Meta's Graph API version, like `v24.0`."""
    return _text("WHATSAPP_API_VERSION")


def sms_carrier_receipt() -> AttemptStatus:
    """What the carrier's own acceptance of an SMS counts as: delivered or sent."""
    return AttemptStatus(_text("SMS_CARRIER_RECEIPT"))


def _text(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise MissingSetting(f"the environment variable {name} is not set") from None
