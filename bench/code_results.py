"""The results of verifications: how long a start and a check take, and what went wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.code_load import CheckResponse
from bench.costs import Pricing
from bench.figures import Spread, spread, to_first_call
from bench.load import LoadedMessage, ended_at
from bench.results import LoadResult, UnexpectedMessage, unexpected_message
from bench.usage import Usage
from bench.verdicts import APPROVED, CodeVerdicts, code_verdict, judged_codes, verdict
from bench.watch import MemoryPeaks

# The responses to the checks, by message id.
Checks = Mapping[str, Sequence[CheckResponse]]


@dataclass(frozen=True)
class CodeLatencies:
    """In seconds; None if no verification of the run has such a latency.

    `check`: of the checks that were approved.
    """

    start: Spread | None
    start_to_call: Spread | None
    check: Spread | None


@dataclass(frozen=True)
class CodeRunResult:
    """One run of mixed verifications.

    `seconds`: from the first start to the last event. `processor_ms`: per verification, by process.
    """

    name: str
    per_second: float
    verdicts: CodeVerdicts
    unexpected: Sequence[UnexpectedMessage]
    seconds: float
    latencies: CodeLatencies
    usage: Usage
    dollars_per_million: Mapping[str, float]
    peaks: MemoryPeaks
    processor_ms: Mapping[str, float]


def measured(
    name: str, per_second: float, loaded: LoadResult, checks: Checks, pricing: Pricing
) -> CodeRunResult:
    facts = loaded.facts
    used = loaded.processor_seconds
    return CodeRunResult(
        name,
        per_second,
        judged_codes(_verdict(one, checks) for one in facts),
        list(_unexpected(facts, checks)),
        max(ended_at(one.message) for one in facts) - min(one.posted.at for one in facts),
        _latencies(facts, checks),
        loaded.usage,
        pricing.of(loaded.usage),
        loaded.peaks,
        {part: seconds / len(facts) * 1000 for part, seconds in used.items()},
    )


def _latencies(facts: Sequence[LoadedMessage], checks: Checks) -> CodeLatencies:
    return CodeLatencies(
        spread(one.posted.response_seconds for one in facts),
        spread(to_first_call(one.posted, one.calls) for one in facts if one.calls),
        spread(one.seconds for each in checks.values() for one in each if one.status == APPROVED),
    )


def _verdict(one: LoadedMessage, checks: Checks) -> str:
    of_its_message = verdict(one.posted.scenario, one.message, one.calls)
    return code_verdict(of_its_message, _statuses(one, checks))


def _unexpected(facts: Sequence[LoadedMessage], checks: Checks) -> Iterator[UnexpectedMessage]:
    for one in facts:
        found = _verdict(one, checks)
        if found != "ok":
            yield unexpected_message(one, found, *_statuses(one, checks))


def _statuses(one: LoadedMessage, checks: Checks) -> list[str]:
    return [each.status for each in checks.get(one.posted.message_id, ())]
