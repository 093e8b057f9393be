"""Puts the last run's tables between the marks of the pages that show them: no figure is typed."""

from bench import report, results
from bench.report import Json
from local.addresses import ROOT

PAGE, README = ROOT / "docs" / "benchmark.md", ROOT / "README.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def write(found: Json) -> None:
    """The page of the benchmark with all, the README with what decides."""
    compact = report.compact(found, results.targets(found))
    brief = report.brief(found, results.targets(found))
    for page, tables in ((PAGE, compact), (README, brief)):
        figures = report.markdown(found, tables)
        page.write_text(between_its_marks(page.read_text(), figures.strip()))


def between_its_marks(page: str, figures: str) -> str:
    """The page with these figures instead of the ones that it has."""
    before, _, others = page.partition(BEGIN)
    after = others.partition(END)[2]
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"
