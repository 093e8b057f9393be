"""One-time codes in lists: a verification in a few fields, with neither an address nor a code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import phonenumbers

from messaging.channels.catalog import channels
from messaging.domain.messages import Message, MessageHistory
from messaging.domain.verifications import Verification, VerificationStatus, verification_status


@dataclass(frozen=True, slots=True)
class CodeSummary:
    """One verification. `sends`: the channel of each send that a provider accepted, in order.
    `country`: of the recipient's phone number, None without one.
    """

    message: Message
    verification: Verification
    sends: tuple[str, ...]
    country: str | None

    @classmethod
    def of(cls, history: MessageHistory, request: Mapping[str, Any]) -> Self | None:
        """None if the message is no verification."""
        verification = history.message.verification
        if verification is None:
            return None
        sends = (one.channel for one in history.attempts if one.provider_id)
        return cls(history.message, verification, tuple(sends), _country(request))

    def status(self, now: datetime) -> VerificationStatus:
        """It changes without a write when the code expires."""
        return verification_status(self.message, self.verification, now)

    @property
    def checks_left(self) -> int:
        return max(0, self.verification.max_checks - self.message.checks)

    @property
    def sends_by_channel(self) -> Mapping[str, int]:
        return {name: self.sends.count(name) for name in channels() if name in self.sends}


def _country(request: Mapping[str, Any]) -> str | None:
    holders = [request.get("to", {}), *(one.get("to", {}) for one in request.get("steps", []))]
    countries = (country(number) for holder in holders for number in _numbers(holder))
    return next(filter(None, countries), None)


def _numbers(holder: Mapping[str, Any]) -> Iterable[str]:
    return (str(holder[one.name]) for one in channels().values() if _is_number(one.name, holder))


def _is_number(channel: str, holder: Mapping[str, Any]) -> bool:
    return bool(holder.get(channel)) and channels()[channel].address == "phone"


def country(number: str) -> str | None:
    """The country's ISO code, or the calling code if it belongs to none (`+882`)."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    code = parsed.country_code or 0
    # A number of no known range has the main country of its calling code.
    region = phonenumbers.region_code_for_number(parsed)
    region = region or phonenumbers.region_code_for_country_code(code)
    return region if region.isalpha() else f"+{code}"
