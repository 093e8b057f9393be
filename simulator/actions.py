"""What a person who takes a phone in hand can do with a message, and what is reported of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator.call import Call
from simulator.provider import State

EXPIRED = "Its time to live is over"
_ARRIVED = (State.DELIVERED, State.READ, State.COMPLAINED)


class Impossible(ValueError):
    """The channel has no such thing, whatever becomes of the message."""


class NotNow(ValueError):
    """The channel has it, but this message is beyond it."""


@dataclass(frozen=True)
class Act:
    """One thing to do: `check` raises Impossible or NotNow, `receipts` are the provider's words for
    it in their order.
    """

    check: Callable[[Call], None]
    receipts: Callable[[Call], Sequence[str]]


def may(call: Call, now: datetime) -> list[str]:
    """The acts that would be taken now."""
    return [name for name in ACTS if not _hindered(call, name, now)]


def check(call: Call, act: str, now: datetime) -> None:
    """Raises Impossible or NotNow, with what may be done instead, if this may not."""
    try:
        _check(call, act, now)
    except (Impossible, NotNow) as error:
        others = may(call, now)
        rest = f"what may be done: {', '.join(others)}" if others else "nothing more can be done"
        raise type(error)(f"{error}; {rest}") from error


def check_refusal(call: Call, word: str) -> None:
    """Raises Impossible if a person who refuses this message now does not cause this receipt."""
    allowed = _refusals(call)
    if word not in allowed:
        raise Impossible(f"'{word}' is no refusal of this message: {', '.join(allowed)}")


def _hindered(call: Call, act: str, now: datetime) -> bool:
    try:
        _check(call, act, now)
    except (Impossible, NotNow):
        return True
    return False


def _check(call: Call, act: str, now: datetime) -> None:
    if call.note:
        raise NotNow(call.note.removesuffix("."))
    if call.expired(now):
        raise NotNow(EXPIRED)
    ACTS[act].check(call)


def _refusals(call: Call) -> list[str]:
    phone = call.provider.phone
    if call.state in _ARRIVED and phone.complaint is not None:
        return [phone.complaint]
    return list(phone.refusals)


def _check_receive(call: Call) -> None:
    _check_not_failed(call)
    if call.state in _ARRIVED:
        raise NotNow("It has arrived already")


def _check_read(call: Call) -> None:
    if call.provider.phone.read is None:
        raise Impossible("An SMS has no read receipt; only RCS has")
    _check_not_failed(call)
    if call.state not in (State.ON_ITS_WAY, State.DELIVERED):
        raise NotNow("It is read already")


def _check_refuse(call: Call) -> None:
    _check_not_failed(call)
    if call.state is State.COMPLAINED:
        raise NotNow("It is reported as spam already")
    if call.state in _ARRIVED and call.provider.phone.complaint is None:
        raise NotNow("It has arrived, and can no longer be refused")


def _check_silence(call: Call) -> None:
    if call.silent:
        raise NotNow("The person stays silent already")
    waiting = any(receipt.pending for receipt in call.receipts)
    if call.state is not State.ON_ITS_WAY and not waiting:
        raise NotNow("There is nothing left to be silent about")


def _check_reply(call: Call) -> None:
    two_way = call.provider.two_way
    if two_way is None:
        raise Impossible("SES tells a topic of no answers to a mail")
    if why := two_way.why_not(call.request):
        raise Impossible(why)
    _check_not_failed(call)


def _check_not_failed(call: Call) -> None:
    if call.state in (State.REFUSED, State.FAILED):
        raise NotNow("It never arrived")


def _delivered(call: Call) -> list[str]:
    return [] if call.state in _ARRIVED else [call.provider.phone.delivered]


def _read(call: Call) -> list[str]:
    """Who reads a message or answers it has got it; most know of no reading."""
    read = call.provider.phone.read
    unread = read is not None and call.state in (State.ON_ITS_WAY, State.DELIVERED)
    return [*_delivered(call), *([read] if read and unread else [])]


def _refused(call: Call) -> list[str]:
    return _refusals(call)[:1]


def _nothing(_: Call) -> list[str]:
    return []


ACTS: Mapping[str, Act] = {
    "receive": Act(_check_receive, _delivered),
    "read": Act(_check_read, _read),
    "refuse": Act(_check_refuse, _refused),
    "silence": Act(_check_silence, _nothing),
    "reply": Act(_check_reply, _read),
}
