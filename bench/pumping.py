"""`python -m bench.pumping`: how many codes an SMS pumping attack gets from the guard, and how many
honest users are refused meanwhile.

Real: the guard, its counters and the defaults of cdk.json. Simulated: the table, the clock, and
500 honest users in a day of five countries and the three that are attacked.
"""

import argparse
import heapq
import io
import json
import random
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from unittest.mock import patch

from aws_lambda_powertools import Logger

from infra.config import Config
from local.addresses import ROOT
from messaging import settings
from messaging.codes.guard import Guard, record_approval
from messaging.domain.errors import Blocked
from messaging.domain.limits import BreakerMode, CodeLimits
from messaging.store.counters import Counters
from messaging.store.table import Table
from tests.support.dynamodb import MemoryDynamoDB

BEGINNING = datetime(2026, 1, 5, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
# The honest users of the day, by calling code; evenly over the day. Each country has 200 prefixes
# in use, evenly. 7 of 10 users got a code in the week before.
HONEST = {"49": 120, "33": 90, "44": 80, "39": 70, "34": 50, "372": 30, "370": 30, "374": 30}
SMALL, LARGE = ("372", "370", "374"), ("49", "33", "44")
PREFIXES_OF_A_COUNTRY = 200
RETURNING = 0.7
# What becomes of a code: 3 of 4 are entered. Of the others, 6 of 10 ask for a resend after one or
# two minutes, and half of these enter it.
ENTERED, ASKED_AGAIN, ENTERED_THEN = 0.75, 0.6, 0.5
# How long that takes: half of the users need 25 seconds, 19 of 20 less than 110. One of five gets
# the code on the second channel, 45 seconds later. Codes live 10 minutes.
MEDIAN_SECONDS, SPREAD_OF_SECONDS = 25.0, 0.9
ON_THE_SECOND_CHANNEL, SECOND_CHANNEL_AFTER = 0.2, 45
LIFE_SECONDS = 600
STARTS = 5_000


@dataclass(frozen=True)
class Attack:
    """Starts at random times for numbers on each prefix in turn. The prefixes are among those in
    use, if there are so many. Each start comes from a client of its own. No code is entered.
    """

    name: str
    duration: timedelta
    starts: int = STARTS
    prefixes: int = 50
    countries: tuple[str, ...] = SMALL
    begins: timedelta = timedelta(hours=6)
    per_number: int = 1


ATTACKS = (
    Attack("no attack", DAY, starts=0, begins=timedelta(0)),
    Attack("in 10 minutes", timedelta(minutes=10)),
    Attack("in 1 hour", timedelta(hours=1)),
    Attack("in 6 hours", timedelta(hours=6)),
    Attack("in 24 hours", DAY, begins=timedelta(0)),
    Attack("in 1 hour, 5 codes per number", timedelta(hours=1), per_number=5),
    Attack("in 1 hour, in the 3 largest countries", timedelta(hours=1), countries=LARGE),
    Attack("in 10 minutes, on 5,000 prefixes", timedelta(minutes=10), prefixes=5_000),
    Attack("in 1 hour, on 5,000 prefixes", timedelta(hours=1), prefixes=5_000),
    Attack("in 24 hours, on 5,000 prefixes", DAY, prefixes=5_000, begins=timedelta(0)),
)


@dataclass(frozen=True)
class User:
    """An honest user; `measured`: in the day of the attack, not in the week before."""

    number: str
    client_ip: str
    measured: bool


@dataclass
class RefusedUser:
    """An honest user who got no code, or no resend; `known`: who had entered a code before."""

    at: timedelta
    number: str
    limit: str
    known: bool


@dataclass
class AttackOutcome:
    """What went out and what was refused; times are since the attack began. `known`: the honest
    users' numbers whose codes were entered.
    """

    attack: Attack
    prefixes: frozenset[str]
    known: set[str] = field(default_factory=set)
    honest: int = sum(HONEST.values())
    sent_to_attackers: list[timedelta] = field(default_factory=list)
    refused_attackers: Tally[str] = field(default_factory=Tally)
    refused_users: list[RefusedUser] = field(default_factory=list)
    breakers_opened: int = 0

    @property
    def honest_there(self) -> int:
        """Honest users in the attacked countries."""
        return sum(HONEST[country] for country in self.attack.countries)

    @property
    def refused_there(self) -> int:
        return sum(_is_in(one.number, self.attack.countries) for one in self.refused_users)

    def sent_within(self, time: timedelta) -> int:
        return sum(at <= time for at in self.sent_to_attackers)


class Simulation:
    """A week of honest users, then a day of them with the attack."""

    def __init__(self, attack: Attack, limits: CodeLimits, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a simulation that can be repeated
        self.now = BEGINNING
        self.log = Logger(service="pumping", stream=io.StringIO())
        table = Table(MemoryDynamoDB(), "Messages")  # type: ignore[arg-type] # the stand-in
        self.counters = Counters(table)
        self.guard = Guard(self.counters, limits, lambda: self.now, self.log)
        self.outcome = AttackOutcome(attack, frozenset(self._attacked(attack)))
        self._begins = BEGINNING + WEEK + attack.begins
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()

    def run(self) -> AttackOutcome:
        self._plan_users()
        self._plan_attack(self.outcome.attack)
        written = io.StringIO()
        with redirect_stdout(written):
            while self._events:
                self.now, _, what = heapq.heappop(self._events)
                what()
        self.outcome.breakers_opened = written.getvalue().count('"CodeBreakerOpened":[')
        return self.outcome

    def _at(self, when: datetime, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), what))

    def _plan_users(self) -> None:
        for country, users in HONEST.items():
            for _ in range(users):
                number = self._number(self.random.choice(_prefixes(country)))
                client_ip = f"2001:db8:0:{self.random.randrange(2**16):x}::1"
                user = User(number, client_ip, measured=True)
                if self.random.random() < RETURNING:
                    before = replace(user, measured=False)
                    self._at(BEGINNING + self.random.random() * WEEK, partial(self._start, before))
                at = BEGINNING + WEEK + self.random.random() * DAY
                self._at(at, partial(self._start, user))

    def _plan_attack(self, attack: Attack) -> None:
        prefixes = sorted(self.outcome.prefixes)
        self.random.shuffle(prefixes)
        for index in range(attack.starts // attack.per_number):
            number = self._number(prefixes[index % len(prefixes)])
            for _ in range(attack.per_number):
                at = self._begins + self.random.random() * attack.duration
                self._at(at, partial(self._pump, number))

    def _attacked(self, attack: Attack) -> Iterator[str]:
        for index, country in enumerate(attack.countries):
            share = len(range(index, attack.prefixes, len(attack.countries)))
            every = _prefixes(country, max(share, PREFIXES_OF_A_COUNTRY))
            yield from self.random.sample(every, share)

    def _number(self, prefix: str) -> str:
        return f"{prefix}{self.random.randrange(10_000):04}"

    def _pump(self, number: str) -> None:
        client_ip = f"2001:db8:1:{self.random.randrange(2**16):x}::1"
        try:
            self.guard.admit([number], self.guard.client_counter(client_ip))
        except Blocked as blocked:
            self.outcome.refused_attackers[blocked.limit] += 1
        else:
            self.outcome.sent_to_attackers.append(self.now - self._begins)

    def _start(self, user: User) -> None:
        if (counted_as := self._sent(user, resend=False)) is None:
            return
        if self.random.random() < ENTERED:
            self._enter(user, counted_as)
        elif self.random.random() < ASKED_AGAIN:
            at = self.now + timedelta(seconds=60 + 60 * self.random.random())
            self._at(at, partial(self._resend, user, counted_as))

    def _resend(self, user: User, counted_as: Sequence[str]) -> None:
        if self._sent(user, resend=True) is not None and self.random.random() < ENTERED_THEN:
            self._enter(user, counted_as)

    def _sent(self, user: User, *, resend: bool) -> tuple[str, ...] | None:
        try:
            client = self.guard.client_counter(user.client_ip)
            return self.guard.admit([user.number], client, resend=resend)
        except Blocked as blocked:
            if user.measured:
                known = user.number in self.outcome.known
                refused = RefusedUser(self.now - self._begins, user.number, blocked.limit, known)
                self.outcome.refused_users.append(refused)
            return None

    def _enter(self, user: User, counted_as: Sequence[str]) -> None:
        seconds = MEDIAN_SECONDS * self.random.lognormvariate(0, SPREAD_OF_SECONDS)
        if self.random.random() < ON_THE_SECOND_CHANNEL:
            seconds += SECOND_CHANNEL_AFTER
        if seconds < LIFE_SECONDS:
            self._at(
                self.now + timedelta(seconds=seconds), partial(self._approve, user, counted_as)
            )

    def _approve(self, user: User, counted_as: Sequence[str]) -> None:
        self.outcome.known.add(user.number)
        record_approval(self.counters, counted_as, self.now, self.log)


@contextmanager
def defaults() -> Iterator[CodeLimits]:
    """The limits of cdk.json, as the functions read them."""
    context: Mapping[str, object] = json.loads((ROOT / "cdk.json").read_text())["context"]
    environment = Config.from_context(context).code_limits
    named = {"POWERTOOLS_METRICS_NAMESPACE": "Throughline"}
    with patch.dict("os.environ", environment | named):
        yield settings.code_limits()


def line(mode: str, outcomes: Sequence[AttackOutcome]) -> str:
    """The figures of one attack, of the seed with the fewest to the one with the most."""
    within = [timedelta(minutes=10), timedelta(hours=1), timedelta(hours=12), DAY]
    sent = [_range([one.sent_within(time) for one in outcomes]) for time in within]
    refused = _range([len(one.refused_users) for one in outcomes])
    there = _range([one.refused_there for one in outcomes])
    opened = _range([one.breakers_opened for one in outcomes])
    first = outcomes[0]
    cells = [first.attack.name, mode, *sent, f"{refused} of {first.honest}"]
    return " | ".join([*cells, f"{there} of {first.honest_there}", opened])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pumping", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how often each attack is simulated")
    seeds = range(parser.parse_args().seeds)
    print(  # noqa: T201 - its result
        f"{STARTS:,} starts | breaker | sent within 10 min | 1 h | 12 h | 24 h"
        " | honest users refused | of them in the attacked countries | breakers opened",
    )
    with defaults() as limits:
        for attack in ATTACKS:
            for mode in BreakerMode:
                each = replace(limits, breaker=mode)
                outcomes = [Simulation(attack, each, seed).run() for seed in seeds]
                print(line(mode, outcomes), flush=True)  # noqa: T201 - its result


def _prefixes(country: str, how_many: int = PREFIXES_OF_A_COUNTRY) -> list[str]:
    return [f"+{country}5{index:04}" for index in range(how_many)]


def _is_in(number: str, countries: Sequence[str]) -> bool:
    return number.startswith(tuple(f"+{country}5" for country in countries))


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,}-{high:,}"


if __name__ == "__main__":
    main()
