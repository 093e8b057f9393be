"""Compiles the deployed code for the functions' Python.

Lambda's folders are read-only: what has no bytecode is compiled again in every cold start. The
bytecode is not compared with its source (PEP 552, unchecked), because packing changes the times of
the files. AWS advises against bytecode from another machine
(https://docs.aws.amazon.com/lambda/latest/dg/python-package.html), since it may not fit; it depends
on the minor version of CPython alone, which is what is asked for here.
"""

import subprocess
import sys
from functools import cache
from pathlib import Path

PYTHON = "3.13"
UNAVAILABLE = (
    f"Warning: no Python {PYTHON} was found to compile the functions for, so each cold start takes "
    f"about three times as long. Install Python {PYTHON}, for example with `.venv/bin/uv python "
    f"install {PYTHON}`, and deploy again.\n"
)
FIND = ("-m", "uv", "python", "find", "--system", "--no-project", "--no-python-downloads")
COMPILE = ("-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash")


@cache
def compiler() -> str | None:
    """A Python of the functions' version on this machine, or None."""
    if sys.version.startswith(f"{PYTHON}."):
        return sys.executable
    found = subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, *FIND, f"cpython@{PYTHON}"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() if found.returncode == 0 else None


def compile_folder(folder: Path, deployed_as: str, python: str) -> None:
    """Adds the bytecode of each source; tracebacks name the path that it is deployed as."""
    moved = ("-s", str(folder), "-p", deployed_as)
    subprocess.run([python, *COMPILE, *moved, str(folder)], check=True)  # noqa: S603 - as above


def kind() -> str:
    """What an asset's hash depends on: it is the same on every machine that can compile."""
    return f"{PYTHON} {' '.join(COMPILE)}" if compiler() else "none"
