"""How to read what came back: one file per provider's event format, each with `parse(event)`."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from messaging.channels.email import receipts as email
from messaging.channels.sms import receipts as sms
from messaging.channels.whatsapp import receipts as whatsapp
from messaging.domain.messages import Receipt

# The field that only this provider's events have. EventBridge wraps the same events in `detail`.
_FORMATS: tuple[tuple[str, Callable[[Mapping[str, Any]], tuple[Receipt, ...]]], ...] = (
    ("whatsAppWebhookEntry", whatsapp.parse),
    ("wabaId", whatsapp.parse_eventbridge),
    ("mail", email.parse),
    ("messageStatus", sms.parse),
    ("inboundMessageId", sms.parse_inbound),
)


def parse(text: str) -> tuple[Receipt, ...]:
    """The receipts in one provider event, none if the format is no provider's of ours.

    Raises ValueError where the text is not a JSON object.
    """
    event = json.loads(text)
    if not isinstance(event, dict):
        raise ValueError("a provider event is a JSON object")  # noqa: TRY004 - the text is wrong
    event = event.get("detail", event)
    for field, parser in _FORMATS:
        if field in event:
            return parser(event)
    return ()
