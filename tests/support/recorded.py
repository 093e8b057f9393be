"""Messages as the store and the real engine left them, recorded in tests/support/histories."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from console.execution import Execution
from console.facts import MessageFacts
from messaging.domain.errors import UnknownMessage
from messaging.domain.messages import MessageHistory
from messaging.store import Store
from tests.support.dynamodb import MemoryDynamoDB

HISTORIES = Path(__file__).with_name("histories")
NAMES = sorted(path.stem for path in HISTORIES.glob("*.json"))


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HISTORIES / f"{name}.json").read_text())
    return found


def events(name: str, until: str = "", of: str = "") -> list[dict[str, Any]]:
    """The history, or its beginning up to the first event of a type, in a state if one is named."""
    found = [
        {**event, "timestamp": datetime.fromisoformat(event["timestamp"])}
        for event in recorded(name)["events"]
    ]
    return found[: _end(found, until, of)] if until else found


def _end(found: list[dict[str, Any]], until: str, of: str) -> int:
    inside = not of
    for number, event in enumerate(found, 1):
        inside = inside or event.get("stateEnteredEventDetails", {}).get("name") == of
        if inside and event["type"] == until:
            return number
    raise AssertionError(f"no {until} in {of}")


def execution(name: str, until: str = "", of: str = "") -> Execution:
    return Execution.read(events(name, until, of))


def facts(name: str, until: str = "", of: str = "") -> MessageFacts:
    """What is known of a message; with `until` only of its execution as it was then."""
    found = recorded(name)
    client = MemoryDynamoDB()
    for item in found["items"]:
        key = item["pk"], item["sk"]
        client.items[key] = {attribute: _typed(value) for attribute, value in item.items()}
    store: Any = Store(client, "Messages")  # type: ignore[arg-type] # it knows what the store asks
    message_id = found["message_id"]
    run = execution(name, until, of)
    history, request = _history(store, message_id)
    return MessageFacts(message_id, history, request, store.receipts.of(message_id), run)


def _history(store: Store, message_id: str) -> tuple[MessageHistory | None, Mapping[str, Any]]:
    try:
        return store.messages.history_and_request(message_id)
    except UnknownMessage:
        return None, {}


def _typed(value: Any) -> dict[str, Any]:
    typed: Any = TypeSerializer().serialize(value)
    return dict(typed)
