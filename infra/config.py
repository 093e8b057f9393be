"""Every parameter of the stack: its name, what it may be, and the refusal when it is not.

The defaults stand in `cdk.json`; `cdk deploy -c name=value` replaces one. What comes that way is
text, so every value is read from its text.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Self, get_type_hints

# docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

# Senders that nobody has: numbers reserved for fiction, example domains, an id of zeros.
EXAMPLE_SENDERS = {
    "whatsapp_sender": re.compile(r"phone-number-id[-/]0{8}"),
    "sms_sender": re.compile(r"^\+1\d{3}55501\d\d$"),
    "email_sender": re.compile(r"@example\.(com|net|org)\b"),
}


class WrongParameter(ValueError):
    """A parameter is unknown, missing or out of its range; its text says what it may be."""


@dataclass(frozen=True)
class Rule:
    """What a parameter may be: in words, and as a function that reads it or raises ValueError."""

    may_be: str
    read: Callable[[str], str | int | bool]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def whole(low: int, high: int) -> Rule:
    def read(text: str) -> int:
        if not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Rule(f"a whole number from {low:,} to {high:,}", read)


def one_of(*choices: str | int | bool) -> Rule:
    by_text = {_text(choice): choice for choice in choices}

    def read(text: str) -> str | int | bool:
        if text not in by_text:
            raise ValueError(text)
        return by_text[text]

    return Rule("one of " + ", ".join(by_text), read)


def matching(pattern: str, may_be: str) -> Rule:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return Rule(may_be, read)


WAIT = whole(5, 86_400)
RATE = whole(1, 10_000)
EMAIL = r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+"


@dataclass(frozen=True, kw_only=True)
class Config:
    """The parameters, checked."""

    # Two stacks fit into one account under two names.
    stack_name: Annotated[
        str, matching(r"[A-Za-z][A-Za-z0-9-]{0,127}", "letters, digits and hyphens, a letter first")
    ]

    # Who messages come from, unless a step's `from` names another.
    whatsapp_sender: Annotated[
        str,
        matching(
            r"phone-number-id-[0-9a-f]{32}|arn:[^\s]+:phone-number-id/[0-9a-f]{32}",
            "the id (phone-number-id- and 32 hex digits) or the ARN of a WhatsApp number",
        ),
    ]
    sms_sender: Annotated[
        str,
        matching(
            r"[A-Za-z0-9_:/+-]{1,256}",
            "a phone number in E.164, or the id or ARN of a phone number, pool or sender id",
        ),
    ]
    email_sender: Annotated[
        str, matching(rf"{EMAIL}|[^<>\r\n]+ <{EMAIL}>", "an address, or `Name <address>`")
    ]

    # How long a step waits for success when it does not say so itself.
    whatsapp_wait_seconds: Annotated[int, WAIT]
    sms_wait_seconds: Annotated[int, WAIT]
    email_wait_seconds: Annotated[int, WAIT]

    # The version of Meta's API that messages are written for.
    whatsapp_api_version: Annotated[
        str, matching(r"v\d{1,3}\.\d", "a version of Meta's API, such as v24.0")
    ]
    # What it counts as when the recipient's carrier, not the device, took an SMS.
    sms_carrier_receipt: Annotated[str, one_of("delivered", "sent")]

    # The usage plan of the API key, and how many batches of requests are started at once.
    api_requests_per_second: Annotated[int, RATE]
    api_burst: Annotated[int, RATE]
    api_requests_per_day: Annotated[int, whole(1, 1_000_000_000)]
    starter_concurrency: Annotated[int, whole(2, 1_000)]
    # What the starter takes at most of the account's StartExecution, so that direct callers keep
    # the rest.
    starts_per_second: Annotated[int, RATE]

    # How long a message is kept, and whether the table and its key outlive the stack.
    retention_days: Annotated[int, whole(1, 3_650)]
    retain_data: Annotated[bool, one_of(True, False)]

    log_level: Annotated[str, one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")]
    log_retention_days: Annotated[int, one_of(*LOG_RETENTION_DAYS)]
    # Who is told of an alarm; empty: nobody, CloudWatch shows it.
    alarm_email: Annotated[str, matching(rf"|{EMAIL}", "an address, or empty for none")]
    # When it rings: how long a request waits, how long one message in twenty takes, how many
    # percent reach nobody.
    alarm_oldest_request_seconds: Annotated[int, whole(60, 86_400)]
    alarm_time_to_deliver_seconds: Annotated[int, whole(1, 86_400)]
    alarm_undelivered_percent: Annotated[int, whole(0, 99)]

    @classmethod
    def names(cls) -> list[str]:
        """The parameters' names, as `cdk.json` and the README list them."""
        return [parameter.name for parameter in fields(cls)]

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> Self:
        """The parameters in CDK's context; raises WrongParameter for the first wrong one."""
        given = {key: value for key, value in context.items() if not _belongs_to_cdk(key)}
        if unknown := sorted(given.keys() - set(cls.names())):
            raise WrongParameter(
                f"{unknown[0]} is not a parameter; the parameters are {', '.join(cls.names())}."
            )
        rules = get_type_hints(cls, include_extras=True)
        values: dict[str, Any] = {
            name: _read(name, given, rules[name].__metadata__[0]) for name in cls.names()
        }
        config = cls(**values)
        if config.start_interval > 1:
            raise WrongParameter(
                f"starts_per_second is {config.starts_per_second}; it may not be less than "
                f"starter_concurrency, {config.starter_concurrency}: a batch would take too long."
            )
        return config

    @property
    def start_interval(self) -> float:
        """Seconds that each start takes at least: so many at once, together at the pace."""
        return self.starter_concurrency / self.starts_per_second

    @property
    def senders(self) -> dict[str, str]:
        """The environment variables that name the senders."""
        return {
            "WHATSAPP_SENDER": self.whatsapp_sender,
            "SMS_SENDER": self.sms_sender,
            "EMAIL_SENDER": self.email_sender,
        }

    @property
    def planning(self) -> dict[str, str]:
        """The environment variables that planning a message takes."""
        return {
            "RETENTION_DAYS": str(self.retention_days),
            "WHATSAPP_WAIT_SECONDS": str(self.whatsapp_wait_seconds),
            "SMS_WAIT_SECONDS": str(self.sms_wait_seconds),
            "EMAIL_WAIT_SECONDS": str(self.email_wait_seconds),
            **self.senders,
        }

    @property
    def example_senders(self) -> list[str]:
        """The names of the senders that are still examples: nothing can be sent from them."""
        return [
            name for name, example in EXAMPLE_SENDERS.items() if example.search(getattr(self, name))
        ]


def _belongs_to_cdk(key: str) -> bool:
    """CDK's own context: feature flags, look-ups it keeps, what its command line says."""
    return ":" in key or key in {"acknowledged-issue-numbers", "cli-telemetry"}


def _read(name: str, given: Mapping[str, object], rule: Rule) -> str | int | bool:
    if name not in given:
        raise WrongParameter(f"{name} is missing; it may be {rule.may_be}.")
    try:
        return rule.read(_text(given[name]))
    except ValueError as wrong:
        raise WrongParameter(f"{name} is {given[name]!r}; it may be {rule.may_be}.") from wrong
