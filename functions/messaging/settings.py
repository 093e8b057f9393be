"""The settings of a deployed function, from its environment; nothing else reads the environment."""

import os
from collections.abc import Iterable, Mapping
from datetime import timedelta

from messaging.domain.errors import MissingSetting
from messaging.domain.limits import BreakerMode, CodeLimits
from messaging.domain.statuses import AttemptStatus


def messages_table() -> str:
    return _text("MESSAGES_TABLE")


def requests_queue_url() -> str:
    return _text("REQUESTS_QUEUE_URL")


def requests_dead_letter_queue_url() -> str:
    return _text("REQUESTS_DEAD_LETTER_QUEUE_URL")


def start_interval() -> float:
    """The minimum duration of each start, in seconds."""
    return float(_text("START_INTERVAL_SECONDS"))


def state_machine_arn() -> str:
    return _text("STATE_MACHINE_ARN")


def retention() -> timedelta:
    """How long everything about a message is kept."""
    return timedelta(days=int(_text("RETENTION_DAYS")))


def default_waits(channels: Iterable[str]) -> Mapping[str, int]:
    """Seconds to wait for success, by channel, if the step does not specify them."""
    return {channel: int(of_channel(channel, "WAIT_SECONDS")) for channel in channels}


def senders(channels: Iterable[str]) -> Mapping[str, str]:
    """The senders by channel."""
    return {channel: sender(channel) for channel in channels}


def sender(channel: str) -> str:
    """The channel's sender if the request names none; empty if the stack has none."""
    return of_channel(channel, "SENDER")


def of_channel(channel: str, name: str) -> str:
    """A setting of one channel, such as `CONFIGURATION_SET`."""
    return _text(f"{channel.upper()}_{name}")


def sms_carrier_receipt() -> AttemptStatus:
    """What the carrier's own acceptance of an SMS counts as: delivered or sent."""
    return AttemptStatus(_text("SMS_CARRIER_RECEIPT"))


def codes_brand() -> str:
    """The name that codes are sent in if the request names none."""
    return _text("CODES_BRAND")


def codes_cool_down() -> timedelta:
    """The least time between two requested sends of a code."""
    return timedelta(seconds=int(_text("CODES_RESEND_SECONDS")))


def code_channels() -> tuple[str, ...]:
    """The channels that can send codes."""
    return tuple(_text("CODES_CHANNELS").split(","))


def codes_key_id() -> str:
    """The KMS key by which codes are derived."""
    return _text("CODES_KEY_ID")


def code_limits() -> CodeLimits:
    """The limits on how many codes are sent."""
    return CodeLimits(
        per_recipient_hour=int(_text("CODES_PER_RECIPIENT_HOUR")),
        per_recipient_day=int(_text("CODES_PER_RECIPIENT_DAY")),
        per_prefix_hour=int(_text("CODES_PER_PREFIX_HOUR")),
        per_client_hour=int(_text("CODES_PER_CLIENT_HOUR")),
        allowed=_countries("CODES_COUNTRIES_ALLOWED"),
        denied=_countries("CODES_COUNTRIES_DENIED"),
        breaker=BreakerMode(_text("CODES_BREAKER")),
        breaker_percent=int(_text("CODES_BREAKER_PERCENT")),
    )


def _countries(name: str) -> frozenset[str]:
    """The codes in a list such as `US,GB`; none if it is empty."""
    return frozenset(_text(name).split(",")) - {""}


def _text(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise MissingSetting(f"the environment variable {name} is not set") from None
