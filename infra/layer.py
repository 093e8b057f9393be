"""The third-party code of the functions: one layer, installed by pip for Lambda's platform."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from infra import bytecode
from infra.builds import built, fingerprint
from infra.channels import CHANNELS
from infra.sbom import sbom

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "functions.txt"
BUILDS = ROOT / "build" / "layer"
# The layer's bill of materials, in the layer itself.
SBOM = "sbom.cdx.json"

PIP = (
    *("install", "-qq", "--disable-pip-version-check", "--no-compile"),
    *("--require-hashes", "--only-binary", ":all:"),
)
# Wheels for the runtime and architecture of `infra/function.py`, on whatever machine this runs.
WHEELS = (
    *("--implementation", "cp", "--python-version", bytecode.PYTHON),
    *("--platform", "manylinux2014_aarch64"),
)
# Command-line scripts; everything else in a wheel may be used at run time, even its metadata.
UNUSED = ("bin",)
# The services that the functions call. botocore describes more than 400, in 22 MB, and lists the
# folders of all each time it makes a client: a tenth of a cold start.
SERVICES = {"dynamodb", "kms", "sqs", "stepfunctions"} | {
    channel.sdk_service for channel in CHANNELS.values()
}


def third_party_code() -> Path:
    """The layer's folder, installed again only if the lock file or this file has changed.

    Raises subprocess.CalledProcessError when pip cannot install it; pip has printed the reason.
    """
    sources = (LOCK, Path(__file__), Path(__file__).with_name("sbom.py"))
    made_of = [
        *(path.read_bytes() for path in sources),
        " ".join(sorted(SERVICES)).encode(),
        bytecode.kind().encode(),
    ]
    return built(BUILDS / fingerprint(made_of), _make)


def _make(folder: Path) -> None:
    sys.stderr.write("Installing the functions' third-party code …\n")
    packages, report = folder / "python", folder / "report.json"
    install(packages, sys.executable, *WHEELS, "--report", str(report))
    keep_services(packages)
    (folder / SBOM).write_text(sbom(json.loads(report.read_text())["install"]))
    report.unlink()
    if python := bytecode.compiler():
        bytecode.compile_folder(packages, "/opt/python", python)


def install(packages: Path, python: str, *options: str) -> None:
    """Installs what is locked: for this Python and machine, unless the options name others."""
    into = ("--target", str(packages), "--requirement", str(LOCK))
    subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, "-m", "pip", "--python", python, *PIP, *options, *into], check=True
    )
    for name in UNUSED:
        shutil.rmtree(packages / name, ignore_errors=True)


def keep_services(packages: Path) -> None:
    """Deletes the descriptions of the services that the functions do not call."""
    for service in (packages / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
