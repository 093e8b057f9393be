"""The verifications of the benchmark: to whom each code goes, and how each must end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import Any

import phonenumbers

from bench.scenarios import LONG_WAIT_SECONDS, LoadScenario

_WHATSAPP_THEN_SMS = (
    {"channel": "whatsapp", "wait_seconds": LONG_WAIT_SECONDS},
    {"channel": "sms"},
)
# The last step waits until the code expires.
LIFE_SECONDS = 3600
COUNTRY = "US"


@dataclass(frozen=True)
class CodeScenario(LoadScenario):
    """A verification whose recipient enters the right code."""

    @property
    def request(self) -> dict[str, Any]:
        steps = list(self.steps)
        return {"to": dict(self.to), "steps": steps, "expires_in_seconds": LIFE_SECONDS}


# `share`: the number of these among twenty mixed verifications.
CODE_SCENARIOS = (
    CodeScenario(
        "code by WhatsApp",
        _WHATSAPP_THEN_SMS,
        {"whatsapp": "+14255550104", "sms": "+14255550104"},
        "confirmed",
        (("whatsapp", "delivered"),),
        12,
    ),
    CodeScenario(
        "code by SMS",
        ({"channel": "sms"},),
        {"sms": "+14255550107"},
        "confirmed",
        (("sms", "delivered"),),
        2,
    ),
    CodeScenario(
        "code by SMS after WhatsApp",
        _WHATSAPP_THEN_SMS,
        {"whatsapp": "+14255550156", "sms": "+14255550156"},
        "confirmed",
        (("whatsapp", "failed"), ("sms", "delivered")),
        4,
    ),
    CodeScenario(
        "code by email",
        ({"channel": "email"},),
        {"email": "ana@example.com"},
        "confirmed",
        (("email", "delivered"),),
        2,
    ),
)
# Those of which the AWS usage is counted.
COUNTED_CODES = CODE_SCENARIOS[:3]


def to_many_recipients(scenarios: Sequence[LoadScenario]) -> list[LoadScenario]:
    """The same, each to a recipient of its own: a second start for a recipient would be a resend,
    and the codes to one recipient are limited.
    """
    numbers = {one.name: count() for one in scenarios}
    return [_to_recipient(one, next(numbers[one.name])) for one in scenarios]


def _to_recipient(scenario: LoadScenario, number: int) -> LoadScenario:
    to = {channel: recipient(address, number) for channel, address in scenario.to.items()}
    return replace(scenario, to=to)


def recipient(address: str, number: int) -> str:
    """The address with another mailbox, or the fictitious number of another area code."""
    if "@" in address:
        mailbox, _, domain = address.partition("@")
        return f"{mailbox}{number}@{domain}"
    codes = area_codes()
    last = int(address[-4:]) + number // len(codes)
    return f"+1{codes[number % len(codes)]}555{last:04}"


@cache
def area_codes() -> Sequence[int]:
    """Those of the United States: in each, 555 0100 to 555 0199 are fictitious."""
    found = (code for code in range(200, 1000) if _country(f"+1{code}5550100") == COUNTRY)
    return tuple(found)


def _country(number: str) -> str | None:
    parsed = phonenumbers.parse(number)
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.region_code_for_number(parsed)
