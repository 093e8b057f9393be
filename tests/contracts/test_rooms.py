"""Which room may use which, where import-linter cannot look: the functions are single files."""

import ast
import sys
from pathlib import Path

import pytest

FUNCTIONS = sorted(Path("functions").glob("*.py"))
LIBRARIES = {"aws_lambda_powertools", "boto3", "botocore", "messaging", "ulid"}
HOT = {
    *("start_delivery", "send_message", "record_receipt", "close_message", "read_message"),
    *("check_verification", "control_verification", "read_verification"),
}
ROOMS = (
    *("bench", "console", "examples", "functions", "infra", "local", "operations"),
    *("simulator", "tools"),
)
WITH_PYDANTIC = {"messaging.api.requests", "messaging.api.validation", "messaging.api.sample"} | {
    "messaging.api.verification_requests"
}


def imports(path: Path) -> set[str]:
    """Modules that the file imports, `from a import b` as `a` and `a.b`; not for types only."""
    tree = ast.parse(path.read_text())
    typed = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typed:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_a_function_uses_the_shared_rooms_and_its_libraries_only(path: Path) -> None:
    tops = {name.partition(".")[0] for name in imports(path)}

    assert tops - sys.stdlib_module_names <= LIBRARIES


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_hot_functions_start_without_pydantic(path: Path) -> None:
    assert bool(imports(path) & WITH_PYDANTIC) == (path.stem not in HOT)


@pytest.mark.parametrize("path", sorted(Path("functions").rglob("*.py")), ids=str)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    reads = "os" in imports(path)

    assert reads == (path.name == "settings.py")


@pytest.mark.parametrize(
    "path",
    [one for room in (*ROOMS, "tests") for one in Path(room).rglob("*.py")],
    ids=str,
)
def test_every_file_begins_with_one_sentence(path: Path) -> None:
    first = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0]

    assert first.endswith((".", ":")), first


def test_a_class_name_means_one_thing() -> None:
    defined: dict[str, list[str]] = {}
    for room in ROOMS:
        for path in sorted(Path(room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    defined.setdefault(node.name, []).append(str(path))

    assert {name: paths for name, paths in defined.items() if len(paths) > 1} == {}
