"""The template as the app itself writes it, made once; which tests keep together, and the seed."""

import functools
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import settings

from tests.infra.template import Template

ROOT = Path(__file__).parents[1]
# Folders whose tests share something that takes its time: a running stack, the template.
TOGETHER = {folder: folder for folder in ("chaos", "console", "e2e", "infra", "unit/simulator")} | {
    "contracts": "infra"
}

# One seed for all processes that the tests run in; `SEED` repeats a run. It is set here, not in a
# hook, since a folder's own conftest, which may need it, is read before any hook runs.
os.environ.setdefault("SEED", str(random.randrange(1_000_000)))  # noqa: S311 - not a secret

# Fixtures that take a synthesis of the template.
SYNTHESES = {"assembly", "changed_assembly"}

# `make test-fast` uses it: enough examples to notice a plain mistake.
settings.register_profile("fast", max_examples=20)

# botocore parses a megabyte of JSON for the clients of each session, and each mocked AWS has one.
read_model = functools.cache(JSONFileLoader().load_file)
setattr(JSONFileLoader, "load_file", lambda _, path: read_model(path))  # noqa: B010 - a method


def pytest_report_header() -> str:
    return f"SEED={os.environ['SEED']}"


@pytest.hookimpl(tryfirst=True)  # before `-m` selects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks as slow what needs the template. Tests of one such folder run in one process."""
    for item in items:
        if SYNTHESES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        within = item.path.relative_to(ROOT / "tests").as_posix()
        for folder, group in TOGETHER.items():
            if within.startswith(f"{folder}/"):
                item.add_marker(pytest.mark.xdist_group(group))


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
