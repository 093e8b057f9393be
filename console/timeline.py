"""What happened to a message, in words: why each step ran, and what ended or skipped it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from console.execution import Condition, Try, Visit
from console.facts import Door, Facts
from console.plain import visible
from console.words import MINUTE, capital, channel, duration, listed, status
from messaging.domain.messages import CAME_TOO_LATE, Attempt, PlannedAttempt
from messaging.domain.statuses import AttemptStatus, MessageStatus, ReceiptKind, Success

DOORS: Final = {
    Door.API: "Accepted by the API",
    Door.DIRECT: "Came by a direct StartExecution",
    Door.QUEUE_OR_DIRECT: "Came by the requests queue, or by a StartExecution without a name",
    Door.UNKNOWN: "Accepted",
}
# What each kind of receipt means, beside the provider's own word.
KINDS: Final = {
    ReceiptKind.PROGRESS: "on its way",
    ReceiptKind.SENT: "sent",
    ReceiptKind.CARRIER_ACCEPTED: "the carrier took it",
    ReceiptKind.DELIVERED: "delivered",
    ReceiptKind.READ: "read",
    ReceiptKind.FAILED: "failed",
    ReceiptKind.UNCONFIRMED: "nobody will ever know",
    ReceiptKind.COMPLAINED: "the recipient complained",
    ReceiptKind.ENGAGED: "the recipient opened it or followed a link",
    ReceiptKind.UNKNOWN: "a word that decides nothing",
}
RECEIPT_TONES: Final = {
    ReceiptKind.DELIVERED: "good",
    ReceiptKind.READ: "good",
    ReceiptKind.CARRIER_ACCEPTED: "good",
    ReceiptKind.FAILED: "bad",
    ReceiptKind.UNCONFIRMED: "warn",
    ReceiptKind.COMPLAINED: "bad",
}
# Receipts that say of an attempt what its status says too.
_SAYING: Final = {
    AttemptStatus.DELIVERED: {ReceiptKind.DELIVERED, ReceiptKind.CARRIER_ACCEPTED},
    AttemptStatus.READ: {ReceiptKind.READ},
    AttemptStatus.UNCONFIRMED: {ReceiptKind.UNCONFIRMED, ReceiptKind.CARRIER_ACCEPTED},
    AttemptStatus.FAILED: {ReceiptKind.FAILED},
}
ENDS: Final = {
    "SUCCEEDED": ("quiet", "Its execution succeeded"),
    "FAILED": ("bad", "Its execution failed"),
    "ABORTED": ("bad", "Its execution was stopped"),
    "TIMED_OUT": ("bad", "Its execution took too long"),
}
CONCLUDED: Final = {
    MessageStatus.UNDELIVERED: ("bad", "Undelivered: nobody was reached"),
    MessageStatus.EXPIRED: ("warn", "Expired: its time was over"),
    MessageStatus.REJECTED: ("bad", "Rejected"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened. `after`: seconds since the message was accepted; `until`: when the
    wait that it tells of is over at the latest.
    """

    at: datetime
    after: float
    tone: str
    text: str
    detail: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class _Moment:
    at: datetime
    tone: str
    text: str
    detail: str | None = None
    until: datetime | None = None

    def entry(self, since: datetime) -> Entry:
        """The words of others stand in it, so none of them may hide or turn what is beside."""
        detail = visible(self.detail) if self.detail else None
        after = (self.at - since).total_seconds()
        return Entry(self.at, after, self.tone, visible(self.text), detail, self.until)


def timeline(facts: Facts) -> list[Entry]:
    """Everything that happened, in its order, and at last what it waits for."""
    past = (
        *_arrival(facts),
        *_tries(facts),
        *_waits_over(facts),
        *_steps(facts),
        *_attempts(facts),
        *_receipts(facts),
        *_ending(facts),
    )
    moments = (*sorted(past, key=lambda one: one.at), *_waits(facts))
    return [one.entry(facts.since) for one in moments]


def summary(facts: Facts) -> str:
    """How it stands, in one sentence."""
    if facts.erased:
        return "It was erased; this is what the history of its execution still holds."
    success = facts.story.success() if facts.story else None
    if success:
        after = duration((_got_through_at(success) - facts.since).total_seconds())
        return (
            f"{_through(facts)}, {after} after it was accepted, on {_of_its_steps(facts, success)}."
        )
    if not facts.over:
        waits = [
            channel(str(one.given["channel"])) for one in facts.sending.values() if not one.over
        ]
        return f"Waits for what {listed(waits)} will report." if waits else "On its way."
    ending = CONCLUDED.get(MessageStatus(facts.status), ("", capital(status(facts.status))))[1]
    reason = facts.story.message.reason if facts.story else None
    return visible(f"{ending}, {reason}." if reason else f"{ending}.")


def _got_through_at(attempt: Attempt) -> datetime:
    return attempt.times[attempt.status]


def _of_its_steps(facts: Facts, attempt: Attempt) -> str:
    last = max(one.step for one in facts.plan.attempts)
    return f"step {facts.plan.attempt(attempt.number).step} of {last}"


def elapsed(seconds: float) -> str:
    """Since the message was accepted, to the millisecond as long as it counts."""
    return f"+{seconds:.3f} s" if seconds < MINUTE else f"+{duration(seconds)}"


# ---- how it came


def _arrival(facts: Facts) -> Iterator[_Moment]:
    yield _Moment(facts.since, "live", DOORS[facts.door])
    if facts.story and facts.plan.attempts:
        yield _Moment(_planned_at(facts), "live", "Planned", _plan_in_words(facts))
        for dropped in facts.plan.dropped:
            text = f"Step {dropped.step}, {facts.asked(dropped.step)}, was dropped"
            yield _Moment(_planned_at(facts), "warn", text, dropped.reason)
    if facts.execution and facts.door is Door.API:
        yield _Moment(facts.execution.started_at, "quiet", "Its execution started")


def _planned_at(facts: Facts) -> datetime:
    """A request that did not come by the API is planned by the first task of its execution."""
    visits = facts.execution.visits if facts.execution and facts.door is not Door.API else ()
    planned = (one.exited_at for one in visits if one.tries and one.attempt is None)
    return next(planned, None) or facts.since


def _plan_in_words(facts: Facts) -> str:
    steps = "; ".join(
        f"step {step}: {listed(_named(one) for one in attempts)}"
        for step, attempts in _by_step(facts)
    )
    expires = facts.story and facts.story.message.expires_at
    if not expires:
        return steps
    return f"{steps}; nothing is sent after {_seconds((expires - facts.since).total_seconds())}"


def _named(one: PlannedAttempt) -> str:
    asked = "" if one.success is Success.DELIVERED else f" to be {one.success}"
    return f"{channel(one.channel)}, waits {_seconds(one.wait_seconds)}{asked}"


def _by_step(facts: Facts) -> Iterator[tuple[int, list[PlannedAttempt]]]:
    for step in sorted({one.step for one in facts.plan.attempts}):
        yield step, [one for one in facts.plan.attempts if one.step == step]


# ---- why each step ran


def _steps(facts: Facts) -> Iterator[_Moment]:
    before: list[Visit] = []
    for step, attempts in _by_step(facts):
        visits = [facts.sending[one.number] for one in attempts if one.number in facts.sending]
        if visits:
            at = min(visit.entered_at for visit in visits)
            yield _Moment(
                at, "live", f"{_step_named(facts, step, attempts)}: {_why(before, facts)}"
            )
            before = visits


def _step_named(facts: Facts, step: int, attempts: Sequence[PlannedAttempt]) -> str:
    names = listed(channel(one.channel) for one in attempts)
    return f"Step {step}, {f'a broadcast to {names}' if facts.broadcasts(step) else names}"


def _why(before: Sequence[Visit], facts: Facts) -> str:
    if not before:
        return "the first of the plan"
    reasons = [_failed(visit, facts) for visit in before]
    return f"because {listed(reasons)}"


def _failed(visit: Visit, facts: Facts) -> str:
    """Why a sending state was left for the next one."""
    name = channel(str(visit.given.get("channel")))
    failure = visit.failure
    if failure is None:
        return f"{name} {status(visit.condition)}"
    if failure.error == "States.Timeout":
        return _silent(name, failure, facts.planned(visit.attempt or 0))
    words = _ERRORS.get(failure.error or "", f"failed with {failure.error}")
    times = f" {len(visit.tries)} times" if failure.error == "Unavailable" else ""
    return f"{name} {words}{times}: {failure.cause}" if failure.cause else f"{name} {words}{times}"


_ERRORS: Final = {
    "Failed": "failed",
    "Refused": "refused it",
    "Unavailable": "was busy",
    "Expired": "came too late",
}


def _silent(name: str, failure: Try, planned: PlannedAttempt | None) -> str:
    success = planned.success if planned else Success.DELIVERED
    said = "receipt" if success is Success.DELIVERED else f"word that it was {success}"
    wait = (failure.until - failure.at).total_seconds() if failure.until else 0
    return f"no {said} from {name} came within {_seconds(wait)}"


# ---- what became of each attempt


def _tries(facts: Facts) -> Iterator[_Moment]:
    """Only those after which the same state tried, or will try, again."""
    for visit in facts.sending.values():
        name = channel(str(visit.given.get("channel")))
        last = len(visit.tries) if visit.condition is Condition.RETRYING else len(visit.tries) - 1
        for number, one in enumerate(visit.tries[:last], 1):
            text = f"{_broke(one, name)}; the state tries again"
            yield _Moment(one.ended_at or one.at, "warn", text, f"try {number}: {_said(one)}")


def _said(one: Try) -> str:
    return one.cause if one.error == "Unavailable" else f"{one.error} {one.cause}".strip()


def _broke(one: Try, name: str) -> str:
    """What broke on our side may have sent: an attempt is claimed first, and sent once at most."""
    if one.error == "Unavailable":
        return f"{capital(name)} was busy, nothing was sent"
    return f"Sending by {name} broke off"


def _attempts(facts: Facts) -> Iterator[_Moment]:
    for attempt in facts.attempts:
        name = channel(attempt.channel)
        if AttemptStatus.SKIPPED in attempt.times or _never_sent(attempt):
            yield from _unsent(attempt, name)
            continue
        text = f"Handed to {name} as attempt {attempt.number}"
        yield _Moment(attempt.claimed_at, "quiet", text, _doubt(facts, attempt))
        yield from _statuses(facts, attempt, name)


def _doubt(facts: Facts, attempt: Attempt) -> str | None:
    """Why nobody knows whether the provider took it, as far as no receipt has said so."""
    open_ended = attempt.status in {AttemptStatus.SENDING, AttemptStatus.TIMED_OUT}
    if attempt.provider_id or attempt.released or not open_ended or not attempt.reason:
        return None
    if facts.story and attempt.reason == facts.story.message.reason:
        return None
    return f"perhaps it was taken, the wait decides: {attempt.reason}"


def _never_sent(attempt: Attempt) -> bool:
    """Timed out before its function came to run."""
    return attempt.status is AttemptStatus.TIMED_OUT and attempt.reason == CAME_TOO_LATE


def _unsent(attempt: Attempt, name: str) -> Iterator[_Moment]:
    for which in (AttemptStatus.SKIPPED, AttemptStatus.TIMED_OUT):
        if which in attempt.times:
            text = f"Nothing was sent by {name}: {attempt.reason or status(which)}"
            yield _Moment(attempt.times[which], "quiet", text)


def _statuses(facts: Facts, attempt: Attempt, name: str) -> Iterator[_Moment]:
    """Those that neither a receipt nor the state itself tells."""
    kinds = {one["kind"] for one in facts.receipts if one.get("attempt") == attempt.number}
    for which, at in attempt.times.items():
        if kinds & _SAYING.get(AttemptStatus(which), set()):
            continue
        if which == AttemptStatus.SENT:
            yield _Moment(at, "quiet", f"{capital(name)} took it", attempt.provider_id)
        elif attempt.number not in facts.sending:
            reason = attempt.reason if which == attempt.status else None
            yield _Moment(at, "quiet", f"{capital(name)}: {status(which)}", reason)


# ---- what providers said


def _receipts(facts: Facts) -> Iterator[_Moment]:
    for receipt in facts.receipts:
        kind = ReceiptKind(receipt["kind"])
        name, word = capital(channel(receipt["channel"])), receipt["word"]
        meant = [KINDS[kind] if KINDS[kind] != word else None, receipt.get("reason")]
        text = ": ".join([f"{name} reports {word}", ", ".join(filter(None, meant))]).rstrip(": ")
        if _after_its_wait(facts, receipt):
            text = f"{text}, after its wait was over"
        tone = RECEIPT_TONES.get(kind, "quiet")
        yield _Moment(_time(receipt["received_at"]), tone, text, _by_its_clock(receipt))


def _after_its_wait(facts: Facts, receipt: Mapping[str, Any]) -> bool:
    """A late one: the state had given up, or had gone on without it."""
    visit = facts.sending.get(int(receipt.get("attempt") or 0))
    if visit is None or not visit.over or visit.exited_at is None:
        return False
    own = visit.condition is Condition.SUCCEEDED and visit.gave.get("attempt") == visit.attempt
    return not own and _time(receipt["received_at"]) > visit.exited_at


def _by_its_clock(receipt: Mapping[str, Any]) -> str:
    """WhatsApp's clock has whole seconds, and no two clocks are the same."""
    occurred = _time(receipt["occurred_at"])
    apart = _time(receipt["received_at"]) - occurred
    ago = f", {duration(apart.total_seconds())} earlier" if apart > timedelta(seconds=1) else ""
    clock = f"{occurred.astimezone():%H:%M:%S}.{occurred.microsecond // 1000:03}"
    return f"attempt {receipt.get('attempt')}; {clock} by the provider's clock{ago}"


# ---- what ended each wait, and the message


def _waits(facts: Facts) -> Iterator[_Moment]:
    for visit in facts.sending.values():
        if not visit.over:
            name = channel(str(visit.given.get("channel")))
            text = f"Waits for what {name} will report,"
            yield _Moment(visit.tries[-1].at, "live", text, until=visit.until)


def _waits_over(facts: Facts) -> Iterator[_Moment]:
    for visit in facts.sending.values():
        end = visit.exited_at or (facts.execution and facts.execution.ended_at)
        if visit.over and end:
            name = channel(str(visit.given.get("channel")))
            took = duration((end - visit.entered_at).total_seconds())
            tone, text = _wait_ended(facts, visit, name, took)
            yield _Moment(end, tone, text)


def _wait_ended(facts: Facts, visit: Visit, name: str, took: str) -> tuple[str, str]:
    if visit.condition is Condition.STOPPED:
        return "warn", f"The wait for {name} ended with the execution after {took}"
    if visit.condition is Condition.SUCCEEDED:
        by = visit.gave.get("attempt")
        if by in (None, visit.attempt):
            return "good", f"{capital(name)} got through after {took}: {visit.gave.get('status')}"
        other = channel(str(visit.gave.get("channel")))
        return "good", f"The wait for {name} ended after {took}: {other} had got through, late"
    if visit.condition is Condition.TIMED_OUT:
        return "warn", capital(_failed(visit, facts))
    return "bad", f"The wait for {name} ended after {took}: {_unreceipted(visit, facts)}"


def _unreceipted(visit: Visit, facts: Facts) -> str:
    """What failed the attempt; a receipt that did stands before it and says why."""
    if visit.failure and visit.failure.error == "Failed":
        return "it failed"
    return _failed(visit, facts)


def _ending(facts: Facts) -> Iterator[_Moment]:
    yield from _conclusion(facts)
    execution = facts.execution
    if execution and execution.status and execution.ended_at:
        tone, text = ENDS[execution.status]
        why = f"{text}: {execution.error}" if execution.error else text
        told = facts.story is not None and facts.story.message.problems
        yield _Moment(execution.ended_at, tone, why, None if told else execution.cause)
    yield from _not_needed(facts)


def _conclusion(facts: Facts) -> Iterator[_Moment]:
    if facts.story is None:
        return
    message = facts.story.message
    if message.problems:
        yield _Moment(
            _planned_at(facts),
            "bad",
            "Rejected: it cannot be planned",
            "; ".join(f"{one['pointer']} {one['detail']}" for one in message.problems),
        )
    if message.concluded_at:
        tone, text = CONCLUDED.get(message.status, ("good", _through(facts)))
        yield _Moment(message.concluded_at, tone, text, message.reason)


def _through(facts: Facts) -> str:
    success = facts.story.success() if facts.story else None
    through = capital(str(facts.status))
    if success is None:
        return through
    late = ", late" if facts.story and facts.story.late(success) else ""
    return f"{through} by {channel(success.channel)}{late}"


def _not_needed(facts: Facts) -> Iterator[_Moment]:
    """Steps of the plan that the message never came to."""
    if not facts.over or facts.story is None:
        return
    made = {attempt.number for attempt in facts.attempts}
    for step, attempts in _by_step(facts):
        if not made & {one.number for one in attempts}:
            text = f"{_step_named(facts, step, attempts)}, did not run: {_no_need(facts)}"
            yield _Moment(_end(facts), "quiet", text)


def _no_need(facts: Facts) -> str:
    success = facts.story.success() if facts.story else None
    if success:
        return f"{channel(success.channel)} had got through"
    if facts.status == MessageStatus.EXPIRED:
        return "the message had expired"
    reason = facts.story.message.reason if facts.story else None
    return reason or "the execution had ended"


def _end(facts: Facts) -> datetime:
    ends = [facts.execution.ended_at if facts.execution else None]
    if facts.story:
        ends.append(facts.story.message.concluded_at)
    return max((one for one in ends if one), default=facts.since)


# ---- words


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
