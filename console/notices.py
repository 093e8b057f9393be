"""What a page shows after an action: kept for the page that the browser is sent to."""

from collections import OrderedDict
from dataclasses import dataclass, field
from secrets import token_urlsafe

MAX_NOTICES = 100


@dataclass(frozen=True)
class Notice:
    """The result of an action in one sentence or more."""

    sentence: str
    good: bool


@dataclass(frozen=True)
class Notices:
    """The newest notices, each with a random name, so that a link cannot inject text."""

    kept: OrderedDict[str, Notice] = field(default_factory=OrderedDict)

    def keep(self, notice: Notice) -> str:
        name = token_urlsafe(8)
        self.kept[name] = notice
        while len(self.kept) > MAX_NOTICES:
            self.kept.popitem(last=False)
        return name
