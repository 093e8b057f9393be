"""What the form's buttons do: add, remove and move steps, add and remove metadata."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from console import words
from console.compose.form import BROADCAST, FormStep, MessageForm
from messaging.channels.catalog import channels


@dataclass(frozen=True)
class ActionResult:
    """The form afterwards, an announcement for screen readers, and the element that gets focus."""

    form: MessageForm
    announcement: str = ""
    focus: str = ""


def run_action(form: MessageForm, button: str) -> ActionResult:
    """Runs what a button asks for, like `up:3`; an unknown button changes nothing."""
    name, _, key = button.partition(":")
    action = _ACTIONS.get(name)
    return action(form, key) if action else ActionResult(form)


def _add_step(form: MessageForm, _: str) -> ActionResult:
    """The new step has the channel of the last step that has one, as a start."""
    key = max((step.key for step in form.steps), default=0) + 1
    used = [step.channel for step in form.steps if step.channel in channels()]
    steps = (*form.steps, FormStep(key, channel=used[-1] if used else next(iter(channels()))))
    announcement = f"Step {len(steps)} is added."
    return ActionResult(replace(form, steps=steps), announcement, f"/steps/{key}/channel")


def _remove_step(form: MessageForm, key: str) -> ActionResult:
    place = _place(form, key)
    if place is None:
        return ActionResult(form)
    steps = form.steps[:place] + form.steps[place + 1 :]
    nearest = steps[min(place, len(steps) - 1)] if steps else None
    focus = f"remove:{nearest.key}" if nearest else "add-step"
    announcement = f"Step {place + 1}, {title(form.steps[place])}, is removed; {len(steps)} left."
    return ActionResult(replace(form, steps=steps), announcement, focus)


def _up(form: MessageForm, key: str) -> ActionResult:
    return _move(form, key, -1)


def _down(form: MessageForm, key: str) -> ActionResult:
    return _move(form, key, 1)


def _move(form: MessageForm, key: str, by: int) -> ActionResult:
    place = _place(form, key)
    if place is None or not 0 <= place + by < len(form.steps):
        return ActionResult(form)
    steps = list(form.steps)
    moved = steps.pop(place)
    steps.insert(place + by, moved)
    at_an_end = place + by in {0, len(steps) - 1}
    # Focus stays on the button, or moves to the other one where the step can move no further.
    up = (by < 0) != at_an_end
    return ActionResult(
        replace(form, steps=tuple(steps)),
        _position(moved, place + by, len(steps)),
        f"{'up' if up else 'down'}:{moved.key}",
    )


def _dragged(form: MessageForm, key: str) -> ActionResult:
    """The browser has posted the steps in their new order: it only has to be announced."""
    place = _place(form, key)
    if place is None:
        return ActionResult(form)
    return ActionResult(form, _position(form.steps[place], place, len(form.steps)))


def _add_metadata(form: MessageForm, _: str) -> ActionResult:
    pairs = (*form.metadata, ("", ""))
    return ActionResult(replace(form, metadata=pairs), "", f"/metadata/{len(pairs) - 1}/name")


def _remove_metadata(form: MessageForm, key: str) -> ActionResult:
    pairs = tuple(pair for place, pair in enumerate(form.metadata) if str(place) != key)
    return ActionResult(replace(form, metadata=pairs), "The entry is removed.", "add-metadata")


_ACTIONS: Mapping[str, Callable[[MessageForm, str], ActionResult]] = {
    "add-step": _add_step,
    "remove": _remove_step,
    "up": _up,
    "down": _down,
    "dragged": _dragged,
    "add-metadata": _add_metadata,
    "remove-metadata": _remove_metadata,
}


def title(step: FormStep) -> str:
    """`WhatsApp`, `broadcast over SMS and email` or `no channel`."""
    if step.channel == BROADCAST:
        return f"broadcast over {words.listed(map(words.channel, step.broadcast)) or 'no channel'}"
    return words.channel(step.channel) if step.channel else "no channel"


def _position(step: FormStep, place: int, of: int) -> str:
    return f"{title(step)} is now step {place + 1} of {of}."


def _place(form: MessageForm, key: str) -> int | None:
    places = (place for place, step in enumerate(form.steps) if str(step.key) == key)
    return next(places, None)
