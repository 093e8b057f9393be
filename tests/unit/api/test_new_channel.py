"""A channel is added to the requests by its folder and its entry in channels.toml alone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FACTS = """
[pager]
label = "phone call"
address = "phone"
success = ["sent", "delivered"]
wait_seconds = 60
max_text = 3000
needs = "a text"
"""
CONTENT = '''
"""What a call reads out."""

from typing import Annotated

from pydantic import StringConstraints

from messaging.channels.catalog import channels
from messaging.channels.content import ChannelContent
from messaging.channels.fields import Pattern, RequestModel


class PagerContent(RequestModel):
    text: Annotated[str, StringConstraints(max_length=channels()["pager"].max_text)]
    voice: Annotated[str, Pattern(r"^[A-Z]+$", "must be a voice in capitals")] = "JOANNA"


CONTENT = ChannelContent(
    PagerContent, Annotated[str, Pattern(r"^\\+[0-9]+$", "must be a calling number")],
    lambda content: bool(content.text),
)
'''
PROGRAM = """
import json, sys
from messaging.api import requests
from messaging.domain.errors import InvalidRequest
try:
    print(json.dumps([requests.check(json.load(sys.stdin), {}).document, []]))
except InvalidRequest as error:
    print(json.dumps([None, [[one.pointer, one.detail] for one in error.problems]]))
"""
CALL: dict[str, Any] = {
    "to": {"pager": "+12065550142"},
    "from": {"pager": "+12065550100"},
    "content": {"pager": {"text": "Your secret is 987654.", "voice": "JOANNA"}},
    "steps": [{"channel": "pager"}, {"broadcast": ["pager"]}],
}


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The functions with one channel more."""
    copied = tmp_path_factory.mktemp("pager") / "functions"
    shutil.copytree("functions", copied, ignore=shutil.ignore_patterns("__pycache__"))
    channels = copied / "messaging" / "channels"
    with (channels / "channels.toml").open("a") as facts:
        facts.write(FACTS)
    (channels / "pager").mkdir()
    (channels / "pager" / "__init__.py").touch()
    (channels / "pager" / "content.py").write_text(CONTENT)
    return copied


def check(functions: Path, body: object) -> tuple[Any, list[list[str]]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=functions,
        input=json.dumps(body),
        capture_output=True,
        text=True,
        check=True,
    )
    document, problems = json.loads(done.stdout)
    return document, problems


def test_a_request_for_it_is_accepted(functions: Path) -> None:
    assert check(functions, CALL) == ({**CALL, "category": "utility"}, [])


def test_what_is_invalid_or_missing_is_said_by_its_own_files(functions: Path) -> None:
    body = {
        "to": {"pager": "12065550142"},
        "from": {"pager": "Shop"},
        "content": {"pager": {"text": "x" * 3_001, "voice": "Joanna"}},
        "steps": [
            {"channel": "pager", "success": "read", "content": {"pager": None}},
            {"channel": "fax"},
            {"channel": "pager", "to": {}, "content": {"pager": {}}},
            {"channel": "sms"},
        ],
    }

    assert check(functions, body)[1] == [
        ["/to/pager", "must be a phone number in E.164 format, for example +14255550156"],
        ["/from/pager", "must be a calling number"],
        ["/content/pager/text", "has 3001 characters; the maximum is 3000"],
        ["/content/pager/voice", "must be a voice in capitals"],
        [
            "/steps/0/success",
            "must be 'sent', 'delivered' or 'confirmed'; only whatsapp supports 'read'",
        ],
        ["/steps/0/content/pager", "must not be null"],
        ["/steps/1/channel", "must be 'whatsapp', 'sms', 'email', 'voice' or 'pager'"],
        ["/steps/2/content/pager/text", "is required"],
        ["/to/sms", "is required, because a step uses sms"],
        ["/from/sms", "is required, because the stack has no sender for this channel"],
        ["/content/sms", "is required: sms needs a text"],
    ]


def test_what_it_lacks_and_what_is_too_long_is_said_with_its_facts(functions: Path) -> None:
    body = {"content": {"text": "x" * 3_001}, "steps": [{"channel": "pager"}]}
    nothing = {**CALL, "content": {}}

    assert check(functions, body)[1] == [
        ["/to/pager", "is required, because a step uses pager"],
        ["/from/pager", "is required, because the stack has no sender for this channel"],
        [
            "/content/text",
            (
                "has 3001 characters; the maximum for pager is 3000. "
                "Use content.pager.text for a shorter text"
            ),
        ],
    ]
    assert check(functions, nothing)[1] == [["/content/pager", "is required: pager needs a text"]]
