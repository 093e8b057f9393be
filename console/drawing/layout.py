"""The position of each state and line of a graph: ELK's layered layout, run by Node."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

from console.drawing.graph import END, START, Edge, Graph, Node, graph

SCRIPT: Final = Path(__file__).with_name("layout.js")
SECONDS: Final = 20.0

# ELK's units are the drawing's pixels. A state's box contains its name and two lines below it.
BOX_HEIGHT, DOT, TITLE_HEIGHT = 58, 18, 52
NARROWEST, CHARACTER = 116, 8.7
LABEL_CHARACTER, LABEL_HEIGHT = 7.0, 15
# A task's box shows the remaining wait; a Choice's has slanted sides.
WAITS, SLANTS = 146, 26
OPTIONS: Final = {
    "elk.algorithm": "layered",
    "elk.direction": "DOWN",
    "elk.edgeRouting": "ORTHOGONAL",
    # A transition to a state earlier in the file is drawn as leading back.
    "elk.layered.cycleBreaking.strategy": "MODEL_ORDER",
    "elk.layered.considerModelOrder.strategy": "PREFER_NODES",
    "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
    "elk.layered.spacing.nodeNodeBetweenLayers": "30",
    "elk.layered.spacing.edgeNodeBetweenLayers": "14",
    "elk.layered.spacing.edgeEdgeBetweenLayers": "10",
    "elk.spacing.nodeNode": "18",
    "elk.spacing.edgeNode": "10",
    "elk.spacing.edgeEdge": "9",
    "elk.spacing.edgeLabel": "3",
    "elk.edgeLabels.inline": "false",
    "elk.padding": "[top=8,left=8,bottom=8,right=8]",
}
# No line leaves a branch, so each has a layout of its own; the branches are placed side by side.
BRANCHES: Final = {
    "elk.algorithm": "rectpacking",
    "elk.aspectRatio": "100",
    "elk.spacing.nodeNode": "14",
    "elk.padding": f"[top={TITLE_HEIGHT},left=12,bottom=12,right=12]",
}
BRANCH: Final = OPTIONS | {"elk.padding": "[top=10,left=10,bottom=10,right=10]"}


class CannotDraw(Exception):
    """The message says what is missing or what failed."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a state is drawn."""

    name: str
    type: str
    x: float
    y: float
    width: float
    height: float
    holds_branches: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """The border around the states of one branch."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """The course of an edge, with the centre of its label."""

    edge: Edge
    points: tuple[tuple[float, float], ...]
    label_at: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Layout:
    width: float
    height: float
    boxes: tuple[Box, ...]
    frames: tuple[Frame, ...]
    lines: tuple[Line, ...]


_one_at_a_time = Lock()


def layout(definition: str, *, branches: bool) -> Layout:
    """The layout of a definition, cached. Raises `CannotDraw`."""
    drawn = graph(json.loads(definition), branches=branches)
    with _one_at_a_time:
        return _layout(drawn)


@lru_cache(maxsize=16)
def _layout(drawn: Graph) -> Layout:
    placed = _placed({"id": "machine", "layoutOptions": OPTIONS, **_inside(drawn, "machine")})
    return _read(placed, drawn)


def _placed(unplaced: Mapping[str, Any]) -> Mapping[str, Any]:
    node = shutil.which("node")
    if node is None:
        raise CannotDraw("The drawing requires Node.js, and `node` is not on the PATH.")
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            [node, str(SCRIPT)],
            input=json.dumps(unplaced),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines()
        raise CannotDraw(f"Node.js failed to compute the layout: {' '.join(lines[:6])}") from error
    except subprocess.TimeoutExpired as error:
        raise CannotDraw(f"Node.js took more than {SECONDS:.0f} s for the layout.") from error
    placed: Mapping[str, Any] = json.loads(done.stdout)
    return placed


# ---- the input of ELK


def _inside(drawn: Graph, path: str) -> dict[str, Any]:
    return {
        "children": [_child(node) for node in drawn.nodes],
        "edges": [_unplaced_edge(f"{path}/{n}", edge) for n, edge in enumerate(drawn.edges)],
    }


def _child(node: Node) -> dict[str, Any]:
    if node.branches:
        return {
            "id": node.name,
            "layoutOptions": BRANCHES,
            "children": [
                {
                    "id": f"{node.name}/{number}",
                    "layoutOptions": BRANCH,
                    **_inside(branch, f"{node.name}/{number}"),
                }
                for number, branch in enumerate(node.branches)
            ],
        }
    if node.name in {START, END}:
        return {"id": node.name, "width": DOT, "height": DOT}
    sides = SLANTS if node.type == "Choice" else 0
    narrowest = WAITS if node.type == "Task" else NARROWEST
    width = max(narrowest, round(len(node.name) * CHARACTER) + sides + 16)
    return {"id": node.name, "width": width, "height": BOX_HEIGHT}


def _unplaced_edge(name: str, edge: Edge) -> dict[str, Any]:
    unplaced: dict[str, Any] = {"id": name, "sources": [edge.source], "targets": [edge.target]}
    if edge.label:
        width = round(len(edge.label) * LABEL_CHARACTER) + 6
        unplaced["labels"] = [{"text": edge.label, "width": width, "height": LABEL_HEIGHT}]
    return unplaced


# ---- the output of ELK: positions are relative to the container


def _read(placed: Mapping[str, Any], drawn: Graph) -> Layout:
    origins = {"machine": (0.0, 0.0)}
    boxes: list[Box] = []
    frames: list[Frame] = []
    _read_boxes(placed, drawn, origins, boxes, frames)
    lines = tuple(_lines(placed, drawn, "machine", origins))
    return Layout(placed["width"], placed["height"], tuple(boxes), tuple(frames), lines)


def _read_boxes(
    holder: Mapping[str, Any],
    drawn: Graph,
    origins: dict[str, tuple[float, float]],
    boxes: list[Box],
    frames: list[Frame],
) -> None:
    left, top = origins[holder["id"]]
    for node, child in zip(drawn.nodes, holder["children"], strict=True):
        x, y = left + child["x"], top + child["y"]
        origins[node.name] = x, y
        size = child["width"], child["height"]
        boxes.append(Box(node.name, node.type, x, y, *size, bool(node.branches)))
        for branch, inner in zip(node.branches, child.get("children", []), strict=True):
            place = x + inner["x"], y + inner["y"]
            origins[inner["id"]] = place
            frames.append(Frame(*place, inner["width"], inner["height"]))
            _read_boxes(inner, branch, origins, boxes, frames)


def _lines(
    holder: Mapping[str, Any],
    drawn: Graph,
    path: str,
    origins: Mapping[str, tuple[float, float]],
) -> Iterator[Line]:
    for edge, placed in zip(drawn.edges, holder["edges"], strict=True):
        yield _line(edge, placed, origins[placed.get("container", path)])
    for node, child in zip(drawn.nodes, holder["children"], strict=True):
        for branch, inner in zip(node.branches, child.get("children", []), strict=True):
            yield from _lines(inner, branch, inner["id"], origins)


def _line(edge: Edge, placed: Mapping[str, Any], origin: tuple[float, float]) -> Line:
    left, top = origin
    section = placed["sections"][0]
    bends = [section["startPoint"], *section.get("bendPoints", []), section["endPoint"]]
    points = tuple((left + one["x"], top + one["y"]) for one in bends)
    label = next(iter(placed.get("labels", [])), None)
    middle = label and (
        left + label["x"] + label["width"] / 2,
        top + label["y"] + label["height"] / 2,
    )
    return Line(edge, points, middle)
