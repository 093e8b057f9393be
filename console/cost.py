"""What one message cost, as far as it can be counted from what is known of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from console.facts import Door, Facts
from console.words import channel
from messaging.pricing.prices import Prices
from messaging.pricing.sms_parts import parts

NOT_COUNTED: Final = (
    "Lambda's time, DynamoDB's units, logs, what the messages of a batch share of SQS and Lambda, "
    "receipts that came twice, and each later look at the message (make bench measures them)"
)


@dataclass(frozen=True, slots=True)
class Item:
    """So many of something, at so many dollars each."""

    what: str
    number: int
    dollars_each: float

    @property
    def dollars(self) -> float:
        return self.number * self.dollars_each


@dataclass(frozen=True, slots=True)
class Cost:
    """`fees` are the channels' own; `read`: when the list prices were."""

    aws: tuple[Item, ...]
    fees: tuple[Item, ...]
    read: str

    @property
    def dollars(self) -> float:
        return sum(item.dollars for item in (*self.aws, *self.fees))


def cost(facts: Facts, prices: Prices) -> Cost:
    """Of the message so far, at list prices."""
    aws = tuple(item for item in _aws(facts, prices.aws) if item.number)
    return Cost(aws, tuple(_fees(facts, prices.channels)), prices.read)


def _aws(facts: Facts, prices: Mapping[str, float]) -> Iterator[Item]:
    by_api = facts.door is Door.API
    execution = facts.execution
    states = execution.transitions if execution else 0
    tasks = sum(len(visit.tries) for visit in execution.visits) if execution else 0
    receipts = len(facts.receipts)
    yield Item("states entered, each try once", states, prices["states"])
    yield Item("API requests", int(by_api), prices["api_requests"])
    yield Item("SQS requests: put on the queue", int(by_api), prices["sqs_requests"])
    yield Item("receipts published to SNS", receipts, prices["sns_publishes"])
    yield Item("Lambda invocations", by_api + tasks + receipts, prices["lambda_requests"])


def _fees(facts: Facts, prices: Mapping[str, float]) -> Iterator[Item]:
    """For what its provider took, which it then gave an id."""
    for attempt in facts.attempts:
        if facts.story and attempt.provider_id:
            count = parts(attempt, facts.story)
            each = f", {count} parts" if count > 1 else ""
            name = f"{channel(attempt.channel)}, attempt {attempt.number}{each}"
            yield Item(name, count, prices[attempt.channel])


def exact(dollars: float) -> str:
    """A single request costs less than a millionth of a dollar."""
    return f"${dollars:.7f}"
