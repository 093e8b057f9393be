"""Copies the layer's bill of materials to build/sbom.cdx.json: `python -m tools.sbom`."""

import shutil
import sys

from infra.layer import ROOT, SBOM, third_party_code

COPY = ROOT / "build" / SBOM


def main() -> None:
    """Installs the layer first, unless it is installed."""
    shutil.copyfile(third_party_code() / SBOM, COPY)
    sys.stdout.write(f"{COPY.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
