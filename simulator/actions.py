"""What a recipient can do with a message on the phone, and which receipts each action causes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator.provider import PhoneState
from simulator.provider_call import ProviderCall

EXPIRED = "The message's time to live has expired"
_ARRIVED = (PhoneState.DELIVERED, PhoneState.READ, PhoneState.COMPLAINED)


class UnsupportedAction(ValueError):
    """The channel does not have this action, whatever the state of the message."""


class ActionNotAllowed(ValueError):
    """The channel has this action, but the state of the message does not allow it."""


@dataclass(frozen=True)
class RecipientAction:
    """One action: `check` raises UnsupportedAction or ActionNotAllowed; `receipt_types` are the
    receipts that it causes, in their order.
    """

    check: Callable[[ProviderCall], None]
    receipt_types: Callable[[ProviderCall], Sequence[str]]


def allowed_actions(call: ProviderCall, now: datetime) -> list[str]:
    """The actions that the message allows now."""
    return [name for name in ACTIONS if _is_allowed(call, name, now)]


def unsupported_actions(call: ProviderCall) -> Mapping[str, str]:
    """The reason for each action that the channel or the sender does not support."""
    two_way = call.provider.two_way
    no_reply = two_way.unavailable(call.body) if two_way else None
    return {**({"reply": no_reply} if no_reply else {}), **call.provider.phone.unsupported}


def check_action(call: ProviderCall, action: str, now: datetime) -> None:
    """Raises UnsupportedAction or ActionNotAllowed, with the actions that are allowed instead."""
    try:
        _check(call, action, now)
    except (UnsupportedAction, ActionNotAllowed) as error:
        others = allowed_actions(call, now)
        rest = f"allowed actions: {', '.join(others)}" if others else "no further action is allowed"
        raise type(error)(f"{error}; {rest}") from error


def check_refusal(call: ProviderCall, receipt_type: str) -> None:
    """Raises UnsupportedAction if refusing this message now cannot cause this receipt."""
    allowed = _refusals(call)
    if receipt_type not in allowed:
        raise UnsupportedAction(
            f"'{receipt_type}' is not a refusal of this message; the refusals are "
            f"{', '.join(allowed)}"
        )


def _is_allowed(call: ProviderCall, action: str, now: datetime) -> bool:
    try:
        _check(call, action, now)
    except (UnsupportedAction, ActionNotAllowed):
        return False
    return True


def _check(call: ProviderCall, action: str, now: datetime) -> None:
    if call.no_receipts_reason:
        raise ActionNotAllowed(call.no_receipts_reason.removesuffix("."))
    if call.expired(now):
        raise ActionNotAllowed(EXPIRED)
    if reason := unsupported_actions(call).get(action):
        raise UnsupportedAction(reason)
    ACTIONS[action].check(call)


def _refusals(call: ProviderCall) -> list[str]:
    phone = call.provider.phone
    if call.state in _ARRIVED and phone.complaint is not None:
        return [phone.complaint]
    return list(phone.refusals)


def _check_receive(call: ProviderCall) -> None:
    _check_not_failed(call)
    if call.state in _ARRIVED:
        raise ActionNotAllowed("The message has already arrived")


def _check_read(call: ProviderCall) -> None:
    _check_not_failed(call)
    if call.state not in (PhoneState.IN_TRANSIT, PhoneState.DELIVERED):
        raise ActionNotAllowed("The message has already been read")


def _check_refuse(call: ProviderCall) -> None:
    _check_not_failed(call)
    if call.state is PhoneState.COMPLAINED:
        raise ActionNotAllowed("The message has already been reported as spam")
    if call.state in _ARRIVED and call.provider.phone.complaint is None:
        raise ActionNotAllowed("The message has arrived and can no longer be refused")


def _check_silence(call: ProviderCall) -> None:
    if call.silent:
        raise ActionNotAllowed("The recipient is already silent")
    pending = any(receipt.pending for receipt in call.receipts)
    if call.state is not PhoneState.IN_TRANSIT and not pending:
        raise ActionNotAllowed("There is no receipt left to suppress")


def _check_not_failed(call: ProviderCall) -> None:
    if call.state in (PhoneState.REFUSED, PhoneState.FAILED):
        raise ActionNotAllowed("The message did not arrive")


def _delivered(call: ProviderCall) -> list[str]:
    return [] if call.state in _ARRIVED else [call.provider.phone.delivered]


def _read(call: ProviderCall) -> list[str]:
    """Reading or replying implies delivery; not every channel reports that a message was read."""
    read = call.provider.phone.read
    unread = read is not None and call.state in (PhoneState.IN_TRANSIT, PhoneState.DELIVERED)
    return [*_delivered(call), *([read] if read and unread else [])]


def _refused(call: ProviderCall) -> list[str]:
    return _refusals(call)[:1]


def _nothing(_: ProviderCall) -> list[str]:
    return []


ACTIONS: Mapping[str, RecipientAction] = {
    "receive": RecipientAction(_check_receive, _delivered),
    "read": RecipientAction(_check_read, _read),
    "refuse": RecipientAction(_check_refuse, _refused),
    "silence": RecipientAction(_check_silence, _nothing),
    "reply": RecipientAction(_check_not_failed, _read),
}
