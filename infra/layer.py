"""The third-party code of the functions: one layer, installed by pip for Lambda's platform."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "functions.txt"
BUILDS = ROOT / "build" / "layer"

# Wheels for the runtime and architecture of `infra/function.py`, on whatever machine this runs.
PIP = (
    *("pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"),
    *("--require-hashes", "--only-binary", ":all:"),
    *("--implementation", "cp", "--python-version", "3.13"),
    *("--platform", "manylinux2014_aarch64"),
)
# Command-line scripts; everything else in a wheel may be used at run time, even its metadata.
UNUSED = ("bin",)


def third_party_code() -> Path:
    """The layer's folder, installed again only if the lock file or pip's options have changed.

    Raises subprocess.CalledProcessError when pip cannot install it; pip has printed the reason.
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
    # Renamed when complete: an interrupted installation is never taken for a complete one.
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
