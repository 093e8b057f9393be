"""What one message cost, as far as the store and its execution history show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from console.facts import MessageFacts, MessageSource
from console.words import channel
from messaging.pricing.prices import Prices
from messaging.pricing.sms_parts import parts

NOT_COUNTED: Final = (
    "Lambda duration, DynamoDB request units, logs, the SQS and Lambda requests that the messages "
    "of a batch share, duplicate receipts, later reads of the message (make bench measures them), "
    "and the minutes of a call after the first"
)


@dataclass(frozen=True, slots=True)
class CostItem:
    """A number of units at a price for each."""

    what: str
    number: int
    dollars_each: float

    @property
    def dollars(self) -> float:
        return self.number * self.dollars_each


@dataclass(frozen=True, slots=True)
class MessageCost:
    """`fees` are charged by the channels, `unpriced` are channels without a list price. `read`: the
    date of the list prices.
    """

    aws: tuple[CostItem, ...]
    fees: tuple[CostItem, ...]
    unpriced: tuple[str, ...]
    read: str

    @property
    def dollars(self) -> float:
        return sum(item.dollars for item in (*self.aws, *self.fees))


def cost(facts: MessageFacts, prices: Prices) -> MessageCost:
    """The message's cost so far, at list prices."""
    aws = tuple(item for item in _aws(facts, prices.aws) if item.number)
    used = dict.fromkeys(one.channel for one in facts.attempts if one.provider_id)
    unpriced = tuple(name for name in used if name not in prices.channels)
    return MessageCost(aws, tuple(_fees(facts, prices.channels)), unpriced, prices.read)


def _aws(facts: MessageFacts, prices: Mapping[str, float]) -> Iterator[CostItem]:
    by_api = facts.source is MessageSource.API
    execution = facts.execution
    states = execution.transitions if execution else 0
    tasks = sum(len(visit.runs) for visit in execution.visits) if execution else 0
    receipts = len(facts.receipts)
    yield CostItem("State transitions, including retries", states, prices["states"])
    yield CostItem("API requests", int(by_api), prices["api_requests"])
    yield CostItem("SQS requests (SendMessage)", int(by_api), prices["sqs_requests"])
    yield CostItem("SNS publishes (receipts)", receipts, prices["sns_publishes"])
    yield CostItem("Lambda invocations", by_api + tasks + receipts, prices["lambda_requests"])


def _fees(facts: MessageFacts, prices: Mapping[str, float]) -> Iterator[CostItem]:
    """One for each attempt that its provider accepted: such an attempt has a provider id."""
    for attempt in facts.attempts:
        if facts.history and attempt.provider_id and attempt.channel in prices:
            planned = facts.plan.attempt(attempt.number)
            count = parts(facts.stored_request, planned)
            each = f", {count} parts" if count > 1 else ""
            name = f"{channel(attempt.channel)}, attempt {attempt.number}{each}"
            yield CostItem(name, count, prices[attempt.channel])


def exact(dollars: float) -> str:
    """Seven decimals, because a single request costs less than a millionth of a dollar."""
    return f"${dollars:.7f}"
