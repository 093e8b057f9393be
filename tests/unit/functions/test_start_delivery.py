"""The starter's pace, and what becomes of a request that cannot be started now or ever."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

import start_delivery
from messaging import settings
from messaging.clients import queue as queues
from messaging.starts import StartPace
from messaging.workflow import Workflow
from tests.support.aws import CONTEXT, ENVIRONMENT, aws

BATCH = 10
CONCURRENCY = 4
STARTS_PER_SECOND = 100


class Engine:
    """StartExecution behind a bucket: so many at once, then so many in a second."""

    def __init__(self, bucket: float = 1e6, refill: float = 1e6, error: str = "") -> None:
        self.bucket, self.refill, self.error = bucket, refill, error
        self.left, self.filled_at = bucket, time.monotonic()
        self.started: dict[str, float] = {}
        self.throttled = 0
        self._lock = threading.Lock()

    def call(self, name: str) -> dict[str, Any]:
        with self._lock:
            now = time.monotonic()
            self.left = min(self.bucket, self.left + (now - self.filled_at) * self.refill)
            self.filled_at = now
            code = self.error or ("ThrottlingException" if self.left < 1 else "")
            if code:
                self.throttled += 1
                raise ClientError({"Error": {"Code": code}}, "StartExecution")
            self.left -= 1
            assert name not in self.started
            self.started[name] = now
        return {}

    def most_in_a_second(self) -> int:
        at = sorted(self.started.values())
        return max(sum(one <= other < one + 1 for other in at) for one in at)


class Queue:
    """SQS as far as the starter and its event source mapping use it, with time made short."""

    SHORT = 0.002

    def __init__(self, requests: int) -> None:
        self.waiting = [(0.0, f"m{number}", 1) for number in range(requests)]
        self.hidden: dict[str, tuple[str, int]] = {}
        self.delays: list[int] = []
        self.most_receives = 0
        self.lock = threading.Lock()

    def take(self) -> list[dict[str, Any]]:
        with self.lock:
            now = time.monotonic()
            taken = [one for one in self.waiting if one[0] <= now][:BATCH]
            self.waiting = [one for one in self.waiting if one not in taken]
            self.hidden |= {name: (name, times) for _, name, times in taken}
            self.most_receives = max([self.most_receives, *(times for *_, times in taken)])
        return [record(name, times) for _, name, times in taken]

    def done(self, batch: list[dict[str, Any]], answer: dict[str, Any]) -> None:
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        with self.lock:
            for one in batch:
                if one["messageId"] not in failed:
                    del self.hidden[one["messageId"]]

    def change_message_visibility_batch(self, QueueUrl: str, Entries: Any) -> None:  # noqa: N803 - SQS's
        assert QueueUrl == ENVIRONMENT["REQUESTS_QUEUE_URL"]
        with self.lock:
            for entry in Entries:
                name, times = self.hidden.pop(entry["ReceiptHandle"])
                self.delays.append(entry["VisibilityTimeout"])
                at = time.monotonic() + entry["VisibilityTimeout"] * self.SHORT
                self.waiting.append((at, name, times + 1))

    def empty(self) -> bool:
        with self.lock:
            return not self.waiting and not self.hidden


def record(name: str, times: int = 1, body: str = "{}") -> dict[str, Any]:
    return {
        "messageId": name,
        "receiptHandle": name,
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(times)},
        "messageAttributes": {},
    }


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws():
        interval = CONCURRENCY / STARTS_PER_SECOND
        monkeypatch.setenv("START_INTERVAL_SECONDS", str(interval))
        yield


def use(engine: Engine, queue: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine answers where the real client would call AWS."""
    client: BaseClient = boto3.client("stepfunctions")
    monkeypatch.setattr(client, "start_execution", lambda **call: engine.call(call["name"]))
    monkeypatch.setattr(start_delivery, "workflow", lambda: Workflow(client))  # type: ignore[arg-type] # patched
    monkeypatch.setattr(queues, "sqs", lambda: queue)
    containers = threading.local()

    def pace() -> StartPace:
        """Each thread stands for a container, which has its own."""
        if not hasattr(containers, "pace"):
            containers.pace = StartPace(settings.start_interval())
        made: StartPace = containers.pace
        return made

    monkeypatch.setattr(start_delivery, "pace", pace)


def work_off(queue: Queue) -> None:
    """What the event source mapping does: so many batches at once, until nothing is left."""

    def slot() -> None:
        while not queue.empty():
            if batch := queue.take():
                queue.done(batch, start_delivery.handler({"Records": batch}, CONTEXT))
            else:
                time.sleep(0.005)

    slots = [threading.Thread(target=slot) for _ in range(CONCURRENCY)]
    for one in slots:
        one.start()
    for one in slots:
        one.join()


def test_a_flood_is_started_at_the_share_and_no_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, queue = Engine(), Queue(250)
    use(engine, queue, monkeypatch)
    began = time.monotonic()
    work_off(queue)
    seconds = time.monotonic() - began

    assert len(engine.started) == 250
    # The first of each batch starts at once.
    assert engine.most_in_a_second() <= STARTS_PER_SECOND + CONCURRENCY
    assert len(engine.started) / seconds <= STARTS_PER_SECOND


def test_throttled_starts_wait_in_the_queue_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, queue = Engine(bucket=5, refill=40), Queue(120)
    use(engine, queue, monkeypatch)
    work_off(queue)

    assert engine.started.keys() == {f"m{number}" for number in range(120)}
    assert engine.throttled > 0
    assert len(queue.delays) == engine.throttled
    assert min(queue.delays) == 5


@pytest.mark.parametrize(("times", "seconds"), [(1, 5), (2, 10), (6, 160), (7, 300), (99, 300)])
def test_a_request_waits_longer_each_time_it_is_throttled(
    monkeypatch: pytest.MonkeyPatch, times: int, seconds: int
) -> None:
    queue = Queue(0)
    queue.hidden["m"] = ("m", times)
    use(Engine(error="ThrottlingException"), queue, monkeypatch)
    answer = start_delivery.handler({"Records": [record("m", times)]}, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert queue.delays == [seconds]


def test_a_throttled_start_is_counted(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = Queue(0)
    queue.hidden["m"] = ("m", 1)
    use(Engine(error="ThrottlingException"), queue, monkeypatch)
    start_delivery.handler({"Records": [record("m")]}, CONTEXT)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [line["StartThrottled"] for line in lines if "_aws" in line] == [[1.0]]
    assert caplog.messages == ["not started, the request remains in the queue"]


def test_an_outage_waits_like_a_throttled_start(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue(0)
    queue.hidden["m"] = ("m", 1)
    use(Engine(error="InternalFailure"), queue, monkeypatch)
    answer = start_delivery.handler({"Records": [record("m")]}, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert queue.delays == [5]


class BrokenQueue:
    """SQS answers nothing but that it is broken."""

    def __getattr__(self, operation: str) -> Any:
        def broken(**_: object) -> None:
            raise ClientError({"Error": {"Code": "InternalError"}}, operation)

        return broken


@pytest.mark.parametrize("error", ["InternalFailure", "InvalidExecutionInput"])
def test_a_broken_queue_brings_none_of_the_started_again(
    monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    """Neither where a request has to wait nor where it has to be set aside."""
    engine = Engine()
    use(engine, BrokenQueue(), monkeypatch)
    sound, unsound = record("sound"), record("unsound")

    def call(name: str) -> dict[str, Any]:
        engine.error = error if name == "unsound" else ""
        return Engine.call(engine, name)

    monkeypatch.setattr(engine, "call", call)
    answer = start_delivery.handler({"Records": [unsound, sound]}, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "unsound"}]}
    assert engine.started.keys() == {"sound"}
