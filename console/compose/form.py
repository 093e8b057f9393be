"""The form: its fields and what was typed into them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from starlette.datastructures import FormData

from messaging.domain.messages import CHANNELS

# How the text of a field becomes JSON.
TEXT, LINE, NUMBER, JSON, CHOICE = "text", "line", "number", "json", "choice"

# Every field that is there once, in the request's order, named by its JSON pointer.
FIELDS: Final[Mapping[str, str]] = {
    "/to/whatsapp": LINE,
    "/to/sms": LINE,
    "/to/email": LINE,
    "/from/whatsapp": LINE,
    "/from/sms": LINE,
    "/from/email": LINE,
    "/content/text": TEXT,
    "/content/subject": LINE,
    "/content/html": TEXT,
    "/content/whatsapp": CHOICE,
    "/content/whatsapp/text": TEXT,
    "/content/whatsapp/template/name": LINE,
    "/content/whatsapp/template/language": LINE,
    "/content/whatsapp/template/components": JSON,
    "/content/whatsapp/image/link": LINE,
    "/content/whatsapp/image/caption": TEXT,
    "/content/whatsapp/document/link": LINE,
    "/content/whatsapp/document/caption": TEXT,
    "/content/whatsapp/document/filename": LINE,
    "/content/sms/text": TEXT,
    "/content/email": CHOICE,
    "/content/email/subject": LINE,
    "/content/email/text": TEXT,
    "/content/email/html": TEXT,
    "/content/email/template/name": LINE,
    "/content/email/template/data": JSON,
}
# These come after the steps.
LAST_FIELDS: Final[Mapping[str, str]] = {"/category": LINE, "/expires_in_seconds": NUMBER}
# What is sent beside the request, and the JSON for which there is no field.
IDEMPOTENCY_KEY, MORE = "idempotency_key", "more"
NAMES: Final = (*FIELDS, *LAST_FIELDS, IDEMPOTENCY_KEY, MORE)

WHATSAPP_FORMS: Final = ("text", "template", "image", "document")
EMAIL_FORMS: Final = {"words": ("subject", "text", "html"), "template": ("template",)}
BROADCAST: Final = "broadcast"

WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_KEY = re.compile(r"[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True)
class Step:
    """One step as typed. `key` names it however often it moves; `several` is a broadcast's."""

    key: int
    how: str = ""
    several: tuple[str, ...] = ()
    wait: str = ""
    success: str = ""
    more: str = ""

    @classmethod
    def posted(cls, data: FormData, key: int) -> Self:
        place = f"/steps/{key}"
        several = [one for one in data.getlist(f"{place}/broadcast") if one in CHANNELS]
        return cls(
            key,
            _posted(data, f"{place}/channel"),
            tuple(str(one) for one in several),
            _posted(data, f"{place}/wait_seconds"),
            _posted(data, f"{place}/success"),
            _posted(data, f"{place}/more"),
        )

    def plain(self) -> dict[str, Any]:
        """The step of the request as far as the fields say it."""
        said: dict[str, Any] = {}
        if self.how == BROADCAST:
            said["broadcast"] = list(self.several)
        elif self.how:
            said["channel"] = self.how
        if self.wait:
            said["wait_seconds"] = number(self.wait)
        if self.success:
            said["success"] = self.success
        return said

    @property
    def choices(self) -> tuple[str, ...]:
        """The channels in the order in which a broadcast names them, then the others."""
        return self.several + tuple(one for one in CHANNELS if one not in self.several)


@dataclass(frozen=True)
class Form:
    """All that was typed. It is all the state there is: the page hands it on from post to post."""

    values: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @classmethod
    def posted(cls, data: FormData) -> Self:
        """What a browser has sent, whatever it is."""
        keys = dict.fromkeys(one for one in data.getlist("step") if _KEY.fullmatch(str(one)))
        names, values = _column(data, "metadata_name"), _column(data, "metadata_value")
        return cls(
            {name: _posted(data, name) for name in NAMES},
            tuple(Step.posted(data, int(str(key))) for key in keys),
            tuple(zip(names, values, strict=False)),
        )

    def kept_beside(self) -> bool:
        """Whether parts of the request stand as JSON, since the form has no fields for them."""
        return bool(self[MORE] or any(step.more for step in self.steps))


def number(text: str) -> int | str:
    """The number that was typed. What is no whole number stays text, so that the API says so."""
    return int(text) if WHOLE.fullmatch(text) else text


def _posted(data: FormData, name: str) -> str:
    """A browser sends each line break as CR and LF."""
    value = data.get(name, "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _column(data: FormData, name: str) -> list[str]:
    return [one.replace("\r\n", "\n") for one in data.getlist(name) if isinstance(one, str)]
