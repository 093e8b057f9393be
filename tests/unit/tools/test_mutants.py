"""The mutation run: what it mutates, and how it counts."""

import tomllib
from pathlib import Path

from messaging.channels.catalog import channels
from tools.mutants import Equivalent, Mutant, MutationRun, equivalents, report

SETTINGS = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["mutmut"]
FUNCTIONS = Path("functions")


def mutated() -> set[str]:
    patterns = [pattern.removeprefix("src/") for pattern in SETTINGS["only_mutate"]]
    found = [list(FUNCTIONS.glob(pattern)) for pattern in patterns]
    assert all(found)
    return {path.relative_to(FUNCTIONS).as_posix() for paths in found for path in paths}


def test_the_receipts_of_every_channel_are_mutated() -> None:
    expected = {f"messaging/channels/{name}/receipts.py" for name in channels()}

    assert {name for name in mutated() if "/channels/" in name} == expected


def test_what_is_equivalent_is_in_a_mutated_module_and_has_its_reason() -> None:
    assert {one.module for one in equivalents()} <= mutated()
    assert all(one.reason and one.change for one in equivalents())


def test_the_tests_of_the_run_exist() -> None:
    ignored = [one.removeprefix("--ignore=") for one in SETTINGS["pytest_add_cli_args"]]

    assert all(Path(path).exists() for path in SETTINGS["pytest_add_cli_args_test_selection"])
    assert all(Path(path).exists() for path in ignored)


def mutant(number: int, status: str, *diff: str) -> Mutant:
    name = f"messaging.closing.xǁClosingǁclose__mutmut_{number}"
    return Mutant(name, "messaging/closing.py", status, diff)


KILLED = mutant(1, "killed")
ENDLESS = mutant(2, "timeout")
SURVIVED = mutant(3, "survived", "-    first = 1", "+    first = 2")
UNTESTED = mutant(4, "no tests", "-    one(a, b)", "+    one(a,", "+    )")
SAME = Equivalent("messaging/closing.py", "Closing.close", "one(a, )", "b is its default")


def test_what_no_test_notices_survives_unless_it_is_equivalent() -> None:
    run = MutationRun([KILLED, ENDLESS, SURVIVED, UNTESTED], [SAME])

    assert (run.survived, run.equivalent, run.obsolete) == ([SURVIVED], [UNTESTED], [])
    assert round(run.percent, 1) == 66.7


def test_the_same_change_of_another_function_is_not_equivalent() -> None:
    other = Equivalent("messaging/closing.py", "close", SAME.change, "b is its default")
    run = MutationRun([UNTESTED], [other])

    assert (run.survived, run.obsolete) == ([UNTESTED], [other])


def test_the_report_counts_by_module_and_shows_what_survived() -> None:
    lines = report(MutationRun([KILLED, SURVIVED, UNTESTED], [SAME])).splitlines()

    assert [line.split() for line in lines[:3]] == [
        ["mutants", "killed", "survived", "equivalent"],
        ["messaging/closing.py", "3", "1", "1", "1"],
        ["all", "3", "1", "1", "1"],
    ]
    assert "messaging/closing.py, Closing.close: survived" in lines
    assert "+    first = 2" in lines
    assert lines[-1] == "50.0 % of the mutants that are not equivalent were killed. "
