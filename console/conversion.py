"""How many verifications were approved, by channel and by country, with what small samples hide."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from console.codes import CodeSummary
from console.figures import Share
from messaging.channels.catalog import channels
from messaging.domain.verifications import VerificationStatus

# With fewer than this, a percentage says more than is known: its interval is over 30 points wide.
ENOUGH: Final = 30
# Of the normal distribution, for an interval that is right 95 times in 100.
_Z: Final = 1.96


@dataclass(frozen=True, slots=True)
class Conversion:
    """`approved`: out of those that are over. `pending` ones may still be approved, so they are not
    counted in it.
    """

    name: str
    approved: Share
    pending: int

    @property
    def started(self) -> int:
        return self.approved.of + self.pending

    @property
    def enough(self) -> bool:
        return self.approved.of >= ENOUGH

    @property
    def between(self) -> tuple[float, float]:
        """The 95 % interval of the share in percent, by Wilson's formula, which holds for small
        numbers and for shares near 0 and 1 too:
        en.wikipedia.org/wiki/Binomial_proportion_confidence_interval.
        """
        count, of = self.approved.count, self.approved.of
        if not of:
            return 0.0, 100.0
        part, spread = count / of, _Z**2 / of
        middle = part + spread / 2
        half = _Z * math.sqrt(part * (1 - part) / of + spread / (4 * of))
        low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
        return 100 * max(0.0, low), 100 * min(1.0, high)


@dataclass(frozen=True, slots=True)
class Conversions:
    """Of the verifications that were started in one time span."""

    total: Conversion
    by_channel: tuple[Conversion, ...]
    by_country: tuple[Conversion, ...]


def conversions(codes: Sequence[CodeSummary], now: datetime) -> Conversions:
    """An approval counts for the channel of the last send before it; a channel's other
    verifications are those whose code it sent as well.
    """
    known = [(one, one.status(now)) for one in codes]
    by_channel = (
        _conversion(name, [_on(name, *one) for one in known if name in one[0].sends])
        for name in channels()
    )
    countries = sorted({one.country for one in codes if one.country})
    by_country = [
        _conversion(name, [status for one, status in known if one.country == name])
        for name in countries
    ]
    return Conversions(
        _conversion("all", [status for _, status in known]),
        tuple(one for one in by_channel if one.started),
        tuple(sorted(by_country, key=lambda one: -one.started)),
    )


def _on(channel: str, code: CodeSummary, status: VerificationStatus) -> VerificationStatus:
    """The status as it counts for the channel: a code that the next channel sent again was not
    approved by this one.
    """
    elsewhere = status is VerificationStatus.APPROVED and code.sends[-1] != channel
    return VerificationStatus.EXPIRED if elsewhere else status


def _conversion(name: str, statuses: Iterable[VerificationStatus]) -> Conversion:
    found = list(statuses)
    pending = found.count(VerificationStatus.PENDING)
    approved = found.count(VerificationStatus.APPROVED)
    return Conversion(name, Share(approved, len(found) - pending), pending)
