"""The results of messages: throughput, latency, cost, and what went wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench import figures
from bench.costs import FurtherCost, Pricing, channel_fees_per_million, further
from bench.figures import Spread, spread
from bench.load import LoadedMessage, ended_at
from bench.scenarios import BUSY, LoadScenario
from bench.usage import Usage
from bench.verdicts import OK, Verdicts, judged, verdict
from bench.watch import MemoryPeaks
from messaging.channels.catalog import channels
from messaging.metrics import Metric


@dataclass(frozen=True)
class Latencies:
    """In seconds; None if no message of the run has such a latency."""

    post: Spread | None
    post_to_call: Spread | None
    receipt_to_next_call: Spread | None
    timeout_to_next_call: Spread | None


@dataclass(frozen=True)
class UnexpectedMessage:
    """A message that did not end as planned, for finding the reason."""

    message_id: str
    scenario: str
    verdict: str
    status: str
    attempts: Sequence[str]


@dataclass(frozen=True)
class RunResult:
    """One run of mixed messages.

    `seconds`: from the first POST to the last event, without the planned timeouts.
    `first_quarter`, `last_quarter`: the latency of these messages from POST to provider call.
    `processor_ms`: per message, by process.
    """

    name: str
    per_second: float | None
    verdicts: Verdicts
    unexpected: Sequence[UnexpectedMessage]
    seconds: float
    messages_per_second: float
    latencies: Latencies
    first_quarter: Spread | None
    last_quarter: Spread | None
    usage: Usage
    dollars_per_million: Mapping[str, float]
    peaks: MemoryPeaks
    processor_ms: Mapping[str, float]


@dataclass(frozen=True)
class ScenarioCost:
    """The usage of one scenario, and its cost by AWS service in dollars per million messages.

    `stored_bytes`: what one message takes in the table.
    """

    scenario: str
    verdicts: Verdicts
    usage: Usage
    dollars_per_million: Mapping[str, float]
    channel_fees_per_million: float
    stored_bytes: float


@dataclass(frozen=True)
class LoadResult:
    """One load: the facts of its messages, and their total usage."""

    facts: Sequence[LoadedMessage]
    usage: Usage
    peaks: MemoryPeaks
    processor_seconds: Mapping[str, float]


def measured(
    name: str, per_second: float | None, loaded: LoadResult, pricing: Pricing
) -> RunResult:
    facts = loaded.facts
    ends = (ended_at(one.message) - one.posted.scenario.planned_timeout_seconds for one in facts)
    seconds = max(ends) - min(one.posted.at for one in facts)
    quarter = max(1, len(facts) // 4)
    return RunResult(
        name,
        per_second,
        verdicts_of(facts),
        list(unexpected(facts)),
        seconds,
        len(facts) / seconds,
        latencies(facts),
        _to_first_call(facts[:quarter]),
        _to_first_call(facts[-quarter:]),
        loaded.usage,
        pricing.of(loaded.usage),
        loaded.peaks,
        {part: used / len(facts) * 1000 for part, used in loaded.processor_seconds.items()},
    )


def cost(scenario: LoadScenario, loaded: LoadResult, stored: int, pricing: Pricing) -> ScenarioCost:
    """`stored`: the bytes by which the table has grown."""
    calls = [call for one in loaded.facts for call in one.calls]
    taken = [call["channel"] for call in calls if call["answer"]["status"] == OK]
    fees = channel_fees_per_million(taken, pricing.prices) / len(loaded.facts)
    usage = loaded.usage
    return ScenarioCost(
        scenario.name,
        verdicts_of(loaded.facts),
        usage,
        pricing.of(usage),
        fees,
        stored / len(loaded.facts),
    )


def further_costs(costs: Sequence[ScenarioCost], pricing: Pricing) -> list[FurtherCost]:
    """From the costs of the scenarios, the first of which is delivered first."""
    first = costs[0]
    busy = next(one.usage for one in costs if one.scenario == BUSY.name)
    metrics = sum(len(channels()) if one.of_a_channel else 1 for one in Metric)
    return further(first.usage, busy, metrics, first.stored_bytes, pricing)


def verdicts_of(facts: Sequence[LoadedMessage]) -> Verdicts:
    return judged(verdict(one.posted.scenario, one.message, one.calls) for one in facts)


def unexpected(facts: Sequence[LoadedMessage]) -> Iterator[UnexpectedMessage]:
    for one in facts:
        found = verdict(one.posted.scenario, one.message, one.calls)
        if found != "ok":
            yield unexpected_message(one, found)


def unexpected_message(one: LoadedMessage, found: str, *checks: str) -> UnexpectedMessage:
    """`checks`: the statuses of the responses to its checks, if it is a verification."""
    attempts = [f"{each['channel']}: {each['status']}" for each in one.message["attempts"]]
    return UnexpectedMessage(
        one.posted.message_id,
        one.posted.scenario.name,
        found,
        one.message["status"],
        [*attempts, *checks],
    )


def latencies(facts: Sequence[LoadedMessage]) -> Latencies:
    return Latencies(
        spread(one.posted.response_seconds for one in facts),
        _to_first_call(facts),
        spread(gap for one in facts for gap in figures.receipt_to_next_call(one.calls)),
        spread(gap for one in facts for gap in _timeouts(one)),
    )


def _to_first_call(facts: Sequence[LoadedMessage]) -> Spread | None:
    return spread(figures.to_first_call(one.posted, one.calls) for one in facts if one.calls)


def _timeouts(one: LoadedMessage) -> Iterator[float]:
    if any(status == "timed_out" for _, status in one.posted.scenario.attempts):
        yield from figures.timeout_to_next_call(one.history, one.calls)
