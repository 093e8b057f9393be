"""The parts of the message's page, for whatever may be known of a message."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import escape

from console.context import ConsoleContext
from console.facts import MessageFacts
from console.installation import ConsoleClients, Installation, Local
from console.live import Hub
from console.pages import message
from tests.support.recorded import NAMES, facts

DEFINITION = Path("statemachine/deliver_message.asl.json").read_text()
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:DeliverMessage"
HERE = Local("http://127.0.0.1:1/messages", "key", "http://127.0.0.1:2")


def shown(known: MessageFacts, local: Local | None = HERE, definition: str = DEFINITION) -> str:
    """All the parts, one after the other."""
    installation = Installation("local", "us-east-1", "Messages", MACHINE, {}, local)
    context = ConsoleContext(installation, ConsoleClients(), Hub())
    message.routes(context)
    page = message.MessagePage(context, known.message_id)
    values = {**page.values(known, definition), **page.raw(known)}
    return "".join(
        context.render(f"message_{part}.html", **values) for part in (*message.PARTS, "raw")
    )


EVIL = "<script>alert(1)</script>"


def hostile() -> Iterator[tuple[str, MessageFacts]]:
    known = facts("fallback")
    assert known.history is not None
    assert known.execution is not None
    request = {**known.request, "metadata": {EVIL: EVIL}}
    told = replace(known.history.message, reason=EVIL)
    history = replace(known.history, message=told)
    yield "reason and metadata", replace(known, history=history, stored_request=request)
    receipts = [{**one, "reason": EVIL, "word": EVIL} for one in known.receipts]
    yield "receipt", replace(known, receipts=receipts)
    failed = replace(known.execution, status="FAILED", error=EVIL, cause=EVIL)
    yield "cause", replace(known, execution=failed)


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_is_shown(name: str) -> None:
    html = shown(facts(name))

    assert 'id="timeline"' in html
    assert 'data-state="Choose channel"' in html
    assert "No state has been entered" not in html


def test_an_execution_of_which_nothing_is_stored_is_shown() -> None:
    early = replace(facts("direct", until="TaskStarted"), history=None, receipts=())
    html = shown(early)

    assert 'data-state="Plan message" data-condition="running"' in html
    assert "Send again" not in html


def test_a_message_without_an_execution_is_shown() -> None:
    assert "No state has been entered yet." in shown(replace(facts("fallback"), execution=None))


@pytest.mark.parametrize("known", [pytest.param(one, id=where) for where, one in hostile()])
def test_what_others_wrote_is_escaped(known: MessageFacts) -> None:
    html = shown(known)

    assert "<script" not in html
    assert escape(EVIL) in html


def test_a_deployed_stack_links_to_the_execution_and_to_no_phone() -> None:
    html = shown(facts("fallback"), local=None)

    assert "https://us-east-1.console.aws.amazon.com/states/" in html
    assert "/phones" not in html


def test_a_drawing_that_cannot_be_made_leaves_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    html = shown(facts("fallback"), definition=DEFINITION.replace("Reached late", "Too late"))

    assert "The drawing requires Node" in html
    assert "Delivered by SMS" in html
