"""Starts the parts of the local stack as processes, waits until they answer, and stops them."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from local.addresses import HOST, ROOT, Addresses
from local.errors import CannotRun
from local.http_client import http_client


@dataclass(frozen=True)
class Part:
    """One running process of the stack and its log."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """Raises CannotRun if it has ended by itself."""
        if self.process.poll() is not None:
            raise CannotRun(f"The {self.name} ended by itself: see {self.log.relative_to(ROOT)}.")

    def stop(self) -> None:
        """Kills the process and all it has started: nothing in them is worth keeping."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()  # waits, and closes our end of its standard input


class Parts:
    """The running parts, stopped together in reverse order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[Part] = []

    def start(self, name: str, module: str, *arguments: str, env: Mapping[str, str]) -> Part:
        """Starts `python -m module` in a process group of its own, logging to NAME.log."""
        log = self._folder / f"{name.replace(' ', '-').lower()}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", "local.child", module, *arguments],
                cwd=ROOT,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        part = Part(name, process, log)
        self._parts.append(part)
        return part

    def check(self) -> None:
        """Raises CannotRun if a part has ended by itself."""
        for part in self._parts:
            part.check()

    def names(self) -> dict[int, str]:
        """Each part's name by its process group, to which all belongs that it has started."""
        return {part.process.pid: part.name for part in self._parts}

    def stop(self) -> None:
        while self._parts:
            self._parts.pop().stop()


def prepare_folder(folder: Path) -> None:
    """Empties what an earlier run left: its logs, and the unpacked code of its functions."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tmp").mkdir(parents=True)


def check_ports(addresses: Addresses) -> None:
    """Raises CannotRun if one of the ports is taken: MiniStack would answer wrongly, silently."""
    for port in addresses.ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as taken:
                raise CannotRun(
                    f"Port {port} is in use: stop what listens there, or choose four other ports, "
                    f"for example THROUGHLINE_PORT={addresses.base_port + 100} make run."
                ) from taken


def wait_until_it_answers(part: Part, url: str, seconds: float = 30) -> None:
    """Returns once URL answers anything; raises CannotRun if the part ends or stays silent."""
    for _ in until(seconds):
        part.check()
        if answers(url):
            return
    raise CannotRun(
        f"The {part.name} did not answer within {seconds:.0f} s; see {part.log.relative_to(ROOT)}."
    )


def answers(url: str) -> bool:
    """Whether the URL returns a response, of any status."""
    try:
        http_client().get(url, timeout=2)
    except httpx.TransportError:
        return False
    return True


def until(seconds: float, step: float = 0.05) -> Iterator[float]:
    """Gives the passed seconds again and again, until they are over."""
    start = time.monotonic()
    while (passed := time.monotonic() - start) < seconds:
        yield passed
        time.sleep(step)


# No profile, no endpoint and no retry setting of the user's own account.
NO_AWS_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def clean_environment() -> dict[str, str]:
    """What a program needs to run, without the user's own AWS settings."""
    names = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT")
    return {name: os.environ[name] for name in names if name in os.environ} | NO_AWS_FILES


def leave_out_the_users_settings() -> None:
    """Keeps the user's profiles, and a proxy that cannot know this machine, from our own calls."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    direct = {
        name: ",".join(filter(None, [os.environ.get(name), HOST]))
        for name in ("no_proxy", "NO_PROXY")
    }
    os.environ.update(NO_AWS_FILES | direct)
