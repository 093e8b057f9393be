"""Changes the rule modules one place at a time, and reports which changes no test notices."""

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

ROOT = Path(__file__).parent.parent
WORK = ROOT / "build" / "mutants"
EQUIVALENTS = Path(__file__).with_name("equivalent_mutants.toml")
MIN_PERCENT = 95
# A mutant that makes the tests hang or crash counts as killed.
KILLED = {"killed", "timeout", "segfault"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function, as mutmut names and judges it. `diff` are the lines that it
    removes and adds, of one that was not killed.
    """

    name: str
    module: str
    status: str
    diff: tuple[str, ...] = ()

    @property
    def alive(self) -> bool:
        return self.status not in KILLED

    @property
    def function(self) -> str:
        """With its class, if it has one."""
        function, holder = orig_function_and_class_names_from_key(self.name)
        return f"{holder}.{function}" if holder else function

    @property
    def change(self) -> str:
        """The lines that it adds, in one."""
        return " ".join(line[1:].strip() for line in self.diff if line.startswith("+"))


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change that alters nothing that a caller could notice, and why."""

    module: str
    function: str
    change: str
    reason: str

    def is_of(self, mutant: Mutant) -> bool:
        """Whether it is this mutant's change."""
        where = (mutant.module, mutant.function)
        return where == (self.module, self.function) and mutant.change == self.change


@dataclass(frozen=True, slots=True)
class MutationRun:
    """All mutants, and the changes that are known to be equivalent."""

    mutants: list[Mutant]
    known: list[Equivalent]

    @property
    def alive(self) -> list[Mutant]:
        return [mutant for mutant in self.mutants if mutant.alive]

    @property
    def equivalent(self) -> list[Mutant]:
        return [mutant for mutant in self.alive if any(one.is_of(mutant) for one in self.known)]

    @property
    def survived(self) -> list[Mutant]:
        return [mutant for mutant in self.alive if mutant not in self.equivalent]

    @property
    def obsolete(self) -> list[Equivalent]:
        """Listed mutants that are killed or no longer generated."""
        return [one for one in self.known if not any(one.is_of(mutant) for mutant in self.alive)]

    @property
    def percent(self) -> float:
        """How many of those that are not equivalent were killed."""
        counted = len(self.mutants) - len(self.equivalent)
        return 100 * (counted - len(self.survived)) / counted


def main() -> int:
    """0 if enough of the mutants that are not equivalent were killed."""
    _prepare()
    began = time.monotonic()
    mutmut = str(Path(sys.executable).with_name("mutmut"))
    # With a pattern, mutmut first runs the tests by their names, as it does for each mutant: a name
    # that pytest does not find would count as killed.
    command = [str(mutmut), "run", "--max-children", str(os.cpu_count()), "messaging.*"]
    subprocess.run(command, cwd=WORK, check=True)  # noqa: S603 - the project's own tool
    minutes = (time.monotonic() - began) / 60
    os.chdir(WORK)
    run = MutationRun(list(_mutants()), equivalents())
    sys.stdout.write(f"{report(run)}{minutes:.0f} minutes.\n")
    return int(run.percent < MIN_PERCENT or bool(run.obsolete))


def _prepare() -> None:
    """The folder in which mutmut works. The tests import `functions/`: there, what it mutated."""
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "mutants").mkdir(parents=True)
    for name, target in (("src", "functions"), ("tests",) * 2, ("pyproject.toml",) * 2):
        (WORK / name).symlink_to(ROOT / target)
    (WORK / "mutants" / "functions").symlink_to("src")


def _mutants() -> Iterator[Mutant]:
    results = Path("mutants/src")
    for path in sorted(results.rglob("*.py.meta")):
        module = str(path.relative_to(results).with_suffix(""))
        for name, code in json.loads(path.read_text())["exit_code_by_key"].items():
            mutant = Mutant(name, module, status_by_exit_code[code])
            yield replace(mutant, diff=_diff(mutant)) if mutant.alive else mutant


def _diff(mutant: Mutant) -> tuple[str, ...]:
    lines = get_diff_for_mutant(mutant.name, path=f"src/{mutant.module}").splitlines()[2:]
    return tuple(line for line in lines if line.startswith(("-", "+")))


def equivalents() -> list[Equivalent]:
    """Those that are known."""
    return [Equivalent(**one) for one in tomllib.loads(EQUIVALENTS.read_text())["mutant"]]


def report(run: MutationRun) -> str:
    """The counts by module, what survived, and the percentage."""
    lines = [*_counts(run), ""]
    for mutant in run.survived:
        lines += [f"{mutant.module}, {mutant.function}: {mutant.status}", *mutant.diff, ""]
    for one in run.obsolete:
        lines += [
            f"{EQUIVALENTS.name} lists mutants that are now killed or no longer exist:",
            f"+ {one.change}",
            "",
        ]
    lines += [f"{run.percent:.1f} % of the mutants that are not equivalent were killed. "]
    return "\n".join(lines)


def _counts(run: MutationRun) -> Iterator[str]:
    """A line for each module, and one for all."""
    yield f"{'':38}{'mutants':>9}{'killed':>9}{'survived':>10}{'equivalent':>12}"
    groups = [
        Counter(one.module for one in group)
        for group in (run.mutants, run.survived, run.equivalent)
    ]
    for module in [*groups[0], "all"]:
        total, survived, equivalent = (
            one.total() if module == "all" else one[module] for one in groups
        )
        yield f"{module:38}{total:9}{total - survived - equivalent:9}{survived:10}{equivalent:12}"


if __name__ == "__main__":
    sys.exit(main())
