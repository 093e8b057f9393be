"""Known vulnerabilities of what is locked: pip-audit and npm audit, less what is accepted.

Both query an online advisory service. If it cannot be reached, one line is printed and the check
passes. `accepted.toml` has what was found and is accepted, each with its reason.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ACCEPTED = ROOT / "requirements" / "accepted.toml"

PIP_AUDIT = (
    *(sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"),
    *("--disable-pip", "--no-deps", "--requirement", "requirements/dev.txt"),
)
NPM_AUDIT = ("npm", "audit", "--json")


class AdvisoryServiceUnreachable(Exception):
    """The advisory service did not answer."""


def main() -> int:
    accepted = tomllib.loads(ACCEPTED.read_text())
    python = audit("pip-audit", PIP_AUDIT, python_findings, accepted)
    node = audit("npm audit", NPM_AUDIT, node_findings, accepted)
    return 0 if python and node else 1


def audit(
    name: str,
    command: tuple[str, ...],
    read: Callable[[str], dict[str, str]],
    accepted: Mapping[str, str],
) -> bool:
    """Whether nothing was found beside what is accepted, or the service could not be reached."""
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        found = read(ran.stdout)
    except AdvisoryServiceUnreachable:
        sys.stdout.write(f"{name}: not checked: the advisory service cannot be reached.\n")
        return True
    findings = {key: about for key, about in found.items() if key not in accepted}
    for key, about in findings.items():
        sys.stdout.write(f"{name}: {key} {about}\n")
    if not findings:
        sys.stdout.write(f"{name}: no findings other than the accepted ones.\n")
    return not findings


def python_findings(output: str) -> dict[str, str]:
    """The package of each advisory in pip-audit's JSON."""
    packages = _object(output).get("dependencies", [])
    if not any("vulns" in package for package in packages):
        raise AdvisoryServiceUnreachable
    return {
        found["id"]: f"in {package['name']} {package['version']}"
        for package in packages
        for found in package.get("vulns", [])
    }


def node_findings(output: str) -> dict[str, str]:
    """The package of each advisory in npm's JSON; a package may also be named for its parts."""
    packages = _object(output).get("vulnerabilities")
    if packages is None:
        raise AdvisoryServiceUnreachable
    return {
        found["url"].rpartition("/")[2]: f"in {name}: {found['title']}"
        for name, package in packages.items()
        for found in package["via"]
        if isinstance(found, dict)
    }


def _object(output: str) -> dict[str, Any]:
    try:
        document = json.loads(output)
    except ValueError as error:
        raise AdvisoryServiceUnreachable from error
    return document if isinstance(document, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
