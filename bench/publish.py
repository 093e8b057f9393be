"""Writes the tables of the last run between the markers of the pages that show them."""

from bench import report
from bench.report import Json
from bench.targets import targets
from local.addresses import ROOT

PAGE, README = ROOT / "docs" / "benchmark.md", ROOT / "README.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def write(found: Json) -> None:
    """Writes most tables to the benchmark page, and targets and costs to the README."""
    compact = report.compact(found, targets(found))
    brief = report.brief(found, targets(found))
    for page, tables in ((PAGE, compact), (README, brief)):
        figures = report.markdown(found, tables)
        page.write_text(between_markers(page.read_text(), figures.strip()))


def between_markers(page: str, figures: str) -> str:
    """The page with these figures in place of its own."""
    before, _, others = page.partition(BEGIN)
    after = others.partition(END)[2]
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"
