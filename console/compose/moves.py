"""What the buttons do to the form: steps come, go and move, and so do the words of one's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from console import words
from console.compose.form import BROADCAST, Form, Step


@dataclass(frozen=True)
class Moved:
    """The form afterwards, what is said about it, and the element on which one goes on."""

    form: Form
    says: str = ""
    focus: str = ""


def act(form: Form, do: str) -> Moved:
    """What the button `do` asks for; a button that there is not does nothing."""
    name, _, which = do.partition(":")
    action = _ACTIONS.get(name)
    return action(form, which) if action else Moved(form)


def _add_step(form: Form, _: str) -> Moved:
    key = max((step.key for step in form.steps), default=0) + 1
    steps = (*form.steps, Step(key, how="sms"))
    says = f"Step {len(steps)} is new."
    return Moved(replace(form, steps=steps), says, f"/steps/{key}/channel")


def _remove_step(form: Form, which: str) -> Moved:
    place = _place(form, which)
    if place is None:
        return Moved(form)
    steps = form.steps[:place] + form.steps[place + 1 :]
    nearest = steps[min(place, len(steps) - 1)] if steps else None
    focus = f"remove:{nearest.key}" if nearest else "add-step"
    says = f"Step {place + 1}, {title(form.steps[place])}, is removed; {len(steps)} left."
    return Moved(replace(form, steps=steps), says, focus)


def _up(form: Form, which: str) -> Moved:
    return _move(form, which, -1)


def _down(form: Form, which: str) -> Moved:
    return _move(form, which, 1)


def _move(form: Form, which: str, by: int) -> Moved:
    place = _place(form, which)
    if place is None or not 0 <= place + by < len(form.steps):
        return Moved(form)
    steps = list(form.steps)
    moved = steps.pop(place)
    steps.insert(place + by, moved)
    at_an_end = place + by in {0, len(steps) - 1}
    # The button that was pressed, or the other one where that can do no more.
    up = (by < 0) != at_an_end
    return Moved(
        replace(form, steps=tuple(steps)),
        _where(moved, place + by, len(steps)),
        f"{'up' if up else 'down'}:{moved.key}",
    )


def _dropped(form: Form, which: str) -> Moved:
    """After a drag the fields have come in their new order: only to be said."""
    place = _place(form, which)
    if place is None:
        return Moved(form)
    return Moved(form, _where(form.steps[place], place, len(form.steps)))


def _add_metadata(form: Form, _: str) -> Moved:
    pairs = (*form.metadata, ("", ""))
    return Moved(replace(form, metadata=pairs), "", f"/metadata/{len(pairs) - 1}/name")


def _remove_metadata(form: Form, which: str) -> Moved:
    pairs = tuple(pair for place, pair in enumerate(form.metadata) if str(place) != which)
    return Moved(replace(form, metadata=pairs), "The entry is removed.", "add-metadata")


_ACTIONS: Mapping[str, Callable[[Form, str], Moved]] = {
    "add-step": _add_step,
    "remove": _remove_step,
    "up": _up,
    "down": _down,
    "dropped": _dropped,
    "add-metadata": _add_metadata,
    "remove-metadata": _remove_metadata,
}


def title(step: Step) -> str:
    """`WhatsApp`, `broadcast over SMS and email`, or that nothing is chosen."""
    if step.how == BROADCAST:
        return f"broadcast over {words.listed(map(words.channel, step.several)) or 'no channel'}"
    return words.channel(step.how) if step.how else "no channel"


def _where(step: Step, place: int, of: int) -> str:
    return f"{title(step)} is now step {place + 1} of {of}."


def _place(form: Form, which: str) -> int | None:
    places = (place for place, step in enumerate(form.steps) if str(step.key) == which)
    return next(places, None)
