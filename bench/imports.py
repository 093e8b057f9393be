"""The import of each function in a cold start: time and memory in a new process.

As on Lambda, the code is compiled before and nothing is written; its Python is used if this machine
has it. Each process creates one client as well. The baseline is boto3 alone with that client, as
pip installs it and compiled in the same way. The time is processor time, so that other load on the
machine counts little.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import bytecode, layer, own_code
from infra.builds import built, fingerprint
from local.addresses import ROOT, Addresses

ROUNDS = 15
BASELINE = "boto3 and one client"
DEPLOYED_BOTO3 = "boto3 and one client, in the layer"
CLIENT = "import boto3; boto3.client('dynamodb')"
MEASURED = """
import time
start = time.process_time()
{code}
print(time.process_time() - start)
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


@dataclass(frozen=True)
class ImportTime:
    """The minimum of all rounds, since load only adds; `ratio`: of the time to the baseline's."""

    name: str
    seconds: float
    megabytes: float
    ratio: float


@dataclass(frozen=True)
class Start:
    """A process to measure: its code, and the folders that it imports from."""

    code: str
    folders: tuple[Path, ...]


def cold_imports() -> list[ImportTime]:
    """The first entry is the baseline. Functions alternate, so that load affects all alike."""
    python = bytecode.compiler() or sys.executable
    with deployed(python) as (boto3, functions, packages):
        starts = {
            BASELINE: Start(CLIENT, (boto3,)),
            DEPLOYED_BOTO3: Start(CLIENT, (packages,)),
            **{
                path.stem: Start(f"import {path.stem}; {CLIENT}", (functions, packages))
                for path in sorted(functions.glob("*.py"))
            },
        }
        rounds = [
            {name: run(python, start) for name, start in starts.items()} for _ in range(ROUNDS)
        ]
    return [import_time(name, rounds) for name in starts]


@contextmanager
def deployed(python: str) -> Iterator[tuple[Path, Path, Path]]:
    """Compiled folders: the packages as pip installs them, the functions' own code, and what the
    layer keeps of the packages. They are for this machine, the real layer is for Lambda's.
    """
    version = subprocess.check_output([python, "-VV"])  # noqa: S603 - the Python that measures
    parts = [layer.LOCK.read_bytes(), Path(layer.__file__).read_bytes(), version]

    def install(folder: Path) -> None:
        layer.install(folder / "installed", python)
        shutil.copytree(folder / "installed", folder / "layer")
        layer.keep_services(folder / "layer")
        bytecode.compile_folder(folder, str(folder), python)

    packages = built(ROOT / "build" / "bench" / fingerprint(parts), install)
    with TemporaryDirectory() as functions:
        own_code.copy_to(Path(functions), python)
        yield packages / "installed", Path(functions), packages / "layer"


def import_time(name: str, rounds: list[dict[str, tuple[float, float]]]) -> ImportTime:
    seconds, baseline = (min(one[key][0] for one in rounds) for key in (name, BASELINE))
    megabytes = min(one[name][1] for one in rounds)
    return ImportTime(name, seconds, megabytes, seconds / baseline)


def run(python: str, start: Start) -> tuple[float, float]:
    path = os.pathsep.join(str(folder) for folder in start.folders)
    read_only = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(  # noqa: S603 - as above
        [python, "-c", MEASURED.format(code=start.code)],
        env=os.environ | Addresses().environment() | read_only,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kilobytes = done.stdout.split()[-2:]
    return float(seconds), int(kilobytes) / 1024
