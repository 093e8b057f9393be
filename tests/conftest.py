"""Fixtures for the synthesized template, the grouping of tests by process, and the random seed."""

import functools
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # has no types

from tests.infra.template import Template

ROOT = Path(__file__).parents[1]
# Tests that share something slow to start, such as a stack or the template, by the start of the id.
GROUPS = {
    "tests/chaos/": "chaos",
    "tests/console/": "console",
    "tests/contracts/": "template",
    "tests/e2e/": "stack",
    "tests/infra/": "template",
    "tests/unit/simulator/": "simulator",
    "tests/unit/store/test_store.py::test_many_histories": "many messages",
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
    """Marks as slow what needs the template."""
    for item in items:
        if SYNTHESES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc] # as above
    """Runs the tests of a group in one process; `loadgroup` does not with pytest 9.2
    (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        names = (name for start, name in GROUPS.items() if nodeid.startswith(start))
        return next(names, nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    return GroupScheduling(config, log)


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
