"""Counters: windows begin with their first use and are never exceeded, cohorts hold approvals."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from mypy_boto3_dynamodb import DynamoDBClient

from messaging.domain.errors import Uncounted
from messaging.domain.limits import DAY, HOUR, Cohort, Counter, Used, Window
from messaging.store.counters import COHORT, COHORTS, Counters
from messaging.store.table import Key, Table
from tests.support.dynamodb import MemoryDynamoDB

# The beginning of a cohort.
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
WINDOWS = (Window("hour", HOUR, 2), Window("day", DAY, 3))
NAME = "prefix#1"
ONE = (Window("hour", HOUR, 100),)


@pytest.fixture(params=["moto", "memory"])
def table(request: pytest.FixtureRequest, dynamodb: DynamoDBClient, table: str) -> Table:
    client: Any = dynamodb if request.param == "moto" else MemoryDynamoDB()
    return Table(client, table)


@pytest.fixture
def counters(table: Table) -> Counters:
    return Counters(table)


def read(counters: Counters) -> Counter:
    return counters.read([NAME])[NAME]


def add(counters: Counters, at: datetime, windows: tuple[Window, ...] = WINDOWS) -> datetime | None:
    return counters.add(read(counters), windows, at, DAY)


def start(counters: Counters, at: datetime) -> None:
    counters.add(read(counters), ONE, at, DAY, started=True)


def test_a_counter_that_does_not_exist_has_counted_nothing(counters: Counters) -> None:
    assert counters.read([NAME, "other"]) == {NAME: Counter(NAME), "other": Counter("other")}


def test_a_window_begins_with_its_first_use_and_is_full_at_its_limit(counters: Counters) -> None:
    assert [add(counters, NOW), add(counters, LATER)] == [None, None]

    assert add(counters, LATER) == NOW + HOUR
    assert read(counters).used == {"hour": Used(2, NOW + HOUR), "day": Used(2, NOW + DAY)}


def test_a_window_that_ended_begins_anew_and_the_longer_one_goes_on(counters: Counters) -> None:
    for at in (NOW, NOW, NOW + HOUR):
        assert add(counters, at) is None

    assert read(counters).used["hour"] == Used(1, NOW + 2 * HOUR)
    assert add(counters, NOW + HOUR) == NOW + DAY


def test_a_window_without_a_limit_is_never_full(counters: Counters) -> None:
    windows = (Window("hour", HOUR, None),)

    assert [add(counters, NOW, windows) for _ in range(50)] == [None] * 50
    assert read(counters).used["hour"].count == 50


def test_of_many_that_read_the_same_no_more_than_the_limit_are_counted(counters: Counters) -> None:
    first = read(counters)
    assert counters.add(first, WINDOWS, NOW, DAY) is None
    one = read(counters)

    outdated = [counters.add(each, WINDOWS, NOW, DAY) for each in (first, one, first, one)]
    assert outdated == [None, *[NOW + HOUR] * 3]


def test_a_window_that_another_began_anew_is_not_begun_twice(counters: Counters) -> None:
    add(counters, NOW)
    ended = read(counters)
    add(counters, NOW + HOUR)

    assert counters.add(ended, WINDOWS, NOW + HOUR, DAY) is None
    assert read(counters).used["hour"] == Used(2, NOW + 2 * HOUR)


def test_an_approval_is_added_to_the_cohort_of_its_start(counters: Counters) -> None:
    start(counters, NOW)
    start(counters, NOW + COHORT / 2)
    start(counters, LATER)
    counters.approve(counters.entry(NAME, NOW), LATER, DAY)

    found = read(counters)
    assert found.cohorts == (
        Cohort(LATER, LATER + COHORT, 1, 0),
        Cohort(NOW, NOW + COHORT, 2, 1),
    )
    assert (found.approved_at, found.used["hour"].count) == (LATER, 2)


def test_an_approval_without_a_cohort_is_a_time_only(counters: Counters) -> None:
    add(counters, NOW)
    counters.approve(NAME, LATER, DAY)

    found = read(counters)
    assert (found.approved_at, found.cohorts, found.used["hour"].count) == (LATER, (), 1)


def test_an_approval_does_not_create_a_counter(counters: Counters) -> None:
    counters.approve(counters.entry(NAME, NOW), NOW, DAY)

    assert read(counters) == Counter(NAME)


def test_the_newest_cohorts_are_kept_and_cost_one_write_unit() -> None:
    table = Table(MemoryDynamoDB(), "Messages")  # type: ignore[arg-type] # the stand-in
    counters, name = Counters(table), f"prefix#{'A' * 12}"
    cohorts = [NOW + number * COHORT for number in range(COHORTS + 3)]
    for at in cohorts:
        for _ in range(12):
            counters.add(counters.read([name])[name], ONE, at, DAY, started=True)
        for _ in range(10):
            counters.approve(counters.entry(name, at), at, DAY)
    counters.open_breaker(counters.read([name])[name], NOW + DAY)

    found = counters.read([name])[name].cohorts
    assert [each.began for each in found] == cohorts[::-1][:COHORTS]
    assert {(each.started, each.approved) for each in found} == {(12, 10)}
    item = table.get(Key(f"limit#{name}", "counter"))
    # A number takes a byte for every two digits, and one more:
    # docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    values = (len(one) if isinstance(one, str) else len(str(one)) // 2 + 2 for one in item.values())
    one_more = len("s14722372a14722372") + 4
    assert sum(map(len, item)) + sum(values) + one_more <= 1_024


def test_one_of_two_opens_a_breaker(counters: Counters) -> None:
    add(counters, NOW)
    found = read(counters)

    opened = counters.open_breaker(found, LATER + DAY)
    assert opened == replace(found, blocked_until=LATER + DAY) == read(counters)
    assert counters.open_breaker(found, LATER + 2 * DAY) is None
    again = counters.open_breaker(opened, LATER + 2 * DAY)
    assert again == replace(found, blocked_until=LATER + 2 * DAY)


def test_a_counter_expires(table: Table, counters: Counters) -> None:
    key = Key(f"limit#{NAME}", "counter")
    add(counters, NOW)
    assert table.get(key)["retained_until"] == (NOW + DAY).timestamp()

    counters.approve(NAME, LATER, 30 * DAY)
    assert table.get(key)["retained_until"] == (LATER + 30 * DAY).timestamp()


class Broken(MemoryDynamoDB):
    """A table that does not answer, or whose items change at every write."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def batch_get_item(self, **_: Any) -> dict[str, dict[str, Any]]:
        raise self.error

    def update_item(self, **_: Any) -> dict[str, Any]:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "UpdateItem"),
        EndpointConnectionError(endpoint_url="https://example.com"),
        MemoryDynamoDB.exceptions.ConditionalCheckFailedException({}, {}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_counted_is_an_error_of_its_own(error: Exception) -> None:
    counters = Counters(Table(Broken(error), "Messages"))  # type: ignore[arg-type] # the stand-in

    with pytest.raises(Uncounted):
        counters.add(Counter(NAME), WINDOWS, NOW, DAY)
    if not isinstance(error, MemoryDynamoDB.exceptions.ConditionalCheckFailedException):
        with pytest.raises(Uncounted):
            counters.read([NAME])
        with pytest.raises(Uncounted):
            counters.approve(NAME, NOW, DAY)
        with pytest.raises(Uncounted):
            counters.open_breaker(Counter(NAME), LATER)
