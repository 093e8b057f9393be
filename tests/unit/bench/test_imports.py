"""How the import of a function is measured."""

import sys
from pathlib import Path

from bench import imports


def test_the_minima_are_compared() -> None:
    rounds = [
        {imports.BASELINE: (0.2, 40.0), "send_message": (0.9, 48.0)},
        {imports.BASELINE: (0.6, 41.0), "send_message": (0.25, 47.0)},
    ]

    assert imports.import_time("send_message", rounds) == imports.ImportTime(
        "send_message", 0.25, 47.0, 1.25
    )


def test_an_import_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "imported.py").write_text("")

    seconds, megabytes = imports.run(sys.executable, imports.Start("import imported", (tmp_path,)))

    assert 0 < seconds < 1
    assert megabytes > 1
    assert [path.name for path in tmp_path.iterdir()] == ["imported.py"]
