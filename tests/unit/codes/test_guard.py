"""What is refused before a code is sent, what is not, and what happens when counting is down."""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from messaging.codes.breaker import (
    ENOUGH_OF_A_COUNTRY,
    ENOUGH_OF_A_PREFIX,
    ENTRY_TIME,
    TRIALS_OF_A_COUNTRY,
    TRUST,
)
from messaging.codes.guard import Guard, record_approval
from messaging.domain.errors import Blocked, Uncounted
from messaging.domain.limits import DAY, HOUR, BreakerMode, CodeLimits, Counter
from messaging.store.counters import COHORT, Counters
from messaging.store.table import Table
from tests.support.dynamodb import MemoryDynamoDB

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
OLD_ENOUGH = COHORT + ENTRY_TIME
LIMITS = CodeLimits(
    per_recipient_hour=5,
    per_recipient_day=10,
    per_prefix_hour=30,
    per_client_hour=20,
    allowed=frozenset(),
    denied=frozenset(),
    breaker=BreakerMode.BLOCK,
    breaker_percent=20,
)
ANA, BEN, EMAIL = "+14255550156", "+12065550100", "ana@example.com"


class Counting(MemoryDynamoDB):
    """Counts the reads and writes."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = self.writes = 0

    def batch_get_item(self, **request: Any) -> dict[str, dict[str, Any]]:
        self.reads += 1
        return super().batch_get_item(**request)

    def update_item(self, **request: Any) -> dict[str, Any]:
        self.writes += 1
        return super().update_item(**request)


class Codes:
    """Sends codes at a time that passes only when told to."""

    def __init__(self, table: Counting) -> None:
        self.table = table
        self.now = NOW
        self.log = Logger(service="guard")
        self.counters = Counters(Table(table, "Messages"))  # type: ignore[arg-type] # the stand-in
        self.limits = LIMITS

    def send(
        self, *addresses: str, client_ip: str | None = None, resend: bool = False
    ) -> tuple[str, ...]:
        guard = Guard(self.counters, self.limits, lambda: self.now, self.log)
        return guard.admit(addresses, guard.client_counter(client_ip), resend=resend)

    def refused(self, *addresses: str, **more: Any) -> tuple[str, int | None]:
        with pytest.raises(Blocked) as blocked:
            self.send(*addresses, **more)
        return blocked.value.limit, blocked.value.retry_after

    def approve(self, counted_as: tuple[str, ...]) -> None:
        record_approval(self.counters, counted_as, self.now, self.log)

    def pump(self, numbers: Iterable[str]) -> None:
        """Codes that nobody enters, long enough ago to be judged."""
        for number in numbers:
            self.send(number)
        self.now += OLD_ENOUGH


@pytest.fixture
def table() -> Counting:
    return Counting()


@pytest.fixture
def codes(table: Counting, monkeypatch: pytest.MonkeyPatch) -> Codes:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Throughline")
    return Codes(table)


def numbers(how_many: int, prefix: str = "+1425555") -> list[str]:
    return [f"{prefix}{number:04}" for number in range(how_many)]


def over_prefixes(how_many: int) -> list[str]:
    """Of one country, each on a prefix of its own."""
    return [f"+1425{number:03}0100" for number in range(how_many)]


def names_of(table: Counting) -> list[str]:
    return [pk.removeprefix("limit#") for pk, _ in table.items]


def metrics(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str | None]]:
    """Which metrics were counted, and of which limit."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    written = [line for line in lines if "_aws" in line]
    return [
        (line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], line.get("limit"))
        for line in written
    ]


def test_a_recipient_gets_five_codes_an_hour_and_ten_a_day(codes: Codes) -> None:
    for _ in range(5):
        codes.send(ANA)
    codes.now += timedelta(minutes=10)
    assert codes.refused(ANA) == ("recipient", 50 * 60)
    codes.now = NOW + HOUR
    for _ in range(5):
        codes.send(ANA)
    codes.now += HOUR
    assert codes.refused(ANA) == ("recipient", 22 * 60 * 60)
    codes.now = NOW + DAY
    assert codes.send(ANA)


def test_the_retry_after_is_exact(codes: Codes) -> None:
    for _ in range(5):
        codes.send(ANA)
    _, seconds = codes.refused(ANA)

    assert seconds is not None
    codes.now += timedelta(seconds=seconds - 1)
    assert codes.refused(ANA) == ("recipient", 1)
    codes.now += timedelta(seconds=1)
    codes.send(ANA)


@pytest.mark.parametrize("address", [EMAIL, "Ana@Example.com"])
def test_an_email_address_is_a_recipient_in_any_spelling(codes: Codes, address: str) -> None:
    for _ in range(5):
        codes.send(EMAIL)

    assert codes.refused(address)[0] == "recipient"


def test_an_address_in_two_spellings_is_counted_once(codes: Codes) -> None:
    for _ in range(5):
        assert codes.send(EMAIL, "Ana@Example.com") == ()

    assert codes.refused(EMAIL)[0] == "recipient"


def test_each_address_of_a_recipient_has_its_limit(codes: Codes) -> None:
    for _ in range(5):
        codes.send(ANA)

    assert codes.refused(ANA, EMAIL)[0] == "recipient"
    codes.send(EMAIL)


def test_a_client_gets_so_many_codes_an_hour_whoever_receives_them(codes: Codes) -> None:
    for number in over_prefixes(20):
        codes.send(number, client_ip="198.51.100.7")

    assert codes.refused(ANA, client_ip="198.51.100.7") == ("client_ip", 3600)
    assert codes.refused(ANA, client_ip="::ffff:198.51.100.7")[0] == "client_ip"
    assert codes.send(ANA, client_ip="198.51.100.8")


def test_a_client_has_all_ipv6_addresses_that_begin_alike(codes: Codes) -> None:
    for index, number in enumerate(over_prefixes(20)):
        codes.send(number, client_ip=f"2001:db8:0:1::{index + 1:x}")

    assert codes.refused(ANA, client_ip="2001:db8:0:1:ffff::1")[0] == "client_ip"
    assert codes.send(ANA, client_ip="2001:db8:0:2::1")


def test_a_prefix_gets_so_many_codes_an_hour_that_are_not_entered(codes: Codes) -> None:
    first, *others = numbers(30)
    counted_as = codes.send(first)
    for number in others:
        codes.send(number)
    assert codes.refused("+14255559999") == ("prefix", 3600)

    codes.approve(counted_as)
    assert codes.send("+14255559999")
    assert codes.refused("+14255559998") == ("prefix", 3600)
    assert codes.send(BEN)


@pytest.mark.parametrize(
    ("allowed", "denied", "number", "refused"),
    [
        ({"US"}, {}, ANA, False),
        ({"GB", "DE"}, {}, ANA, True),
        ({}, {"US"}, ANA, True),
        ({"US"}, {"US"}, ANA, True),
        ({}, {"GB"}, ANA, False),
        # Countries that share a calling code, and numbers of none.
        ({"US"}, {}, "+18765550100", True),
        ({}, {"RU"}, "+77015550100", False),
        ({"KZ"}, {}, "+77015550100", False),
        ({}, {"001"}, "+882161234567", True),
        # A number that is not in use has the first country of its code.
        ({"GB"}, {}, "+447700900123", False),
    ],
)
def test_codes_go_to_the_countries_that_are_allowed(
    codes: Codes, allowed: set[str], denied: set[str], number: str, *, refused: bool
) -> None:
    codes.limits = replace(LIMITS, allowed=frozenset(allowed), denied=frozenset(denied))

    if refused:
        assert codes.refused(EMAIL, number) == ("country", None)
    else:
        assert codes.send(number)
        codes.send(EMAIL, number)
    codes.send(EMAIL)


def test_a_prefix_whose_codes_are_not_entered_is_blocked_for_12_hours(
    codes: Codes, capsys: pytest.CaptureFixture[str]
) -> None:
    codes.pump(numbers(ENOUGH_OF_A_PREFIX))

    assert codes.refused("+14255559999") == ("breaker", 12 * 3600)
    assert metrics(capsys) == [("CodeBreakerOpened", None), ("CodeBlocked", "breaker")]
    assert codes.send(BEN), "another prefix"
    codes.now += 12 * HOUR - timedelta(seconds=1)
    assert codes.refused("+14255559999") == ("breaker", 1)
    codes.now += timedelta(seconds=1)
    assert codes.send("+14255559999")


def test_codes_that_may_still_be_entered_are_not_judged(codes: Codes) -> None:
    codes.pump(numbers(ENOUGH_OF_A_PREFIX))
    codes.now -= timedelta(seconds=1)

    assert codes.send("+14255559999")


def test_too_few_codes_are_not_judged(codes: Codes) -> None:
    codes.pump(numbers(ENOUGH_OF_A_PREFIX - 1))

    assert codes.send("+14255559999")


@pytest.mark.parametrize(("entered", "blocked"), [(2, True), (3, False)])
def test_the_threshold_is_a_percentage(codes: Codes, entered: int, *, blocked: bool) -> None:
    """Of 15 codes, 20 percent are 3."""
    started = [codes.send(number) for number in numbers(ENOUGH_OF_A_PREFIX)]
    for counted_as in started[:entered]:
        codes.approve(counted_as)
    codes.now += OLD_ENOUGH

    if blocked:
        assert codes.refused("+14255559999")[0] == "breaker"
    else:
        assert codes.send("+14255559999")


def test_a_late_approval_counts_where_its_code_was_started(codes: Codes) -> None:
    started = [codes.send(number) for number in numbers(ENOUGH_OF_A_PREFIX)]
    codes.now += OLD_ENOUGH
    for counted_as in started:
        codes.approve(counted_as)

    assert codes.send("+14255559999")


def test_an_attack_on_a_prefix_that_was_honest_until_then_shows(codes: Codes) -> None:
    for number in numbers(25):
        codes.approve(codes.send(number))
    codes.now += HOUR
    codes.pump(numbers(ENOUGH_OF_A_PREFIX, "+1425555"))

    assert codes.refused("+14255559999")[0] == "breaker"


def test_one_person_who_tries_in_vain_does_not_block_the_neighbours(codes: Codes) -> None:
    for hours in range(2):
        codes.now = NOW + hours * HOUR
        for _ in range(5):
            codes.send(ANA)
    for neighbour in numbers(ENOUGH_OF_A_PREFIX - 3):
        codes.send(neighbour)
    codes.now += OLD_ENOUGH

    assert codes.send("+14255559999")


def test_a_resend_is_limited_and_is_not_judged(codes: Codes) -> None:
    for number in numbers(ENOUGH_OF_A_PREFIX):
        assert codes.send(number, resend=True) == ()
    codes.now += OLD_ENOUGH
    for _ in range(5):
        codes.send(ANA, resend=True)

    assert codes.refused(ANA, resend=True) == ("recipient", 3600)


def blocked_country(codes: Codes) -> None:
    """A country whose breaker is open, though none of its prefixes had enough codes."""
    codes.pump(over_prefixes(ENOUGH_OF_A_COUNTRY) + over_prefixes(2))
    assert codes.refused(over_prefixes(1)[0])[0] == "breaker"


def test_a_country_is_judged_as_its_prefixes_are(codes: Codes) -> None:
    codes.pump(over_prefixes(ENOUGH_OF_A_COUNTRY - 1))
    assert codes.send("+14259990100")
    codes.now += OLD_ENOUGH

    assert codes.send("+14259990101")
    assert codes.send("+37255501234")
    assert codes.refused("+14259990102") == ("breaker", 12 * 3600)
    assert codes.send("+37255501235"), "another country"


def test_in_a_blocked_country_prefixes_of_which_codes_were_entered_get_codes(codes: Codes) -> None:
    codes.approve(codes.send(ANA))
    codes.now += 29 * DAY
    blocked_country(codes)

    for number in numbers(20, ANA[:-4]):
        assert codes.send(number)
    assert codes.send(BEN), "those were no trials"


def test_in_a_blocked_country_prefixes_that_are_not_attacked_get_two_codes(codes: Codes) -> None:
    blocked_country(codes)

    assert codes.send(BEN)
    assert codes.send("+12065550101")
    assert codes.refused("+12065550102")[0] == "breaker"


def test_in_a_blocked_country_only_so_many_new_prefixes_an_hour_get_codes(codes: Codes) -> None:
    blocked_country(codes)
    others = [f"+1206{number:03}0100" for number in range(TRIALS_OF_A_COUNTRY + 3)]

    for number in others[:TRIALS_OF_A_COUNTRY]:
        codes.send(number)
    assert codes.refused(others[-1]) == ("breaker", 3600)
    codes.now += HOUR
    assert codes.send(others[-1])


def test_a_known_recipient_gets_codes_in_spite_of_an_attack(codes: Codes) -> None:
    codes.approve(codes.send(ANA))
    codes.now += DAY
    codes.limits = replace(LIMITS, per_prefix_hour=ENOUGH_OF_A_PREFIX)
    for number in numbers(ENOUGH_OF_A_PREFIX):
        codes.send(number)
    assert codes.refused("+14255559999")[0] == "prefix"
    assert codes.send(ANA)
    codes.now += OLD_ENOUGH
    assert codes.refused("+14255559999")[0] == "breaker"
    assert codes.send(ANA)

    codes.now = NOW + TRUST
    codes.pump(numbers(ENOUGH_OF_A_PREFIX))
    assert codes.refused(ANA)[0] == "breaker", "no longer"


def test_a_recipient_whose_code_may_have_been_read_elsewhere_is_not_known(codes: Codes) -> None:
    codes.approve(codes.send(ANA, EMAIL))
    codes.now += DAY
    codes.pump(numbers(ENOUGH_OF_A_PREFIX))

    assert codes.refused(ANA)[0] == "breaker"


def test_an_address_of_ones_own_beside_a_pumped_number_frees_no_place(codes: Codes) -> None:
    """A pumper reads the codes at the second address and enters them all."""
    for number in numbers(LIMITS.per_prefix_hour):
        codes.approve(codes.send(number, f"{number[1:]}@example.com"))

    assert codes.refused("+14255559999", "another@example.com") == ("prefix", 3600)
    codes.now += HOUR
    codes.pump(numbers(ENOUGH_OF_A_PREFIX, "+1425556"))
    assert codes.refused("+14255569999", EMAIL)[0] == "breaker"


def test_of_two_numbers_of_one_prefix_the_unknown_one_has_the_limits(codes: Codes) -> None:
    codes.approve(codes.send(ANA))
    codes.limits = replace(LIMITS, per_recipient_hour=99, per_recipient_day=99)
    for number in numbers(LIMITS.per_prefix_hour):
        codes.send(number, ANA)

    assert codes.refused("+14255559999", ANA)[0] == "prefix"


def test_a_breaker_in_the_mode_monitor_counts_and_refuses_nothing(
    codes: Codes, capsys: pytest.CaptureFixture[str]
) -> None:
    codes.limits = replace(LIMITS, breaker=BreakerMode.MONITOR)
    codes.pump(numbers(ENOUGH_OF_A_PREFIX))

    assert codes.send("+14255559999")
    assert codes.send("+14255559998")
    assert metrics(capsys) == [("CodeBreakerOpened", None)]


def test_the_log_names_the_country_and_no_number(
    codes: Codes, caplog: pytest.LogCaptureFixture
) -> None:
    blocked_country(codes)

    [record] = caplog.records
    assert (vars(record)["of"], vars(record)["mode"]) == ("country#US", "block")
    assert "1425" not in str(vars(record))


def test_a_code_takes_one_read_and_a_write_of_each_counter(codes: Codes, table: Counting) -> None:
    counted_as = codes.send(ANA, client_ip="198.51.100.7")
    assert (table.reads, table.writes) == (1, 4)

    codes.approve(counted_as)
    assert (table.reads, table.writes) == (1, 7)
    codes.approve(codes.send(ANA))
    assert (table.reads, table.writes) == (2, 12)


def test_a_refused_code_is_counted_nowhere(codes: Codes, table: Counting) -> None:
    codes.limits = replace(LIMITS, denied=frozenset({"GB"}))
    for _ in range(5):
        codes.send(ANA)
    before = json.dumps(sorted(table.items.items()))
    table.reads = table.writes = 0

    codes.refused(ANA, client_ip="198.51.100.7")
    codes.refused("+447700900123")
    assert (table.reads, table.writes) == (1, 0)
    assert json.dumps(sorted(table.items.items())) == before


def test_what_another_request_fills_meanwhile_is_refused_as_well(
    codes: Codes, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes.send(ANA)
    outdated = {name: Counter(name) for name in names_of(codes.table)}
    monkeypatch.setattr(codes.counters, "read", lambda _: dict(outdated))
    for _ in range(4):
        codes.send(ANA)

    assert codes.refused(ANA) == ("recipient", 3600)


@pytest.mark.parametrize("call", ["read", "add", "open_breaker"])
def test_counting_that_is_down_lets_through_and_is_counted(
    codes: Codes,
    call: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    codes.limits = replace(LIMITS, denied=frozenset({"GB"}))
    codes.pump(numbers(ENOUGH_OF_A_PREFIX))

    def down(*_: object, **__: object) -> None:
        raise Uncounted("EndpointConnectionError")

    monkeypatch.setattr(codes.counters, call, down)
    assert codes.send(ANA if call == "open_breaker" else BEN) == ()
    assert metrics(capsys) == [("CodesUncounted", None)]
    assert codes.refused("+447700900123") == ("country", None)


def test_an_approval_that_cannot_be_counted_is_only_reported(
    codes: Codes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counted_as = codes.send(ANA)

    def down(*_: object) -> None:
        raise Uncounted("EndpointConnectionError")

    monkeypatch.setattr(codes.counters, "approve", down)
    codes.approve(counted_as)
    assert metrics(capsys) == [("CodesUncounted", None)]


def test_no_counter_holds_an_address(codes: Codes, table: Counting) -> None:
    codes.approve(codes.send(ANA, client_ip="198.51.100.7"))
    stored = json.dumps([*table.items.items()])

    assert not [each for each in (ANA, ANA[:-4], ANA[1:-4], "198.51.100.7") if each in stored]


def test_an_approval_is_counted_without_phonenumbers() -> None:
    """The function that checks codes starts often, and loading them takes its time."""
    script = "import sys, messaging.codes.guard; assert 'phonenumbers' not in sys.modules"

    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": "functions"})
