"""Puts the last run's tables into docs/benchmark.md, between its marks: no figure is typed."""

from local.addresses import ROOT
from local.bench import report, results
from local.bench.report import Json

PAGE = ROOT / "docs" / "benchmark.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def write(found: Json) -> None:
    figures = report.markdown(found, report.compact(found, results.targets(found)))
    PAGE.write_text(between_its_marks(PAGE.read_text(), figures.strip()))


def between_its_marks(page: str, figures: str) -> str:
    """The page with these figures instead of the ones that it has."""
    before, _, others = page.partition(BEGIN)
    after = others.partition(END)[2]
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"
