"""How the pages write what they show: moments, durations, statuses, channels, money."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

CHANNELS: Final = {"whatsapp": "WhatsApp", "sms": "SMS", "email": "email"}
# Each status by its meaning for the eye: how it is coloured, and the sign that says so without one.
TONES: Final = {
    "delivered": ("good", "✓"),
    "read": ("good", "✓"),
    "sent": ("good", "✓"),
    "failed": ("bad", "✗"),
    "undelivered": ("bad", "✗"),
    "rejected": ("bad", "✗"),
    "refused": ("bad", "✗"),
    "complained": ("warn", "!"),
    "timed_out": ("warn", "⧖"),
    "expired": ("warn", "⧖"),
    "unconfirmed": ("warn", "?"),
    "skipped": ("quiet", "-"),
    "accepted": ("live", "•"),
    "in_progress": ("live", "•"),
    "sending": ("live", "•"),
    "on_its_way": ("live", "•"),
}
MINUTE, HOUR = 60, 3600


def channel(name: str) -> str:
    """As people write it; what is no channel stays as it is."""
    return CHANNELS.get(name, name)


def status(name: str) -> str:
    """`timed_out` as `timed out`."""
    return name.replace("_", " ")


def badge(name: str) -> Markup:
    """A status with its colour and its sign."""
    tone, sign = TONES.get(name, ("quiet", "•"))
    return Markup('<span class="badge {}"><span aria-hidden="true">{}</span> {}</span>').format(
        tone, sign, status(name)
    )


def clock(at: datetime) -> Markup:
    """The time of day on this machine to the millisecond; the whole moment where it is asked."""
    here = at.astimezone()
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(),
        f"{here:%Y-%m-%d %H:%M:%S %Z}",
        f"{here:%H:%M:%S}.{here.microsecond // 1000:03}",
    )


def day_and_clock(at: datetime) -> Markup:
    """Day and time on this machine, to the second."""
    here = at.astimezone()
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(), f"{here:%Y-%m-%d %H:%M:%S}"
    )


def duration(seconds: float) -> str:
    """`0.35 s`, `12.4 s`, `3 min 5 s`, `2 h 4 min`."""
    if seconds < MINUTE:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004 - two digits that matter
    whole = round(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


def dollars(amount: float) -> str:
    """`$0.0132`: four digits that matter, since one message costs parts of a cent."""
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.6f}".rstrip("0").rstrip(".")


def listed(names: Iterable[str]) -> str:
    """`a, b and c`; empty where there is none."""
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def capital(text: str) -> str:
    """As a sentence begins."""
    return text[:1].upper() + text[1:]


FILTERS: Mapping[str, Callable[..., Any]] = {
    "channel": channel,
    "status": status,
    "badge": badge,
    "clock": clock,
    "day_and_clock": day_and_clock,
    "duration": duration,
    "dollars": dollars,
}
