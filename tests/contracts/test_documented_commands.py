"""The AWS CLI commands of the documentation: each command and each of its options exists."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from messaging.api import requests
from tests.support.request_cases import SENDERS

README, FIRST = (Path(page).read_text() for page in ("README.md", "docs/first-deployment.md"))
PAGES = [Path("README.md"), *sorted(Path("docs").glob("*.md"))]
COMMAND = re.compile(r"\baws ([a-z0-9-]+) ([a-z-]+)")
OPTION = re.compile(r"(?<!\S)--([a-z][a-z0-9-]*)")
# Options of every command. `cli-binary-format`: docs.aws.amazon.com/cli/latest/reference/, for the
# JSON of a blob, which CLI version 2 expects as base64 otherwise.
GLOBAL = {"query", "output", "region", "max-items", "no-cli-pager", "cli-binary-format"}
# A command of the CLI itself: docs.aws.amazon.com/cli/latest/reference/logs/tail.html
OF_THE_CLI = {("logs", "tail"): {"since", "format", "filter-pattern", "follow"}}
SESSION = botocore.session.get_session()


def lines() -> Iterator[tuple[str, str]]:
    """Each paragraph and each line of code that has a command."""
    for page in PAGES:
        prose, code = alternating(re.split(r"^```.*$", page.read_text(), flags=re.MULTILINE))
        paragraphs = (text for part in prose for text in part.split("\n\n"))
        commands = (line for part in code for line in part.replace("\\\n", " ").splitlines())
        for text in (*paragraphs, *commands):
            if COMMAND.search(text):
                yield page.name, text


def alternating(parts: list[str]) -> tuple[list[str], list[str]]:
    return parts[::2], parts[1::2]


def options(service: str, command: str) -> set[str] | None:
    """The options of a command; None if there is no such command."""
    if (service, command) in OF_THE_CLI:
        return OF_THE_CLI[service, command]
    if service not in SESSION.get_available_services():
        return None
    model = SESSION.get_service_model(service)
    by_command = {xform_name(name, "-"): name for name in model.operation_names}
    if command not in by_command:
        return None
    shape = model.operation_model(by_command[command]).input_shape
    names = {xform_name(name, "-") for name in shape.members} if shape else set()
    return names | {f"no-{name}" for name in names}


@pytest.mark.parametrize(("page", "line"), list(lines()))
def test_a_documented_command_exists(page: str, line: str) -> None:
    known = [options(*found) for found in COMMAND.findall(line)]

    assert None not in known, page
    assert set(OPTION.findall(line)) <= GLOBAL.union(*filter(None, known))


def test_commands_are_found() -> None:
    assert len(list(lines())) > 30


@pytest.mark.parametrize("body", re.findall(r"^\$ start \S+ '(.+)'$", FIRST, re.MULTILINE))
def test_a_message_of_the_first_deployment_is_valid(body: str) -> None:
    assert requests.check(json.loads(body), SENDERS)


def test_the_first_message_of_the_readme_is_valid() -> None:
    (body,) = re.findall(
        r"start-execution .* --input '(\{.+?\})'$", README, re.MULTILINE | re.DOTALL
    )

    assert requests.check(json.loads(body), {"sms": "nc-1234567890abcdef0"})
