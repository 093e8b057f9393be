"""Checks Python and Node, and installs the locked packages.

It runs before anything is installed, so it needs nothing but an old python3 (3.6) and says in one
sentence what is missing. What is installed already is recognised by the hash of its lock file.
"""

# ruff: noqa: S603 - every command is written in this file

import hashlib
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
PYTHON_LOCK = ROOT / "requirements" / "dev.txt"
NODE_LOCK = ROOT / "package-lock.json"
LOGS = ROOT / ".local"

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
DISK_MB = 1500


class Missing(Exception):
    """Something is missing; the text is the sentence that says what to do."""


def main() -> int:
    try:
        check_python()
        check_node()
        install_python_packages()
        if "--with-node-packages" in sys.argv[1:]:
            install_node_packages()
    except Missing as missing:
        say(str(missing))
        return 1
    except KeyboardInterrupt:
        say("\nStopped. Run the command again to continue.")
        return 130
    return 0


def check_python() -> None:
    if sys.version_info[:2] < OLDEST_PYTHON:
        version = ".".join(str(number) for number in sys.version_info[:3])
        raise Missing(
            f"Throughline needs Python 3.11 or newer and this one is {version}: install a newer "
            "one, then name it, for example `make PYTHON=python3.12 run`."
        )


def check_node() -> None:
    if shutil.which("node") is None:
        raise Missing(
            "Throughline needs Node 20 or newer, since the AWS CDK runs on it, and there is no "
            "`node` on the PATH: install it, then run the command again."
        )
    version = subprocess.check_output(["node", "--version"], universal_newlines=True).strip()  # noqa: S607
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major.group(1)) < OLDEST_NODE:
        raise Missing(
            f"Throughline needs Node 20 or newer and this one is {version}: install a newer one, "
            "then run the command again."
        )


def install_python_packages() -> None:
    stamp = VENV / "installed.sha256"
    wanted = fingerprint(PYTHON_LOCK, sys.version)
    if VENV_PYTHON.exists() and content(stamp) == wanted:
        return
    check_disk()
    make_venv()
    stamp.write_text("")
    count = len(re.findall(r"^[\w.-]+==", content(PYTHON_LOCK), re.MULTILINE))
    # Compiling takes longer than installing, and Python compiles what it imports.
    install = "-m pip install --disable-pip-version-check --no-input --no-compile --require-hashes"
    watch(
        f"Installing {count} Python packages into .venv (once)",
        [str(VENV_PYTHON), *install.split(), "-r", str(PYTHON_LOCK)],
        "pip.log",
    )
    stamp.write_text(wanted)


def make_venv() -> None:
    if VENV_PYTHON.exists() and succeeds([str(VENV_PYTHON), "-m", "pip", "--version"]):
        return
    if not succeeds([sys.executable, "-c", "import venv, ensurepip"]):
        raise Missing(
            "This Python cannot make virtual environments: install its venv module (on Debian "
            "and Ubuntu the package python3-venv), then run the command again."
        )
    watch(
        "Making a virtual environment (once)",
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        "venv.log",
    )


def install_node_packages() -> None:
    stamp = ROOT / "node_modules" / "installed.sha256"
    wanted = fingerprint(NODE_LOCK)
    if content(stamp) == wanted:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise Missing("`npm` is not installed: install npm, then run the command again.")
    check_disk()
    install = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    watch("Installing the Node packages (once)", install, "npm.log")
    stamp.write_text(wanted)


def check_disk() -> None:
    free = shutil.disk_usage(str(ROOT)).free // 1_000_000
    if free < DISK_MB:
        raise Missing(
            f"The packages need {DISK_MB} MB and {free} MB are free in {ROOT}: free some disk "
            "space, then run the command again."
        )


def watch(what: str, command: "list[str]", log_name: str) -> None:
    """Runs the command with its output in a log and the passed seconds on the terminal."""
    LOGS.mkdir(exist_ok=True)
    log = LOGS / log_name
    start = time.time()
    live = sys.stderr.isatty()
    say(f"{what} …", end="" if live else "\n")
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=str(ROOT), stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            time.sleep(0.2)
            if live:
                say(f"\r{what} … {time.time() - start:.0f} s ", end="")
    if live:
        say("")
    if process.returncode:
        raise Missing(explanation(content(log), log.relative_to(ROOT)))


def explanation(output: str, log: Path) -> str:
    """One sentence for what pip, npm or venv said."""
    if re.search(r"No space left|ENOSPC", output):
        return (
            "The disk is full: free some disk space, then run the command again (the log is "
            f"{log})."
        )
    package = re.search(r"No matching distribution found for (\S+)|404 +.*/([\w@.%-]+)", output)
    if package:
        name = package.group(1) or package.group(2)
        return (
            f"The package {name} is not available from your package index: check the network and "
            "what `pip config list` or `npm config list` say, then run the command again (the log "
            f"is {log})."
        )
    errors = re.findall(r"(?im)^(?:npm )?err(?:!|or:?) *(.+)", output)
    reason = errors[-1].strip() if errors else "it gives no reason"
    return f"Installing failed; fix the error in {log}, then run the command again: {reason}"


def fingerprint(path: Path, more: str = "") -> str:
    return hashlib.sha256(path.read_bytes() + more.encode()).hexdigest()


def content(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def succeeds(command: "list[str]") -> bool:
    return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def say(text: str, end: str = "\n") -> None:
    """Standard error, since `eval "$(make -s env)"` reads standard output."""
    sys.stderr.write(text + end)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
