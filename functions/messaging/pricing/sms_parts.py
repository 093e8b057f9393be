"""Counts the parts of an attempt's SMS; each part is billed."""

from collections.abc import Mapping
from typing import Any

from messaging.domain import sms_encoding
from messaging.domain.content import content
from messaging.domain.plan import PlannedAttempt


def parts(request: Mapping[str, Any], planned: PlannedAttempt) -> int:
    """The number of parts in an attempt's SMS; 1 on any other channel."""
    if planned.channel != "sms":
        return 1
    step = request["steps"][planned.step - 1]
    return sms_encoding.parts(content(request, step, planned.channel).text or "")
