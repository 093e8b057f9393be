"""Synthesizes the CDK app into cdk.out, when something that it is made from has changed:
`python -m tools.synth`.
"""

import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from infra import bytecode

ROOT = Path(__file__).resolve().parent.parent
CLOUD_ASSEMBLY = ROOT / "cdk.out"
STAMP = CLOUD_ASSEMBLY / "made-from.sha256"
SOURCES = ("infra", "statemachine", "functions", "cdk.json", "requirements")


class SynthesisFailed(Exception):
    """The CDK app failed; the text is its error message."""


def main() -> int:
    """Writes cdk.out, if it is not up to date."""
    if is_current():
        sys.stdout.write("cdk.out is up to date.\n")
        return 0
    sys.stdout.write("Synthesizing the template …\n")
    sys.stdout.flush()
    try:
        synthesize()
    except SynthesisFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    if not bytecode.compiler():
        sys.stderr.write(bytecode.UNAVAILABLE)
    return 0


def is_current() -> bool:
    return STAMP.exists() and STAMP.read_text() == fingerprint()


def synthesize() -> None:
    """Writes cdk.out, one process at a time. Raises SynthesisFailed if the app fails."""
    lock = ROOT / ".local" / "synth.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not is_current():
            before = fingerprint()
            run_app()
            STAMP.write_text(before)


def run_app() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SynthesisFailed(f"`python -m infra.app` failed: {reason(done.stderr)}")


def reason(output: str) -> str:
    """The most useful line of the output: pip's error, otherwise the last line."""
    lines = output.strip().splitlines() or ["no output."]
    return next((line for line in reversed(lines) if line.startswith("ERROR:")), lines[-1])


def fingerprint() -> str:
    digest = hashlib.sha256((sys.version + bytecode.kind()).encode())
    for name, content in source_files():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def source_files() -> Iterator[tuple[str, bytes]]:
    for source in SOURCES:
        start = ROOT / source
        for path in [start] if start.is_file() else sorted(start.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield str(path.relative_to(ROOT)), path.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
