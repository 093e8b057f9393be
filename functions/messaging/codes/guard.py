"""Decides whether a code may be sent: the limits, and the breaker against SMS pumping.

A code takes one read of all its counters, and a write of each: those of the recipient, of
`client_ip` if it is given, and of the number's prefix and country. An approval takes two writes,
and a third one if the recipient is new. A refused code takes the read alone.
"""

import base64
import hashlib
import ipaddress
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from messaging.codes.breaker import (
    BLOCK,
    ENOUGH_OF_A_COUNTRY,
    ENOUGH_OF_A_PREFIX,
    JUDGED_OF_A_RECIPIENT,
    TRIALS_OF_A_COUNTRY,
    TRUST,
    approved_percent,
    is_attacked,
    is_trusted,
)
from messaging.domain.errors import Blocked, Uncounted
from messaging.domain.limits import DAY, HOUR, BreakerMode, CodeLimits, Counter, Window
from messaging.metrics import Metric, count
from messaging.ports import Clock

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from messaging.store.counters import Counters

# What a refusal says, by the name of its limit.
LIMITS: Mapping[str, str] = {
    "recipient": "too many codes were sent to this recipient",
    "client_ip": "too many codes were requested from this client_ip",
    "prefix": "too many codes to numbers that begin like this one were not entered",
    "country": "codes are not sent to numbers of this country",
    "breaker": "too few codes to numbers like this one are entered, so none is sent for a while",
}


@dataclass(frozen=True, slots=True)
class _Recipient:
    """The names of the counters of an address and, of a number, its country and their counters."""

    counter: str
    country: str | None = None
    places: tuple[str, ...] = ()

    @classmethod
    def of(cls, address: str) -> "_Recipient":
        counter = _hashed("recipient", address.lower())
        if not address.startswith("+"):
            return cls(counter)
        country = _country(address)
        return cls(counter, country, (_hashed("prefix", address[:-4]), f"country#{country}"))


@dataclass(frozen=True, slots=True)
class _Limit:
    """The windows of one counter; `kind` is how `Blocked` names the limit, `keep` is how long the
    counter is kept.
    """

    kind: str
    counter: str
    windows: tuple[Window, ...]
    keep: timedelta = TRUST


class Guard:
    """Is asked before a code is sent."""

    def __init__(self, counters: "Counters", limits: CodeLimits, now: Clock, log: "Logger") -> None:
        self.counters = counters
        self.limits = limits
        self.now = now
        self.log = log

    def admit(
        self, addresses: Sequence[str], client: str | None, *, resend: bool = False
    ) -> tuple[str, ...]:
        """Counts a code to the recipient's distinct addresses, for the `client_counter` of who
        requested it; returns the counters to which `record_approval` adds the approval. A `resend`
        of a code is no further verification.

        A code that is sent to several addresses may be read at any of them: its approval proves
        nothing of a number. It is not judged, and keeps its place in the hour of the prefix.

        Raises `Blocked`; nothing was counted then, unless another request filled the same counter
        meanwhile. Counters that cannot be read or written refuse nothing.
        """
        # The same address in two spellings is one recipient.
        recipients = list(dict.fromkeys(map(_Recipient.of, addresses)))
        try:
            self._check_countries(recipients)
            return self._admit(recipients, client, resend=resend)
        except Blocked as blocked:
            count(Metric.CODE_BLOCKED, limit=blocked.limit)
            raise
        except Uncounted as error:
            count(Metric.CODES_UNCOUNTED)
            self.log.warning("A code is sent without limits", error=str(error))
            return ()

    @staticmethod
    def client_counter(client_ip: str | None) -> str | None:
        """The name of the counter of an end user's address, if that is known."""
        return _hashed("client", _subscriber(client_ip)) if client_ip else None

    def _check_countries(self, recipients: Sequence[_Recipient]) -> None:
        allowed, denied = self.limits.allowed, self.limits.denied
        for country in (each.country for each in recipients if each.country):
            if country in denied or (allowed and country not in allowed):
                raise Blocked(LIMITS["country"], "country")

    def _admit(
        self, recipients: Sequence[_Recipient], client: str | None, *, resend: bool
    ) -> tuple[str, ...]:
        now = self.now()
        places = tuple(dict.fromkeys(name for each in recipients for name in each.places))
        clients = [client] if client else []
        names = [each.counter for each in recipients]
        found = self.counters.read([*names, *clients, *places])
        for place in places:
            found[place] = self._judged(found[place], now)
        limits = [
            *self._of_places(recipients, found, now),
            *self._of_client(clients),
            # Last: what another request fills meanwhile must not count against the recipient.
            *self._of_recipients([found[name] for name in names]),
        ]
        for limit in limits:
            _refuse_until(found[limit.counter].full_until(limit.windows, now), limit.kind, now)
        judged = not resend and len(names) == 1 and _is_judged(found[names[0]], now)
        for limit in limits:
            self._count(limit, found, now, started=judged and limit.counter in places)
        return self._counted_as(found[names[0]], places, now) if judged else ()

    def _judged(self, place: Counter, now: datetime) -> Counter:
        """The counter of a prefix or a country; its breaker opens if too few codes are entered."""
        kind = place.name.partition("#")[0]
        enough = ENOUGH_OF_A_COUNTRY if kind == "country" else ENOUGH_OF_A_PREFIX
        percent = approved_percent(place.cohorts, enough, now)
        if place.is_blocked(now) or percent is None or percent >= self.limits.breaker_percent:
            return place
        opened = self.counters.open_breaker(place, now + BLOCK)
        if opened is None:
            return place
        count(Metric.CODE_BREAKER_OPENED)
        self.log.warning(
            "Too few codes are entered: a breaker opened",
            of=place.name if kind == "country" else kind,
            mode=self.limits.breaker,
        )
        return opened

    def _of_places(
        self, recipients: Sequence[_Recipient], found: Mapping[str, Counter], now: datetime
    ) -> Iterator[_Limit]:
        """The limits of prefixes and countries. Raises `Blocked` if a breaker is open."""
        limits: dict[str, _Limit] = {}
        # Of two recipients with the same counters, the unknown one has the stricter limits.
        for each in sorted(recipients, key=lambda one: not is_trusted(found[one.counter], now)):
            if each.places:
                prefix, country = (found[name] for name in each.places)
                known = is_trusted(found[each.counter], now)
                trials = () if known else self._trials(prefix, country, now)
                most = None if known else self.limits.per_prefix_hour
                limits[prefix.name] = _Limit("prefix", prefix.name, (_hour(most),))
                if trials or country.name not in limits:
                    limits[country.name] = _Limit("breaker", country.name, (_hour(None), *trials))
        yield from limits.values()

    def _trials(self, prefix: Counter, country: Counter, now: datetime) -> tuple[Window, ...]:
        """The further window of the country for a code to a recipient that is not known. Raises
        `Blocked`.
        """
        if self.limits.breaker is BreakerMode.MONITOR:
            return ()
        if prefix.is_blocked(now):
            _refuse_until(prefix.blocked_until, "breaker", now)
        if not country.is_blocked(now) or is_trusted(prefix, now):
            return ()
        if is_attacked(prefix, now):
            _refuse_until(country.blocked_until, "breaker", now)
        return (Window("trials", HOUR, TRIALS_OF_A_COUNTRY),)

    def _of_client(self, names: Sequence[str]) -> Iterator[_Limit]:
        for name in names:
            yield _Limit("client_ip", name, (_hour(self.limits.per_client_hour),), DAY)

    def _of_recipients(self, counters: Sequence[Counter]) -> Iterator[_Limit]:
        day = Window("day", DAY, self.limits.per_recipient_day)
        for each in counters:
            keep = TRUST if each.approved_at else DAY
            windows = (_hour(self.limits.per_recipient_hour), day)
            yield _Limit("recipient", each.name, windows, keep)

    def _count(
        self, limit: _Limit, found: Mapping[str, Counter], now: datetime, *, started: bool
    ) -> None:
        counter = found[limit.counter]
        until = self.counters.add(counter, limit.windows, now, limit.keep, started=started)
        _refuse_until(until, limit.kind, now)

    def _counted_as(
        self, recipient: Counter, places: Sequence[str], now: datetime
    ) -> tuple[str, ...]:
        """A number becomes known; one that became known lately is not written again."""
        entries = tuple(self.counters.entry(place, now) for place in places)
        lately = recipient.approved_at and now - recipient.approved_at < TRUST / 2
        return entries if lately or not places else (recipient.name, *entries)


def record_approval(
    counters: "Counters", counted_as: Sequence[str], now: datetime, log: "Logger"
) -> None:
    """Counts an approval of a verification that `admit` counted; an outage is only reported."""
    try:
        for entry in counted_as:
            counters.approve(entry, now, TRUST)
    except Uncounted as error:
        count(Metric.CODES_UNCOUNTED)
        log.warning("An approval is not counted", error=str(error))


def _is_judged(recipient: Counter, now: datetime) -> bool:
    used = recipient.running(Window("day", DAY, None), now)
    return used is None or used.count < JUDGED_OF_A_RECIPIENT


def _refuse_until(until: datetime | None, kind: str, now: datetime) -> None:
    if until:
        raise Blocked(LIMITS[kind], kind, math.ceil((until - now).total_seconds()))


def _hour(limit: int | None) -> Window:
    return Window("hour", HOUR, limit)


def _country(number: str) -> str:
    """Its ISO 3166 code; 001 for a number that belongs to no country."""
    import phonenumbers  # noqa: PLC0415 - takes time to load, and an approval does not need it

    parsed = phonenumbers.parse(number)
    code = parsed.country_code or 0
    return phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        code
    )


def _subscriber(client_ip: str) -> str:
    """The address; of IPv6 the first 64 bits, because a subscriber has all that begin with them."""
    address = ipaddress.ip_address(client_ip)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


def _hashed(kind: str, value: str) -> str:
    """The name of a counter, short because it is stored with each message: of ten million values,
    two have the same 72 bits with a probability of one in a hundred million.
    """
    digest = hashlib.sha256(value.encode()).digest()[:9]
    return f"{kind}#{base64.urlsafe_b64encode(digest).decode()}"
