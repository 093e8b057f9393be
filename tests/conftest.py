"""The template as the app itself writes it, made once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.template import Template

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python -m infra.app` writes, with the layer it builds, and without credentials."""
    folder = tmp_path_factory.mktemp("assembly")
    nobody = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={**nobody, "CDK_OUTDIR": str(folder)},
        check=True,
    )
    return folder


@pytest.fixture(scope="session")
def template(assembly: Path) -> Template:
    return Template.read(assembly / "Throughline.template.json")
