"""Checks the licenses of what is deployed with the functions: `python -m tools.licenses`."""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.layer import SBOM, third_party_code

# Each lets a service use the package without publishing its own source.
ALLOWED = {
    *("Apache-2.0", "Apache Software License", "BSD-2-Clause", "BSD-3-Clause", "BSD License"),
    *("ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense"),
}
OPERATORS = {"AND", "OR", "WITH"}


def main() -> int:
    components = json.loads((third_party_code() / SBOM).read_text())["components"]
    problems = [*not_allowed(components)]
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if not problems:
        sys.stdout.write(f"licenses: all {len(components)} packages of the layer are allowed.\n")
    return 1 if problems else 0


def not_allowed(components: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each package of an SBOM that has another license than the allowed ones."""
    for one in components:
        if others := sorted(set(_licenses(one)) - ALLOWED):
            yield (
                f"licenses: {one['name']} {one['version']} is under {', '.join(others)}. Allowed "
                f"are {', '.join(sorted(ALLOWED))}: replace the package, or allow it in "
                "tools/licenses.py."
            )


def _licenses(component: Mapping[str, Any]) -> Iterator[str]:
    for choice in component["licenses"]:
        if "expression" in choice:
            yield from set(re.findall(r"[\w.+-]+", choice["expression"])) - OPERATORS
        else:
            yield choice["license"].get("id") or choice["license"]["name"]


if __name__ == "__main__":
    sys.exit(main())
