"""What the form's buttons do: add, remove and move steps, add and remove metadata."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from console import words
from console.compose.form import BROADCAST, FormStep, MessageForm
from messaging.channels.catalog import channels


@dataclass(frozen=True)
class FormUpdate:
    """The form afterwards, an announcement for screen readers, and the element that gets focus."""

    form: MessageForm
    announcement: str = ""
    focus: str = ""


def run_action(form: MessageForm, button: str) -> FormUpdate:
    """Runs what a button asks for, like `up:3`; an unknown button changes nothing."""
    name, _, key = button.partition(":")
    if name in _FORM_ACTIONS:
        return _FORM_ACTIONS[name](form, key)
    places = (place for place, step in enumerate(form.steps) if str(step.key) == key)
    place = next(places, None)
    if name not in _STEP_ACTIONS or place is None:
        return FormUpdate(form)
    return _STEP_ACTIONS[name](form, place)


def _add_step(form: MessageForm, _: str) -> FormUpdate:
    """The new step has the channel of the last step that has one, as a start."""
    key = max((step.key for step in form.steps), default=0) + 1
    used = [step.channel for step in form.steps if step.channel in channels()]
    steps = (*form.steps, FormStep(key, channel=used[-1] if used else next(iter(channels()))))
    announcement = f"Step {len(steps)} is added."
    return FormUpdate(replace(form, steps=steps), announcement, f"/steps/{key}/channel")


def _remove_step(form: MessageForm, place: int) -> FormUpdate:
    steps = form.steps[:place] + form.steps[place + 1 :]
    nearest = steps[min(place, len(steps) - 1)] if steps else None
    focus = f"remove:{nearest.key}" if nearest else "add-step"
    announcement = f"Step {place + 1}, {title(form.steps[place])}, is removed; {len(steps)} left."
    return FormUpdate(replace(form, steps=steps), announcement, focus)


def _move(form: MessageForm, place: int, by: int) -> FormUpdate:
    to, last = place + by, len(form.steps) - 1
    if not 0 <= to <= last:
        return FormUpdate(form)
    steps = list(form.steps)
    steps.insert(to, steps.pop(place))
    # Focus stays on the button, or moves to the other one where the step can move no further.
    up = (by < 0) != (to in {0, last})
    focus = f"{'up' if up else 'down'}:{steps[to].key}"
    return replace(_moved(replace(form, steps=tuple(steps)), to), focus=focus)


def _moved(form: MessageForm, place: int) -> FormUpdate:
    """Announces a new position; after dragging the browser has posted the steps in their order."""
    position = f"{title(form.steps[place])} is now step {place + 1} of {len(form.steps)}."
    return FormUpdate(form, position)


def _add_metadata(form: MessageForm, _: str) -> FormUpdate:
    pairs = (*form.metadata, ("", ""))
    return FormUpdate(replace(form, metadata=pairs), "", f"/metadata/{len(pairs) - 1}/name")


def _remove_metadata(form: MessageForm, key: str) -> FormUpdate:
    pairs = tuple(pair for place, pair in enumerate(form.metadata) if str(place) != key)
    return FormUpdate(replace(form, metadata=pairs), "The entry is removed.", "add-metadata")


_FORM_ACTIONS: Mapping[str, Callable[[MessageForm, str], FormUpdate]] = {
    "add-step": _add_step,
    "add-metadata": _add_metadata,
    "remove-metadata": _remove_metadata,
}
_STEP_ACTIONS: Mapping[str, Callable[[MessageForm, int], FormUpdate]] = {
    "remove": _remove_step,
    "up": partial(_move, by=-1),
    "down": partial(_move, by=1),
    "dragged": _moved,
}


def title(step: FormStep) -> str:
    """`WhatsApp`, `broadcast over SMS and email` or `no channel`."""
    if step.channel == BROADCAST:
        return f"broadcast over {words.listed(map(words.channel, step.broadcast)) or 'no channel'}"
    return words.channel(step.channel) if step.channel else "no channel"
