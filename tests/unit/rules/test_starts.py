"""Which queued requests come again, which never start, and at what pace they start."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, EndpointConnectionError

from messaging import starts
from messaging.domain.errors import NotQueued, Throttled, Unstartable
from messaging.starts import QueuedRequest, Starter, StartPace
from tests.support.ports import RecordedQueue

RECORD: dict[str, Any] = {
    "messageId": "queue-1",
    "body": "{}",
    "receiptHandle": "handle-1",
    "attributes": {"ApproximateReceiveCount": "3"},
    "messageAttributes": {"message_id": {"stringValue": "m1", "dataType": "String"}},
}
DIRECT: dict[str, Any] = {"messageId": "queue-2", "body": "[]", "messageAttributes": {}}


LARGEST = '"' + "x" * (starts.MAX_DIRECT_BYTES - 2) + '"'


@dataclass
class Started:
    """Records each start. `errors` are raised in turn, None starts."""

    errors: list[Exception | None] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, name: str, body: str) -> bool:
        self.calls.append((name, body))
        if self.errors and (error := self.errors.pop(0)):
            raise error
        return True


@dataclass
class Clock:
    """Time that passes only while somebody sleeps, and for as long as a start takes."""

    time: float = 100.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(starts, "time", clock)
    return clock


def requests() -> list[QueuedRequest]:
    return [QueuedRequest.from_record(record) for record in (RECORD, DIRECT)]


def test_a_planned_message_names_its_execution() -> None:
    planned, direct = requests()

    assert planned == QueuedRequest("queue-1", "m1", "{}", "handle-1", 3)
    assert direct == QueuedRequest("queue-2", "queue-2", "[]", "", 1)


@pytest.mark.parametrize(
    ("deliveries", "seconds"), [(1, 5), (2, 10), (3, 20), (6, 160), (7, 300), (99, 300)]
)
def test_a_request_that_was_not_started_waits_twice_as_long_each_time(
    deliveries: int, seconds: int
) -> None:
    assert QueuedRequest("queue-1", "m1", "{}", "", deliveries).back_off == seconds


def test_each_request_is_started_under_its_name_and_none_comes_again(
    clock: Clock, log: Logger
) -> None:
    start = Started()

    assert Starter(start, RecordedQueue(), StartPace(0.0), log).not_started(requests()) == []
    assert start.calls == [("m1", "{}"), ("queue-2", "[]")]
    assert clock.slept == [0.0, 0.0]


@pytest.mark.parametrize(
    "error",
    [
        Throttled("ThrottlingException"),
        ClientError({"Error": {"Code": "InternalFailure"}}, "StartExecution"),
        EndpointConnectionError(endpoint_url="https://states.example.com"),
    ],
)
def test_a_request_that_was_not_started_comes_again_and_the_next_is_started(
    clock: Clock, log: Logger, error: Exception
) -> None:
    start, dead_letters = Started([error, None]), RecordedQueue()
    planned, direct = requests()

    assert Starter(start, dead_letters, StartPace(0.0), log).not_started([planned, direct]) == [
        planned
    ]
    assert start.calls[1] == ("queue-2", "[]")
    assert not dead_letters.requests
    assert len(clock.slept) == 2


def test_only_a_throttled_start_is_counted_as_throttled(
    clock: Clock, log: Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = ClientError({"Error": {"Code": "InternalFailure"}}, "StartExecution")
    Starter(Started([broken]), RecordedQueue(), StartPace(0.0), log).not_started(requests())
    assert "StartThrottled" not in capsys.readouterr().out

    Starter(Started([Throttled("x")]), RecordedQueue(), StartPace(0.0), log).not_started(requests())
    assert "StartThrottled" in capsys.readouterr().out
    assert clock.slept


def test_a_request_that_can_never_be_started_becomes_a_dead_letter_with_the_reason(
    clock: Clock, log: Logger
) -> None:
    start, dead_letters = Started([Unstartable("InvalidName")]), RecordedQueue()

    assert Starter(start, dead_letters, StartPace(0.0), log).not_started(requests()) == []
    assert dead_letters.requests == [("{}", {"message_id": "m1", "reason": "InvalidName"})]
    assert clock.slept


@pytest.mark.usefixtures("clock")
def test_a_request_that_its_execution_could_not_read_becomes_a_dead_letter(log: Logger) -> None:
    start, dead_letters = Started(), RecordedQueue()
    records = [{**DIRECT, "body": LARGEST}, {**DIRECT, "body": LARGEST + " "}]
    starter = Starter(start, dead_letters, StartPace(0.0), log)

    assert starter.not_started([QueuedRequest.from_record(one) for one in records]) == []
    assert [body for _, body in start.calls] == [LARGEST]
    reason = "the request has 261121 bytes; the maximum is 261120"
    assert dead_letters.requests == [
        (LARGEST + " ", {"message_id": "queue-2", "reason": reason}),
    ]


def test_a_request_that_cannot_be_set_aside_comes_again(clock: Clock, log: Logger) -> None:
    planned, direct = requests()
    start = Started([Unstartable("InvalidName"), None])
    dead_letters = RecordedQueue(error=NotQueued("ReadTimeoutError"))

    assert Starter(start, dead_letters, StartPace(0.0), log).not_started([planned, direct]) == [
        planned
    ]
    assert clock.slept


def test_two_starts_are_an_interval_apart(clock: Clock, log: Logger) -> None:
    began: list[float] = []

    def start(name: str, body: str) -> bool:
        began.append(clock.time)
        clock.time += 0.5 if name == "m1" else 3.0
        return bool(body)

    starter = Starter(start, RecordedQueue(), StartPace(2.0), log)
    starter.not_started([*requests(), *requests()])

    assert began == [100.0, 102.0, 105.0, 107.0]
    assert clock.slept == [0.0, 1.5, 0.0, 1.5]


def test_the_first_start_of_the_next_batch_keeps_the_interval_and_a_quiet_stack_never_waits(
    clock: Clock, log: Logger
) -> None:
    starter = Starter(Started(), RecordedQueue(), StartPace(2.0), log)
    starter.not_started(requests()[:1])
    starter.not_started(requests()[:1])
    clock.time += 60
    starter.not_started(requests()[:1])

    assert clock.slept == [0.0, 2.0, 0.0]


def test_a_start_that_fails_counts_too(clock: Clock, log: Logger) -> None:
    Starter(Started([Throttled("x")]), RecordedQueue(), StartPace(2.0), log).not_started(requests())

    assert clock.slept == [0.0, 2.0]


@pytest.mark.parametrize(
    ("started", "sentence"),
    [(True, "delivery started"), (False, "delivery was already started")],
)
def test_the_log_tells_a_start_from_one_that_was_made_before(
    clock: Clock,
    log: Logger,
    caplog: pytest.LogCaptureFixture,
    started: bool,
    sentence: str,
) -> None:
    log.setLevel("DEBUG")
    Starter(lambda *_: started, RecordedQueue(), StartPace(0.0), log).not_started(requests()[:1])

    assert caplog.messages == [sentence]
    assert clock.slept
