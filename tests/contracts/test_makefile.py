"""The Makefile's test commands find their tests in a shell in which nothing is set for them."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = re.findall(
    r"^\t(?:(?P<name>\w+)=(?P<value>\S+) )?\$\(VENV\)/python -m pytest (?P<arguments>.+)$",
    Path("Makefile").read_text(),
    re.MULTILINE,
)
NEEDS_DOCKER = {"tests/sfn_local"}
NEEDS_A_STACK_A_BROWSER_OR_THE_TEMPLATE = {
    "tests/chaos",
    "tests/console",
    "tests/e2e",
    "tests/infra",
}
# What this run of pytest itself has set.
SET_HERE = re.compile("SEED|CHAOS|PYTEST_.*")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value", "arguments"), COMMANDS)
def test_a_test_command_finds_its_tests(name: str, value: str, arguments: str) -> None:
    bare = {key: was for key, was in os.environ.items() if not SET_HERE.fullmatch(key)}
    every_path = shlex.split(arguments.replace("$(T)", ""))
    found = subprocess.run(
        [sys.executable, "-m", "pytest", *every_path, "-n", "0", "--collect-only", "-q"],
        env=bare | ({name: value} if name else {}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    assert re.search(r"\d tests collected (\(\d+ deselected\) )?in ", found.stdout)


def test_every_test_command_is_tried() -> None:
    assert len(COMMANDS) == Path("Makefile").read_text().count("-m pytest")


def test_only_named_folders_are_left_out_of_a_run() -> None:
    """So a new folder is in `make test` and in `make test-fast` without being named."""
    left_out = [
        {word.removeprefix("--ignore=") for word in words if word.startswith("--ignore=")}
        for words in (shlex.split(arguments) for _, _, arguments in COMMANDS)
        if not any(word.startswith("tests/") for word in words)
    ]

    assert left_out == [NEEDS_DOCKER, NEEDS_DOCKER | NEEDS_A_STACK_A_BROWSER_OR_THE_TEMPLATE]
    assert all(Path(folder).is_dir() for folder in set().union(*left_out))
