"""Folders in `build/`, each built once for what it is made of."""

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path


def built(folder: Path, build: Callable[[Path], None]) -> Path:
    """The folder, built if it does not exist, by one process at a time; replaces its neighbours.

    It is renamed when complete: an interrupted build is never taken for a complete one.
    """
    builds = folder.parent
    builds.mkdir(parents=True, exist_ok=True)
    with builds.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not folder.exists():
            for old in builds.iterdir():
                shutil.rmtree(old)
            unfinished = folder.with_suffix(".unfinished")
            unfinished.mkdir()
            build(unfinished)
            unfinished.rename(folder)
    return folder


def fingerprint(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}\0".encode() + part)
    return digest.hexdigest()[:16]
