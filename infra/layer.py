"""The third-party code of the functions: one layer, installed by pip for AWS's machines."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "functions.txt"
BUILDS = ROOT / "build" / "layer"

# Wheels for the runtime and architecture of `infra/function.py`, whatever machine this is.
PIP = (
    *("pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"),
    *("--require-hashes", "--only-binary", ":all:"),
    *("--implementation", "cp", "--python-version", "3.13"),
    *("--platform", "manylinux2014_aarch64"),
)
# Commands for a terminal; the rest of a wheel is looked up at run time, its metadata too.
UNUSED = ("bin",)


def third_party_code() -> Path:
    """The layer's folder, installed anew only if the lock file or the way of installing changed.

    Raises subprocess.CalledProcessError when pip cannot install it; pip has said why.
    """
    folder = BUILDS / _fingerprint()
    if not folder.exists():
        sys.stderr.write("Installing the functions' third-party code …\n")
        _install(folder)
    return folder


def _fingerprint() -> str:
    made_of = LOCK.read_bytes() + " ".join([*PIP, *UNUSED]).encode()
    return hashlib.sha256(made_of).hexdigest()[:16]


def _install(folder: Path) -> None:
    # Beside its place first: an interrupted installation is never taken for a whole one.
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(BUILDS, ignore_errors=True)
    target = unfinished / "python"
    subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, "-m", *PIP, "--target", str(target), "--requirement", str(LOCK)],
        check=True,
    )
    for name in UNUSED:
        shutil.rmtree(target / name, ignore_errors=True)
    unfinished.rename(folder)
