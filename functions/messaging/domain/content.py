"""An attempt's content, recipient and sender, selected from the request and its step."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from messaging.domain.messages import AttemptId, Message
from messaging.domain.plan import MIN_WAIT_SECONDS, PlannedAttempt
from messaging.domain.verifications import Verification

# A valid request in JSON; messaging/api/models.py defines its fields.
Request = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """The content for one channel. The first four fields can be combined; each of the others
    replaces them.
    """

    text: str | None = None
    subject: str | None = None
    html: str | None = None
    voice_id: str | None = None
    template: Mapping[str, Any] | None = None
    image: Mapping[str, Any] | None = None
    document: Mapping[str, Any] | None = None


_PLAIN = ("text", "subject", "html", "voice_id")
_FORMS = tuple(one.name for one in fields(Content) if one.name not in _PLAIN)


@dataclass(frozen=True, slots=True)
class Delivery:
    """All that a channel needs for one attempt. `valid_seconds`: its time to live; `verification`:
    that of the one-time code in its content.
    """

    attempt_id: AttemptId
    to: str
    sender: str
    content: Content
    category: str
    valid_seconds: int
    verification: Verification | None = None


def delivery(
    message: Message, request: Request, attempt: PlannedAttempt, sender: str, now: datetime
) -> Delivery:
    """What the channel sends for the attempt.

    `sender` is used if the request names none. An attempt must not arrive after its wait, so it is
    valid for the wait, or until the message expires if that is earlier. A step that the request
    does not have repeats its last one. The content of a code is rendered later.
    """
    steps = request["steps"]
    step = steps[min(attempt.step, len(steps)) - 1]
    valid = attempt.wait_seconds
    if message.expires_at is not None:
        left = int((message.expires_at - now).total_seconds())
        valid = max(MIN_WAIT_SECONDS, min(valid, left))
    return Delivery(
        attempt_id=AttemptId(message.message_id, attempt.number),
        to=address(request, step, attempt.channel, "to") or "",
        sender=address(request, step, attempt.channel, "from") or sender,
        content=content(request, step, attempt.channel),
        category=request["category"],
        valid_seconds=valid,
        verification=message.verification,
    )


def address(request: Request, step: Mapping[str, Any], channel: str, field: str) -> str | None:
    """The address in `to` or `from` for the channel: the step's, otherwise the request's."""
    for holder in (step, request):
        if found := holder.get(field, {}).get(channel):
            return str(found)
    return None


def content(request: Request, step: Mapping[str, Any], channel: str) -> Content:
    """The channel's content in this step; a later layer overrides an earlier one.

    The layers: the request's content, its content for the channel, the step's content, its content
    for the channel. A later text replaces a template or an image, and vice versa.
    """
    chosen: dict[str, Any] = {}
    for holder in (request, step):
        general = holder.get("content", {})
        for layer in (general, general.get(channel, {})):
            chosen = _overlay(chosen, layer)
    return Content(**chosen)


def _overlay(chosen: dict[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    forms = {name: layer[name] for name in _FORMS if name in layer}
    if forms:
        return forms
    plain = {name: layer[name] for name in _PLAIN if name in layer}
    if not plain:
        return chosen
    return {name: value for name, value in chosen.items() if name in _PLAIN} | plain
