"""The functions' own code: a compiled copy of `functions/`, one asset for all functions."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from infra import bytecode
from infra.builds import built, fingerprint

ROOT = Path(__file__).parent.parent
FUNCTIONS = ROOT / "functions"
BUILDS = ROOT / "build" / "functions"


def own_code() -> Path:
    """The copy for Lambda, made again only if the code or the kind of bytecode has changed."""
    return built(
        BUILDS / fingerprint(_made_of()), lambda folder: copy_to(folder, bytecode.compiler())
    )


def copy_to(folder: Path, python: str | None) -> None:
    """Copies the code and compiles it with this Python; None: it is not compiled."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(FUNCTIONS, folder, ignore=ignored, dirs_exist_ok=True)
    if python:
        bytecode.compile_folder(folder, "/var/task", python)


def _made_of() -> Iterator[bytes]:
    yield bytecode.kind().encode()
    for path in sorted(FUNCTIONS.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(FUNCTIONS)).encode()
            yield path.read_bytes()
