"""A simulated SMS pumping attack: what it gets, and who is refused, follows from the rules."""

from dataclasses import replace

import pytest

from bench.pumping import ATTACKS, AttackOutcome, Simulation, defaults
from messaging.codes.breaker import (
    BLOCK,
    ENOUGH_OF_A_COUNTRY,
    ENOUGH_OF_A_PREFIX,
    ENTRY_TIME,
    TRIALS_OF_A_COUNTRY,
    TRIALS_OF_A_PREFIX,
)
from messaging.domain.limits import HOUR, BreakerMode
from messaging.store.counters import COHORT

pytestmark = pytest.mark.slow


def simulated(name: str, breaker: BreakerMode | None = None) -> AttackOutcome:
    """With the defaults, or another mode of the breaker."""
    [attack] = [one for one in ATTACKS if one.name == name]
    with defaults() as limits:
        mode = breaker or limits.breaker
        return Simulation(attack, replace(limits, breaker=mode), seed=0).run()


def until_a_breaker_opens(outcome: AttackOutcome, countries: int, enough: int) -> float:
    """How many codes of the attack are sent to a country: enough to be judged, and those that are
    started before these are old enough.
    """
    attack = outcome.attack
    per_country = attack.starts / countries
    return enough + per_country * ((2 * COHORT + ENTRY_TIME) / attack.duration)


def test_without_an_attack_nobody_is_refused() -> None:
    outcome = simulated("no attack")

    assert outcome.refused_users == []
    assert outcome.breakers_opened == 0
    assert len(outcome.known) > outcome.honest / 2


def test_a_burst_gets_what_the_prefixes_may_have() -> None:
    outcome = simulated("in 10 minutes", BreakerMode.MONITOR)
    with defaults() as limits:
        most = len(outcome.prefixes) * limits.per_prefix_hour

    # A user who enters a code makes place for another.
    assert most * 0.95 <= len(outcome.sent_to_attackers) <= most * 1.01
    assert outcome.breakers_opened >= len(outcome.attack.countries)
    assert {one.limit for one in outcome.refused_users} <= {"prefix"}


@pytest.fixture(scope="module")
def slow_attack() -> AttackOutcome:
    return simulated("in 24 hours")


def test_a_slow_attack_gets_what_opens_the_breakers(slow_attack: AttackOutcome) -> None:
    outcome, countries = slow_attack, len(slow_attack.attack.countries)
    trusted = {number[:-4] for number in outcome.known} & outcome.prefixes

    # When the attack begins, and after each block.
    times = outcome.attack.duration // BLOCK + 1
    of_countries = countries * until_a_breaker_opens(outcome, countries, ENOUGH_OF_A_COUNTRY)
    of_trusted = len(trusted) * (ENOUGH_OF_A_PREFIX + 2)
    trials = len(outcome.prefixes) * TRIALS_OF_A_PREFIX
    most = times * (of_countries + of_trusted + trials)
    assert countries * ENOUGH_OF_A_COUNTRY <= len(outcome.sent_to_attackers) <= most
    assert most < outcome.attack.starts / 5


def test_only_users_that_are_like_the_attackers_are_refused(slow_attack: AttackOutcome) -> None:
    assert len(slow_attack.refused_users) < slow_attack.honest_there / 5
    for user in slow_attack.refused_users:
        assert not user.known
        assert user.number[:-4] in slow_attack.prefixes


def test_an_attack_on_ever_new_prefixes_gets_what_opens_the_breakers_of_countries() -> None:
    outcome = simulated("in 1 hour, on 5,000 prefixes")
    countries = len(outcome.attack.countries)

    hours = outcome.attack.duration // HOUR + 1
    most = countries * (
        until_a_breaker_opens(outcome, countries, ENOUGH_OF_A_COUNTRY) + hours * TRIALS_OF_A_COUNTRY
    )
    assert len(outcome.sent_to_attackers) <= most < outcome.attack.starts / 5
