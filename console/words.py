"""How the pages format what they show: times, durations, statuses, channels, prices."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from console.plain import visible
from messaging.channels.catalog import channels

# The colour of each status, and a sign that says the same without colour.
TONES: Final = {
    "delivered": ("good", "✓"),
    "read": ("good", "✓"),
    "sent": ("good", "✓"),
    "confirmed": ("good", "✓"),
    "approved": ("good", "✓"),
    "failed": ("bad", "✗"),
    "undelivered": ("bad", "✗"),
    "rejected": ("bad", "✗"),
    "refused": ("bad", "✗"),
    "complained": ("warn", "!"),
    "timed_out": ("warn", "⧖"),
    "expired": ("warn", "⧖"),
    "unconfirmed": ("warn", "?"),
    "max_checks_reached": ("bad", "✗"),
    "cancelled": ("quiet", "⊘"),
    "skipped": ("quiet", "-"),
    "accepted": ("live", "•"),
    "pending": ("live", "•"),
    "in_progress": ("live", "•"),
    "sending": ("live", "•"),
    "on_its_way": ("live", "•"),
}
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def channel(name: str) -> str:
    """The channel's label; a name that is no channel is returned unchanged."""
    facts = channels().get(name)
    return facts.label if facts else name


def status(name: str) -> str:
    """`timed_out` as `timed out`."""
    return name.replace("_", " ")


def badge(name: str) -> Markup:
    """A status with its colour and sign."""
    tone, sign = TONES.get(name, ("quiet", "•"))
    return Markup('<span class="badge {}"><span aria-hidden="true">{}</span> {}</span>').format(
        tone, sign, status(name)
    )


def clock(at: datetime) -> Markup:
    """The local time to the millisecond, with the full date and time zone as its title."""
    here = at.astimezone()
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(),
        f"{here:%Y-%m-%d %H:%M:%S %Z}",
        f"{here:%H:%M:%S}.{here.microsecond // 1000:03}",
    )


def day_and_clock(at: datetime) -> Markup:
    """The local date and time, to the second."""
    here = at.astimezone()
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(), f"{here:%Y-%m-%d %H:%M:%S}"
    )


def duration(seconds: float) -> str:
    """`0.35 s`, `12.4 s`, `3 min 5 s`, `2 h 4 min`."""
    if seconds < MINUTE:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004 - three significant digits
    whole = round(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


def age(at: datetime, now: datetime) -> Markup:
    """`12 s`, `3 min`, `2 h` or `4 d` ago, with the date and time as its title."""
    seconds = max(0, int((now - at).total_seconds()))
    units = ((2 * DAY, DAY, "d"), (HOUR, HOUR, "h"), (MINUTE, MINUTE, "min"), (0, 1, "s"))
    size, name = next((size, name) for least, size, name in units if seconds >= least)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}", f"{seconds // size} {name}"
    )


def dollars(amount: float) -> str:
    """`$0.0132`: up to six decimals, because one message costs a fraction of a cent."""
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.6f}".rstrip("0").rstrip(".")


def listed(names: Iterable[str]) -> str:
    """`a, b and c`; empty if there is none."""
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def capital(text: str) -> str:
    """With a capital first letter, as a sentence begins."""
    return text[:1].upper() + text[1:]


def small(text: str) -> str:
    """With a small first letter, as within a sentence."""
    return text[:1].lower() + text[1:]


FILTERS: Mapping[str, Callable[..., Any]] = {
    "channel": channel,
    "capital": capital,
    "status": status,
    "badge": badge,
    "age": age,
    "clock": clock,
    "day_and_clock": day_and_clock,
    "duration": duration,
    "dollars": dollars,
    "visible": visible,
}
