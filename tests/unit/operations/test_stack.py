"""The commands for a running stack, in a shell that points nowhere, or to no such stack."""

import os
from collections.abc import Callable, Iterator

import pytest

from operations import dead_letters, forget, rotate_key
from operations.doctor import __main__ as doctor
from tests.support.aws import aws

Command = Callable[[], None]
COMMANDS = [
    pytest.param(dead_letters.main, "show", id="dlq"),
    pytest.param(dead_letters.main, "redrive", id="redrive"),
    pytest.param(forget.main, "01JEXAMPLE0000000000000001", id="forget"),
    pytest.param(rotate_key.main, "", id="rotate-key"),
]


def says(monkeypatch: pytest.MonkeyPatch, command: Command, argument: str) -> str:
    """The words that the command ends with, since it could do nothing."""
    monkeypatch.setattr("sys.argv", ["operations", argument])
    with pytest.raises(SystemExit) as ended:
        command()
    return str(ended.value.code)


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a region nor credentials, wherever boto3 looks for them."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STACK", "NotDeployed")
    with aws():
        monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
        yield


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize(
    ("command", "argument"), [*COMMANDS, pytest.param(doctor.main, "", id="doctor")]
)
def test_a_shell_that_points_nowhere_is_told_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, command: Command, argument: str
) -> None:
    told = says(monkeypatch, command, argument)

    assert "You must specify a region." in told
    assert 'eval "$(make -s env)"' in told


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(("command", "argument"), COMMANDS)
def test_a_stack_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, command: Command, argument: str
) -> None:
    told = says(monkeypatch, command, argument)

    assert "ValidationError" in told
    assert "'NotDeployed'" in told


def test_to_forget_asks_for_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "make forget ID=" in says(monkeypatch, forget.main, "")
