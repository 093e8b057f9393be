"""Every parameter of the stack: its name, its allowed values, and the error for any other value.

The defaults are in `cdk.json`; `cdk deploy -c name=value` replaces one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Literal, Self

from constructs import Construct
from pydantic import Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from infra.channel_config import ChannelConfig
from infra.channels import CHANNELS
from infra.parameters import ADDRESS, NUMBER, SWITCH, Parameters, allowed_values, matching, whole

# docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
]  # fmt: skip
# ISO 3166-1, and 001, which phone numbers of no country have.
COUNTRY = r"(?:[A-Z]{2}|001)"
COUNTRIES = matching(
    rf"|{COUNTRY}(?:,{COUNTRY})*",
    "codes of countries with commas between them, such as US,GB, or empty for none",
)


class WrongParameter(Exception):
    """A parameter is unknown, missing or invalid; the text has the allowed values."""


class Config(Parameters):
    """The parameters, checked."""

    # Two stacks fit into one account under two names.
    stack_name: Annotated[
        str, matching(r"[A-Za-z][A-Za-z0-9-]{0,127}", "letters, digits and hyphens, a letter first")
    ]

    # Each channel's parameters, by its name.
    channels: Mapping[str, ChannelConfig]

    # The usage plan of the API key, and how many batches of requests are started at once. The
    # defaults of both and of the starts suit a new account, whose concurrency is less than Lambda's
    # 1,000 and mostly 10: five requests, two batches (the least that Lambda accepts), and the rest
    # for sends and receipts. docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    # `make doctor` reads the account's limits; raise these four as far as they allow.
    api_requests_per_second: Annotated[int, NUMBER, whole(1, 10_000)]
    api_burst: Annotated[int, NUMBER, whole(1, 10_000)]
    api_requests_per_day: Annotated[int, NUMBER, whole(1, 1_000_000_000)]
    starter_concurrency: Annotated[int, NUMBER, whole(2, 1_000)]
    # The most that the starter uses of the account's StartExecution quota, so that direct callers
    # keep the rest: docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    starts_per_second: Annotated[int, NUMBER, whole(1, 10_000)]

    # The name in the texts of one-time codes, if a request has none, and the least seconds between
    # two sends of a code that a caller asks for.
    codes_brand: Annotated[
        str, matching(r"[^\x00-\x1f\x7f]{1,30}", "1 to 30 characters without a line break")
    ]
    codes_resend_seconds: Annotated[int, NUMBER, whole(1, 600)]
    # How many codes are sent, to which countries, and what happens when too few of them are
    # entered. `python -m bench.pumping` shows what an attack gets with these defaults, and
    # functions/messaging/codes/breaker.py has the rules.
    codes_per_recipient_hour: Annotated[int, NUMBER, whole(1, 1_000)]
    codes_per_recipient_day: Annotated[int, NUMBER, whole(1, 1_000)]
    codes_per_prefix_hour: Annotated[int, NUMBER, whole(1, 10_000)]
    codes_per_client_hour: Annotated[int, NUMBER, whole(1, 10_000)]
    codes_countries_allowed: Annotated[str, COUNTRIES]
    codes_countries_denied: Annotated[str, COUNTRIES]
    codes_breaker: Literal["monitor", "block"]
    codes_breaker_percent: Annotated[int, NUMBER, whole(1, 99)]

    # How long a message is kept, and whether the table and its key outlive the stack.
    retention_days: Annotated[int, NUMBER, whole(1, 3_650)]
    retain_data: Annotated[bool, SWITCH, Field(description="one of true, false")]

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    log_retention_days: Annotated[RetentionDays, NUMBER]
    # X-Ray traces every request up to one a second, so at low traffic nearly all of them:
    # docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
    xray_tracing: Annotated[bool, SWITCH, Field(description="one of true, false")]
    # Where alarms are sent; empty: nowhere, CloudWatch shows them.
    alarm_email: Annotated[str, matching(rf"|{ADDRESS}", "an address, or empty for none")]
    # When alarms fire: how long a request waits, how long one message in twenty takes, what
    # percentage of messages is not delivered.
    alarm_oldest_request_seconds: Annotated[int, NUMBER, whole(60, 86_400)]
    alarm_time_to_deliver_seconds: Annotated[int, NUMBER, whole(1, 86_400)]
    alarm_undelivered_percent: Annotated[int, NUMBER, whole(0, 99)]

    @classmethod
    def names(cls) -> list[str]:
        """The parameters' names, as `cdk.json` and the README list them."""
        return [name for name, _ in _parameters(cls)]

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> Self:
        """The parameters in CDK's context; raises WrongParameter for the first wrong one."""
        given = {name: value for name, value in context.items() if not _belongs_to_cdk(name)}
        if unknown := sorted(given.keys() - set(cls.names())):
            raise WrongParameter(
                f"{unknown[0]} is not a parameter; the parameters are {', '.join(cls.names())}."
            )
        try:
            channels = {name: channel.model_validate(given) for name, channel in CHANNELS.items()}
            return cls.model_validate({**given, "channels": channels})
        except ValidationError as wrong:
            name = str(wrong.errors()[0]["loc"][0])
            found = f"is {given[name]!r}" if name in given else "is missing"
            allowed = allowed_values(dict(_parameters(cls))[name])
            raise WrongParameter(f"{name} {found}; it must be {allowed}.") from wrong

    @model_validator(mode="after")
    def _a_batch_is_started_in_time(self) -> Self:
        if self.start_interval > 1:
            raise WrongParameter(
                f"starts_per_second is {self.starts_per_second}; it must not be less than "
                f"starter_concurrency, {self.starter_concurrency}: a batch would take too long."
            )
        return self

    def deployed(self, scope: Construct) -> Self:
        """The same, after creating the resources that the channels' senders ask for."""
        channels = {name: channel.deployed(scope) for name, channel in self.channels.items()}
        return self.model_copy(update={"channels": channels})

    @property
    def start_interval(self) -> float:
        """The least seconds that each start takes: so many at once, together at the pace."""
        return self.starter_concurrency / self.starts_per_second

    @property
    def retention(self) -> dict[str, str]:
        """The environment variable of every function that writes to the table."""
        return {"RETENTION_DAYS": str(self.retention_days)}

    @property
    def planning(self) -> dict[str, str]:
        """The environment variables of a function that plans messages."""
        return self.retention | self._variables(lambda _: ("sender", "wait_seconds"))

    @property
    def sending(self) -> dict[str, str]:
        """The environment variables of `send_message`, except for the configuration sets."""
        return self.retention | self._variables(lambda each: ("sender", *each.send_fields))

    @property
    def recording(self) -> dict[str, str]:
        """The environment variables of `record_receipt`."""
        return self.retention | self._variables(lambda each: each.receipt_fields)

    @property
    def code_channels(self) -> list[str]:
        """The channels that can send one-time codes."""
        return [name for name, channel in self.channels.items() if channel.sends_codes]

    @property
    def code_limits(self) -> dict[str, str]:
        """The environment variables of a function that asks the guard of codes."""
        named = ("codes_per_", "codes_countries_", "codes_breaker")
        values = {name: value for name, value in self if name.startswith(named)}
        return {name.upper(): str(value) for name, value in values.items()}

    @property
    def example_senders(self) -> dict[str, str]:
        """The senders that are still examples, by parameter: nothing can be sent from them."""
        return {
            f"{name}_sender": channel.sender
            for name, channel in self.channels.items()
            if channel.is_example
        }

    def _variables(self, fields: Callable[[ChannelConfig], tuple[str, ...]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for channel in self.channels.values():
            found |= channel.variables(*fields(channel))
        return found


def _parameters(kind: type[Parameters]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in kind.model_fields.items():
        if name == "channels":
            for channel in CHANNELS.values():
                yield from _parameters(channel)
        else:
            yield field.alias or name, field


def _belongs_to_cdk(name: str) -> bool:
    """CDK's own context: feature flags, look-ups it keeps, what its command line says."""
    return ":" in name or name in {"acknowledged-issue-numbers", "cli-telemetry"}
