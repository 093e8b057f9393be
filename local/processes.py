"""Starts the parts of the local stack as processes, waits until they respond, and stops them."""

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
    """One process of the stack and its log."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """Raises CannotRun if the process has ended."""
        if self.process.poll() is not None:
            raise CannotRun(
                f"The {self.name} ended unexpectedly: see {self.log.relative_to(ROOT)}."
            )

    def stop(self) -> None:
        """Kills the process and those it started: they have no state to save."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()  # waits, and closes this end of its standard input


class Parts:
    """The processes of the stack, stopped together in reverse order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[Part] = []

    def start(self, name: str, module: str, *arguments: str, env: Mapping[str, str]) -> Part:
        """Starts `python -m module` in a process group of its own, logging to NAME.log."""
        log = self._folder / f"{name.replace(' ', '-').lower()}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - modules of this repository
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
        """Raises CannotRun if one of the processes has ended."""
        for part in self._parts:
            part.check()

    def names(self) -> dict[int, str]:
        """The name of each part by its process group, which includes the processes it started."""
        return {part.process.pid: part.name for part in self._parts}

    def stop(self) -> None:
        while self._parts:
            self._parts.pop().stop()


def prepare_folder(folder: Path) -> None:
    """Deletes the logs and the unpacked function code of an earlier run."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tmp").mkdir(parents=True)


def check_ports(addresses: Addresses) -> None:
    """Raises CannotRun if a port is in use: MiniStack does not report it and responds wrongly."""
    for port in addresses.ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise CannotRun(
                    f"Port {port} is in use: stop its process, or choose five other ports, "
                    f"for example THROUGHLINE_PORT={addresses.base_port + 100} make run."
                ) from error


def wait_until_ready(part: Part, url: str, seconds: float = 30) -> None:
    """Returns once the URL responds; raises CannotRun if the process ends or does not respond."""
    for _ in until(seconds):
        part.check()
        if responds(url):
            return
    raise CannotRun(
        f"The {part.name} did not respond within {seconds:.0f} s; see {part.log.relative_to(ROOT)}."
    )


def responds(url: str) -> bool:
    """Whether the URL returns a response, of any status."""
    try:
        http_client().get(url, timeout=2)
    except httpx.TransportError:
        return False
    return True


def until(seconds: float, step: float = 0.05) -> Iterator[float]:
    """Yields the elapsed seconds repeatedly, until the time is over."""
    start = time.monotonic()
    while (passed := time.monotonic() - start) < seconds:
        yield passed
        time.sleep(step)


# No profile, endpoint or retry setting of the user's own account.
NO_AWS_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def clean_environment() -> dict[str, str]:
    """The variables that a program needs to run, without the user's AWS settings."""
    names = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT")
    return {name: os.environ[name] for name in names if name in os.environ} | NO_AWS_FILES


def ignore_user_settings() -> None:
    """Ignores the user's AWS profiles, and proxies for this machine, in calls of this process."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    direct = {
        name: ",".join(filter(None, [os.environ.get(name), HOST]))
        for name in ("no_proxy", "NO_PROXY")
    }
    os.environ.update(NO_AWS_FILES | direct)
