"""An entry of the timeline: the moment, its text, and its tone."""

from dataclasses import dataclass
from datetime import datetime

from console.plain import visible


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened. `after`: seconds since the message was accepted. `until`: when the
    wait that the entry describes ends at the latest.
    """

    at: datetime
    after: float
    tone: str
    text: str
    detail: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class DraftEntry:
    """An entry before its text is made safe to show and its time is related to the message's."""

    at: datetime
    tone: str
    text: str
    detail: str | None = None
    until: datetime | None = None

    def entry(self, since: datetime) -> TimelineEntry:
        detail = visible(self.detail) if self.detail else None
        after = (self.at - since).total_seconds()
        return TimelineEntry(self.at, after, self.tone, visible(self.text), detail, self.until)
