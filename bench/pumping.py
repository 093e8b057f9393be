"""`python -m bench.pumping`: how many codes an SMS pumping attack gets from the guard, and how many
honest users it refuses meanwhile. Simulated: the clock, the users and the attackers. Real: the
guard, its counters and the parameters of cdk.json.
"""

import heapq
import io
import random
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count as numbers_from
from typing import Any

from aws_lambda_powertools import Logger

from messaging.codes.guard import Guard, record_approval
from messaging.domain.errors import Blocked
from messaging.domain.limits import BreakerMode, CodeLimits
from messaging.store.counters import Counters
from messaging.store.table import Table
from tests.support.dynamodb import MemoryDynamoDB

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
# The honest users of the measured day, by calling code. The three last ones are attacked: codes
# that belong to one country each, with no meaning beyond that.
HONEST = {"49": 120, "33": 90, "44": 80, "39": 70, "34": 50, "372": 30, "370": 30, "374": 30}
ATTACKED = ("372", "370", "374")
RETURNING = 0.7  # of the honest users have signed in during the week before
PREFIXES_IN_USE = 200  # per country
CONVERSION, RESENDS, CONVERSION_OF_A_RESEND = 0.75, 0.6, 0.5
SECOND_CHANNEL, SECOND_CHANNEL_AFTER = 0.2, 45
ENTRY_MEDIAN, ENTRY_SIGMA = 25.0, 0.9
ATTACK_STARTS, ATTACK_PREFIXES = 5_000, 50
ATTACK_BEGINS = timedelta(hours=6)


@dataclass(frozen=True)
class Attack:
    name: str
    duration: timedelta
    prefixes: int = ATTACK_PREFIXES
    begins: timedelta = ATTACK_BEGINS
    starts: int = ATTACK_STARTS
    per_number: int = 1


@dataclass
class Outcome:
    sent: list[timedelta] = field(default_factory=list)
    refused_attack: Tally[str] = field(default_factory=Tally)
    refused: list[tuple[str, timedelta, bool, bool, str]] = field(default_factory=list)
    honest: int = 0
    honest_attacked: int = 0
    opened: int = 0


class Simulation:
    def __init__(self, attack: Attack, limits: CodeLimits, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = START
        self.table = MemoryDynamoDB()
        self.counters = Counters(Table(self.table, "Messages"))  # type: ignore[arg-type]
        self.log = Logger(service="pumping", stream=io.StringIO())
        self.guard = Guard(self.counters, limits, lambda: self.now, self.log)
        self.attack = attack
        self.events: list[tuple[datetime, int, Callable[[], None]]] = []
        self.order = numbers_from()
        self.outcome = Outcome()
        self.day = START + 7 * DAY

    def at(self, when: datetime, what: Callable[[], None]) -> None:
        heapq.heappush(self.events, (when, next(self.order), what))

    def run(self) -> Outcome:
        used = {
            code: [f"+{code}{5 + i // 1000}{i % 1000:03}" for i in range(PREFIXES_IN_USE)]
            for code in HONEST
        }
        for code, users in HONEST.items():
            for _ in range(users):
                number = f"{self.random.choice(used[code])}{self.random.randrange(10_000):04}"
                returning = self.random.random() < RETURNING
                if returning:
                    self.at(
                        START + 7 * DAY * self.random.random(),
                        lambda n=number: self.honest(n, False, False),
                    )
                at = self.day + DAY * self.random.random()
                self.at(at, lambda n=number, r=returning: self.honest(n, True, r))
        if self.attack.starts:
            self.plan_attack(used)
        sink = io.StringIO()
        with redirect_stdout(sink):
            while self.events:
                self.now, _, what = heapq.heappop(self.events)
                what()
        self.outcome.opened = sink.getvalue().count('"CodeBreakerOpened":[')
        return self.outcome

    def plan_attack(self, used) -> None:
        a = self.attack
        if a.prefixes <= len(ATTACKED) * PREFIXES_IN_USE:
            pool = [
                self.random.sample(used[code], a.prefixes // 3 + (i < a.prefixes % 3))
                for i, code in enumerate(ATTACKED)
            ]
            prefixes = [p for one in pool for p in one]
        else:
            prefixes = [
                f"+{code}{5 + i // 1000}{i % 1000:03}"
                for code in ATTACKED
                for i in range(a.prefixes // 3 + 1)
            ]
        for i in range(a.starts // a.per_number):
            number = f"{prefixes[i % len(prefixes)]}{self.random.randrange(10_000):04}"
            for _ in range(a.per_number):
                at = self.day + a.begins + a.duration * self.random.random()
                self.at(at, lambda n=number: self.pump(n))

    def pump(self, number: str) -> None:
        ip = f"2001:db8:{self.random.randrange(65536):x}:{self.random.randrange(65536):x}::1"
        try:
            self.guard.admit([number], ip)
        except Blocked as b:
            self.outcome.refused_attack[b.limit] += 1
        else:
            self.outcome.sent.append(self.now - self.day)

    def honest(self, number: str, measured: bool, returning: bool) -> None:
        attacked = number.startswith(tuple(f"+{c}" for c in ATTACKED))
        if measured:
            self.outcome.honest += 1
            self.outcome.honest_attacked += attacked
        ip = f"198.51.{self.random.randrange(100)}.{self.random.randrange(256)}"
        try:
            counted = self.guard.admit([number], ip)
        except Blocked as b:
            if measured:
                self.outcome.refused.append(
                    (number[:4], self.now - self.day, returning, attacked, b.limit)
                )
            return
        if self.random.random() < CONVERSION:
            self.enter(counted, 0)
        elif self.random.random() < RESENDS:

            def again() -> None:
                try:
                    self.guard.admit([number], ip, resend=True)
                except Blocked as b:
                    if measured:
                        self.outcome.refused.append(
                            (
                                number[:4],
                                self.now - self.day,
                                returning,
                                attacked,
                                "resend " + b.limit,
                            )
                        )
                    return
                if self.random.random() < CONVERSION_OF_A_RESEND:
                    self.enter(counted, 0)

            self.at(self.now + timedelta(seconds=60 + 60 * self.random.random()), again)

    def enter(self, counted, _) -> None:
        seconds = self.random.lognormvariate(0, ENTRY_SIGMA) * ENTRY_MEDIAN
        if self.random.random() < SECOND_CHANNEL:
            seconds += SECOND_CHANNEL_AFTER
        if seconds < 600:
            self.at(
                self.now + timedelta(seconds=seconds),
                lambda: record_approval(self.counters, counted, self.now, self.log),
            )


def main() -> None:
    import os, sys, time

    os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "x"
    limits = CodeLimits(
        5,
        10,
        int(os.environ.get("PFX", "20")),
        20,
        frozenset(),
        frozenset(),
        BreakerMode.BLOCK,
        int(os.environ.get("PCT", "20")),
    )
    attacks = [
        Attack("none", DAY, starts=0),
        Attack("10 min", timedelta(minutes=10)),
        Attack("1 hour", timedelta(hours=1)),
        Attack("6 hours", timedelta(hours=6)),
        Attack("24 hours", DAY, begins=timedelta()),
        Attack("1 hour, 5 a number", timedelta(hours=1), per_number=5),
        Attack("1 hour, 5000 prefixes", timedelta(hours=1), prefixes=5000),
        Attack("24 hours, 5000 prefixes", DAY, begins=timedelta(), prefixes=5000),
    ]
    for attack in attacks:
        for mode in BreakerMode:
            t = time.time()
            sents, refs, ops, why, aw = [], [], [], Tally(), Tally()
            for seed in range(int(os.environ.get("SEEDS", "3"))):
                o = Simulation(attack, replace(limits, breaker=mode), seed).run()
                sents.append(len(o.sent))
                refs.append(len(o.refused))
                ops.append(o.opened)
                for r in o.refused:
                    why[(r[4], "attacked" if r[3] else "other", "ret" if r[2] else "new")] += 1
                aw += o.refused_attack
            print(
                f"{attack.name:24} {mode:8} sent {sents} refused honest {refs} of {o.honest} ({o.honest_attacked} attacked) opened {ops} {dict(why)} {dict(aw)} {time.time() - t:.1f}s",
                flush=True,
            )


if __name__ == "__main__":
    main()
