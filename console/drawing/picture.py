"""A layout with the progress of one execution: what each state shows, which lines are marked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from console.drawing.graph import END, START
from console.drawing.layout import Box, Frame, Layout, Line
from console.execution import OPEN, Condition, Execution, Visit
from console.plain import visible
from console.words import duration

# The sign of each condition, and its words where nothing more specific is known.
SIGNS: Final = {
    Condition.RUNNING: ("•", "running"),
    Condition.WAITING: ("•", "waiting"),
    Condition.RETRYING: ("•", "unavailable, retrying"),
    Condition.SUCCEEDED: ("✓", "done"),
    Condition.FAILED: ("✗", "failed"),
    Condition.TIMED_OUT: ("⧖", "timed out"),
    Condition.STOPPED: ("✗", "stopped"),
    Condition.ENDED: ("⊘", "ended"),
}
# States that take no time: only when they were entered is shown.
PASSING: Final = frozenset({"Choice", "Pass"})
ROUND: Final = 7.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A state as it is drawn. `condition`: of its last visit, or `ahead` if the message may still
    enter it, or `idle`. `until`: when it times out, while it waits.
    """

    box: Box
    condition: str
    outcome: str
    times: str
    until: datetime | None
    entered: int


@dataclass(frozen=True, slots=True)
class Path:
    d: str
    label: str
    label_at: tuple[float, float] | None
    taken: bool


@dataclass(frozen=True, slots=True)
class Picture:
    width: float
    height: float
    frames: tuple[Frame, ...]
    paths: tuple[Path, ...]
    shapes: tuple[Shape, ...]


def picture(
    layout: Layout, execution: Execution | None, since: datetime, ahead: Iterable[str]
) -> Picture:
    """`ahead`: labels of transitions that may still be made. Times are measured from `since`."""
    coming = _coming(layout, execution, frozenset(ahead))
    shapes = (_shape(box, execution, since, coming) for box in layout.boxes)
    paths = (_path(line, execution) for line in layout.lines)
    return Picture(
        layout.width,
        layout.height,
        layout.frames,
        tuple(sorted(paths, key=lambda path: path.taken)),
        tuple(shapes),
    )


def visited(execution: Execution, since: datetime) -> list[str]:
    """The same in words: each state that was entered, in order."""
    return [visible(_visited(one, since)) for one in execution.visits]


def _visited(visit: Visit, since: datetime) -> str:
    parts = [visit.state, _times([visit], since, passing=not visit.runs)]
    if visit.runs:
        parts.append(outcome_of(visit) or SIGNS[visit.condition][1])
    if visit.failure and visit.failure.cause:
        parts.append(visit.failure.cause)
    return ", ".join(parts)


def _coming(layout: Layout, execution: Execution | None, words: frozenset[str]) -> set[str]:
    if execution and execution.status:
        return set()
    return {line.edge.target for line in layout.lines if words & set(line.edge.words)}


def _shape(box: Box, execution: Execution | None, since: datetime, coming: set[str]) -> Shape:
    visits = execution.visits_of(box.name) if execution else []
    if not visits:
        return Shape(box, _unentered(box, execution, coming), "", "", None, 0)
    last = visits[-1]
    return Shape(
        box,
        last.condition,
        _outcome(box, last),
        _times(visits, since, passing=box.type in PASSING),
        last.until,
        len(visits),
    )


def _unentered(box: Box, execution: Execution | None, coming: set[str]) -> str:
    started = box.name == START and execution is not None
    ended = box.name == END and execution is not None and execution.ended_in is not None
    if started or ended:
        return "succeeded"
    return "ahead" if box.name in coming else "idle"


def _outcome(box: Box, visit: Visit) -> str:
    if box.type in PASSING and visit.condition is Condition.SUCCEEDED:
        return ""
    sign, word = SIGNS[visit.condition]
    if box.type == "Parallel" and visit.condition is Condition.SUCCEEDED:
        return "ended"
    return visible(f"{sign} {outcome_of(visit) or word}")


def outcome_of(visit: Visit) -> str | None:
    """How a sending state ended, if that is more specific than its condition."""
    if visit.attempt is None:
        return None
    if visit.condition is Condition.SUCCEEDED:
        status = str(visit.output.get("status", ""))
        late = visit.output.get("attempt") not in (None, visit.attempt)
        return "no longer needed" if late else status
    ended = visit.condition in {Condition.FAILED, Condition.RETRYING, Condition.ENDED}
    return _FAILURES.get(visit.failure.error or "") if ended and visit.failure else None


_FAILURES: Final[Mapping[str, str]] = {
    "Refused": "refused",
    "Unavailable": "unavailable",
    "Expired": "expired",
    "Advanced": "advanced",
    "Cancelled": "cancelled",
    "Resend": "resend requested",
}


def _times(visits: Sequence[Visit], since: datetime, *, passing: bool) -> str:
    last = visits[-1]
    entered = duration((last.entered_at - since).total_seconds())
    end = last.exited_at or (last.runs and last.runs[-1].ended_at)
    if passing or not end or last.condition in OPEN:
        return f"at {entered}"
    return f"{entered} → {duration((end - since).total_seconds())}"


# ---- lines


def _path(line: Line, execution: Execution | None) -> Path:
    return Path(_d(line.points), line.edge.label, line.label_at, _taken(line, execution))


def _taken(line: Line, execution: Execution | None) -> bool:
    if execution is None:
        return False
    if line.edge.source == START:
        return bool(execution.visits)
    if line.edge.target == END:
        return execution.ended_in == line.edge.source
    return (line.edge.source, line.edge.target) in execution.transitions_taken


def _d(points: Sequence[tuple[float, float]]) -> str:
    """An SVG path through the points, with rounded corners."""
    parts = [f"M{_at(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        parts.append(
            f"L{_at(_towards(corner, before))}Q{_at(corner)} {_at(_towards(corner, after))}"
        )
    return "".join([*parts, f"L{_at(points[-1])}"])


def _towards(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Where the rounded corner begins: at most half way, so that two corners never overlap."""
    (x, y), (to_x, to_y) = corner, other
    length = abs(to_x - x) + abs(to_y - y)
    part = min(ROUND, length / 2) / length if length else 0.0
    return x + (to_x - x) * part, y + (to_y - y) * part


def _at(point: tuple[float, float]) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
