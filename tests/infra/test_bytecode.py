"""The bytecode of the deployed code, and the import of the functions from it as Lambda does it."""

import importlib.util
import marshal
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra import app, bytecode, function, layer, own_code

FUNCTIONS = sorted(own_code.FUNCTIONS.glob("*.py"))
NATIVE = {"accept_message", "control_message", "plan_message", "start_verification"}
needs_compiler = pytest.mark.skipif(
    not bytecode.compiler(), reason=f"this machine has no Python {bytecode.PYTHON}"
)

MAGIC = "import sys, importlib.util as found; sys.stdout.buffer.write(found.MAGIC_NUMBER)"
COLD_START = """
import importlib, importlib.machinery, sys
compiled = []
def noted(self, data, path, **_):
    compiled.append(path)
    return compile(data, path, "exec", dont_inherit=True)
importlib.machinery.SourceFileLoader.source_to_code = noted
name, *services = sys.argv[1:]
importlib.import_module(name)
import boto3
clients = [boto3.client(service) for service in services]
deployed = tuple(path for path in sys.path if "asset." in path)
print(*[path for path in compiled if path.startswith(deployed)])
"""


@pytest.fixture
def assets(assembly: Path) -> tuple[Path, Path]:
    """The folders of the own and of the third-party code."""
    (own,) = (path.parent for path in assembly.glob("asset.*/send_message.py"))
    (third_party,) = (path.parent for path in assembly.glob("asset.*/python/boto3"))
    return own, third_party


def bytecode_of(source: Path) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"


def test_the_bytecode_is_for_the_runtime() -> None:
    assert function.RUNTIME.name == f"python{bytecode.PYTHON}"


@needs_compiler
def test_every_source_has_bytecode_of_the_runtime_that_is_not_compared_with_it(
    assets: tuple[Path, Path],
) -> None:
    sources = [path for asset in assets for path in asset.rglob("*.py")]
    magic = subprocess.check_output([str(bytecode.compiler()), "-c", MAGIC])

    headers = {bytecode_of(path).read_bytes()[:8] for path in sources}

    assert len(sources) > 500
    assert headers == {magic + (0b01).to_bytes(4, "little")}


@needs_compiler
def test_the_assets_have_no_other_bytecode(assets: tuple[Path, Path]) -> None:
    compiled = {path for asset in assets for path in asset.rglob("*.pyc")}

    assert compiled == {bytecode_of(path) for asset in assets for path in asset.rglob("*.py")}


@needs_compiler
@pytest.mark.parametrize("name", [path.stem for path in FUNCTIONS if path.stem not in NATIVE])
def test_a_cold_start_compiles_nothing_and_writes_nothing(
    name: str, assets: tuple[Path, Path]
) -> None:
    before = {path for asset in assets for path in asset.rglob("*")}

    started = subprocess.run(
        [str(bytecode.compiler()), "-c", COLD_START, name, *sorted(layer.SERVICES)],
        env={
            "PYTHONPATH": os.pathsep.join(map(str, assets)),
            "AWS_DEFAULT_REGION": "us-east-1",
            "POWERTOOLS_SERVICE_NAME": "throughline",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert started.stdout.split() == []
    assert {path for asset in assets for path in asset.rglob("*")} == before


def test_the_layer_describes_the_services_that_the_functions_call() -> None:
    called = re.compile(r'(?:client\(|SERVICE = )"([a-z0-9-]+)"')

    found = {
        name
        for path in own_code.FUNCTIONS.rglob("*.py")
        for name in called.findall(path.read_text())
    }

    assert found == layer.SERVICES


def test_two_compilations_are_equal_byte_by_byte(tmp_path: Path) -> None:
    for name in ("one", "two"):
        own_code.copy_to(tmp_path / name, sys.executable)

    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.pyc")}
        for folder in (tmp_path / "one", tmp_path / "two")
    )

    assert one == two
    assert len(one) == len([*own_code.FUNCTIONS.rglob("*.py")])


def test_a_traceback_names_the_deployed_file(tmp_path: Path) -> None:
    own_code.copy_to(tmp_path, sys.executable)

    compiled = Path(importlib.util.cache_from_source(str(tmp_path / "messaging" / "queue.py")))

    code = marshal.loads(compiled.read_bytes()[16:])  # noqa: S302 - compiled just now
    assert code.co_filename == "/var/task/messaging/queue.py"


def test_a_python_that_does_not_start_is_no_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as pyenv's stand-in for a version that is installed but not chosen."""
    broken = tmp_path / f"python{bytecode.PYTHON}"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "version", "3.11.0")

    assert bytecode.compiler.__wrapped__() is None


def test_without_a_compiler_the_template_is_made_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(bytecode, "compiler", lambda: None)
    monkeypatch.setattr(own_code, "BUILDS", tmp_path / "functions")
    monkeypatch.setattr(app, "third_party_code", lambda: tmp_path / "empty")
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path / "cdk.out"))

    app.main()

    assert capsys.readouterr().err.endswith(bytecode.UNAVAILABLE)
    assert [*tmp_path.glob("cdk.out/asset.*/send_message.py")]
    assert not [*tmp_path.glob("cdk.out/**/*.pyc")]
