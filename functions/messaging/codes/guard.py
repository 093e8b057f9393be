"""Decides whether a code may be sent: limits against abuse, and a breaker against SMS pumping."""

import hashlib
import ipaddress
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from messaging.domain.errors import Blocked, Uncounted
from messaging.domain.limits import BreakerMode, CodeLimits, Cohort, Counter, Window
from messaging.metrics import Metric, count
from messaging.ports import Clock

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from messaging.store.counters import Counters

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A code that will be entered has been entered after this time.
ENTRY_TIME = timedelta(minutes=3)
BLOCK = timedelta(hours=12)
ENOUGH_OF_A_PREFIX, ENOUGH_OF_A_COUNTRY = 10, 30
JUDGED_OF_A_RECIPIENT = 2
TRUSTED = timedelta(days=30)
TRIALS_OF_A_PREFIX, TRIALS_OF_A_COUNTRY = 2, 10


@dataclass(frozen=True, slots=True)
class _Destination:
    """Where a number is: its country, and the names of the counters of its prefix and country."""

    country: str
    of_prefix: str
    of_country: str


@dataclass(frozen=True, slots=True)
class _Limit:
    """The windows of one counter; `kind` is how `Blocked` names the limit."""

    kind: str
    counter: str
    windows: tuple[Window, ...]
    keep: timedelta
    has_cohorts: bool = False


class Guard:
    """Asked before a code is sent, at a start and at a resend."""

    def __init__(self, counters: "Counters", limits: CodeLimits, now: Clock, log: "Logger") -> None:
        self.counters = counters
        self.limits = limits
        self.now = now
        self.log = log

    def admit(
        self, addresses: Sequence[str], client_ip: str | None, *, resend: bool = False
    ) -> tuple[str, ...]:
        """Counts a code to these addresses; returns what `record_approval` needs.

        Raises `Blocked`: then nothing was counted. A `resend` counts against the limits, and is no
        further verification.
        """
        destinations = [_destination(each) for each in addresses if each.startswith("+")]
        try:
            self._check_countries(destinations)
            return self._admit(addresses, client_ip, destinations, resend=resend)
        except Blocked as blocked:
            count(Metric.CODE_BLOCKED, limit=blocked.limit)
            raise
        except Uncounted as error:
            count(Metric.CODES_UNCOUNTED)
            self.log.warning("A code is sent without limits", error=str(error))
            return ()

    def _check_countries(self, destinations: Sequence[_Destination]) -> None:
        for country in (each.country for each in destinations):
            limits = self.limits
            if country in limits.denied or (limits.allowed and country not in limits.allowed):
                raise Blocked(f"codes are not sent to numbers of {country}", "country")

    def _admit(
        self,
        addresses: Sequence[str],
        client_ip: str | None,
        destinations: Sequence[_Destination],
        *,
        resend: bool,
    ) -> tuple[str, ...]:
        now = self.now()
        # Recipients are counted last: what another limit refuses must not hurt them.
        senders = [*self._of_client(client_ip), *self._of_recipients(addresses)]
        names = [each.counter for each in senders]
        for each in destinations:
            names += [each.of_prefix, each.of_country]
        found = self.counters.read(dict.fromkeys(names))
        limits = {
            limit.counter: limit
            for each in destinations
            for limit in self._of_destination(each, found, now)
        }
        for limit in [*limits.values(), *senders]:
            _refuse_if(found[limit.counter].full_until(limit.windows, now), limit.kind, now)
        judged = not resend and any(
            _is_seldom(found[each.counter], now) for each in senders if each.kind == "recipient"
        )
        for limit in [*limits.values(), *senders]:
            started = limit.has_cohorts and judged
            until = self.counters.add(
                found[limit.counter], limit.windows, now, limit.keep, started=started
            )
            _refuse_if(until, limit.kind, now)
        return tuple(self.counters.entry(name, now) for name in limits) if judged else ()

    def _of_client(self, client_ip: str | None) -> Iterator[_Limit]:
        if client_ip is not None:
            hour = Window("hour", HOUR, self.limits.per_client_hour)
            yield _Limit("client_ip", _hashed("client", _network(client_ip)), (hour,), DAY)

    def _of_recipients(self, addresses: Sequence[str]) -> Iterator[_Limit]:
        hour = Window("hour", HOUR, self.limits.per_recipient_hour)
        day = Window("day", DAY, self.limits.per_recipient_day)
        for address in addresses:
            yield _Limit("recipient", _hashed("recipient", address.lower()), (hour, day), DAY)

    def _of_destination(
        self, destination: _Destination, found: dict[str, Counter], now: datetime
    ) -> tuple[_Limit, _Limit]:
        """The limits of its prefix and of its country. Raises `Blocked` if a breaker is open."""
        for name, enough in (
            (destination.of_prefix, ENOUGH_OF_A_PREFIX),
            (destination.of_country, ENOUGH_OF_A_COUNTRY),
        ):
            found[name] = self._judged(found[name], enough, destination, now)
        prefix, country = found[destination.of_prefix], found[destination.of_country]
        trials = None
        if self.limits.breaker is BreakerMode.BLOCK:
            _refuse_if(prefix.blocked_until if prefix.is_blocked(now) else None, "breaker", now)
            if country.is_blocked(now) and not _is_trusted(prefix, now):
                _refuse_if(_touched_until(prefix, country, now), "breaker", now)
                trials = TRIALS_OF_A_COUNTRY
        hour = Window("hour", HOUR, self.limits.per_prefix_hour)
        return (
            _Limit("prefix", prefix.name, (hour,), TRUSTED, has_cohorts=True),
            _Limit("breaker", country.name, (Window("hour", HOUR, trials),), TRUSTED, True),
        )

    def _judged(
        self, counter: Counter, enough: int, destination: _Destination, now: datetime
    ) -> Counter:
        """The counter, with a block if too few of the newest codes have been entered."""
        share = _approved_percent(counter.cohorts, enough, now)
        if counter.is_blocked(now) or share is None or share >= self.limits.breaker_percent:
            return counter
        windows = (Window("hour", HOUR, None),)
        opened = self.counters.open_breaker(counter, windows, now, now + BLOCK)
        if opened is None:
            return counter
        count(Metric.CODE_BREAKER_OPENED)
        self.log.warning(
            "Too few codes are entered: the breaker opened",
            country=destination.country,
            of=counter.name.partition("#")[0],
            mode=self.limits.breaker,
        )
        return opened


def record_approval(
    counters: "Counters", counted_as: Sequence[str], now: datetime, log: "Logger"
) -> None:
    """Counts an approval of a verification that `admit` counted; an outage is only reported."""
    try:
        for entry in counted_as:
            counters.approve(entry, now)
    except Uncounted as error:
        count(Metric.CODES_UNCOUNTED)
        log.warning("An approval was not counted", error=str(error))


def _approved_percent(cohorts: Sequence[Cohort], enough: int, now: datetime) -> float | None:
    """Of the newest codes that are old enough to have been entered; None if there are too few."""
    started = approved = 0
    for cohort in cohorts:
        if now - BLOCK < cohort.began and cohort.ended + ENTRY_TIME <= now:
            started += cohort.started
            approved += cohort.approved
            if started >= enough:
                return 100 * approved / started
    return None


def _is_seldom(recipient: Counter, now: datetime) -> bool:
    used = recipient.running(Window("day", DAY, None), now)
    return used is None or used.count < JUDGED_OF_A_RECIPIENT


def _is_trusted(prefix: Counter, now: datetime) -> bool:
    return prefix.approved_at is not None and now - prefix.approved_at < TRUSTED


def _touched_until(prefix: Counter, country: Counter, now: datetime) -> datetime | None:
    """When the block of the country ends, if codes to the prefix were not entered."""
    recent = (each.started for each in prefix.cohorts if now - BLOCK < each.began)
    return country.blocked_until if sum(recent) >= TRIALS_OF_A_PREFIX else None


_SENTENCES: Mapping[str, str] = {
    "recipient": "too many codes were sent to this recipient",
    "client_ip": "too many codes were requested from this client_ip",
    "prefix": "too many codes to numbers that begin like this one were not entered",
    "breaker": "too few codes to numbers like this one were entered, so sending is paused",
}


def _refuse_if(until: datetime | None, kind: str, now: datetime) -> None:
    if until:
        raise Blocked(_SENTENCES[kind], kind, math.ceil((until - now).total_seconds()))


def _destination(number: str) -> _Destination:
    country = _country(number)
    return _Destination(country, _hashed("prefix", number[:-4]), f"country#{country}")


def _country(number: str) -> str:
    """Its ISO 3166 code; 001 for a number that belongs to no country."""
    import phonenumbers  # noqa: PLC0415 - takes time to load, and an approval does not need it

    parsed = phonenumbers.parse(number)
    return phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )


def _network(client_ip: str) -> str:
    """The address; of IPv6 the /64, which one subscriber has."""
    address = ipaddress.ip_address(client_ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _hashed(kind: str, value: str) -> str:
    return f"{kind}#{hashlib.sha256(value.encode()).hexdigest()[:32]}"
