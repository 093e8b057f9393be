"""Two SVG charts: latency, and cost by AWS service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pygal  # type: ignore[import-untyped] # has no types

from bench.report import MOMENTS

Json = Mapping[str, Any]


def draw(results: Json, folder: Path) -> list[Path]:
    """Writes the charts of what was measured, and returns their paths."""
    drawn = {"cost.svg": _cost(results)}
    if results["runs"]:
        drawn["latency.svg"] = _latency(results)
    for name, chart in drawn.items():
        (folder / name).write_bytes(chart.render())
    return [folder / name for name in drawn]


def _latency(results: Json) -> Any:  # noqa: ANN401 - pygal has no types
    run = next(one for one in results["runs"] if one["per_second"])
    chart = _bars(pygal.HorizontalBar, f"Milliseconds, {run['name']}")
    chart.x_labels = list(MOMENTS.values())
    for cut in ("p50", "p95", "p99"):
        spreads = (run["latencies"][moment] for moment in MOMENTS)
        chart.add(cut, [round(spread[cut] * 1000) if spread else None for spread in spreads])
    return chart


def _cost(results: Json) -> Any:  # noqa: ANN401 - as above
    costs = results["costs"]
    chart = _bars(
        pygal.HorizontalStackedBar, "US dollars per million messages, without channel fees"
    )
    chart.x_labels = [one["scenario"] for one in costs]
    for part in costs[0]["dollars_per_million"]:
        chart.add(part, [round(one["dollars_per_million"][part], 2) for one in costs])
    return chart


def _bars(kind: Any, title: str) -> Any:  # noqa: ANN401 - as above
    # Without the script that pygal would make the browser load.
    return kind(title=title, js=[], width=900, height=420, legend_at_bottom=True)
