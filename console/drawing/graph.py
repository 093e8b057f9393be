"""A state machine's definition as a graph: its states, and the labelled transitions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Definition = Mapping[str, Any]

# Where the execution starts, and where it succeeds.
START, END = "(start)", "(end)"
_ANSWERS: Final = {True: "yes", False: "no"}
_COMPARED: Final = re.compile(r"(String|Numeric|Timestamp)Equals")


@dataclass(frozen=True, slots=True)
class Edge:
    source: str
    target: str
    words: tuple[str, ...]

    @property
    def label(self) -> str:
        return " or ".join(self.words)


@dataclass(frozen=True, slots=True)
class Node:
    """A state; `branches` are those of a Parallel state, if they are drawn."""

    name: str
    type: str
    branches: tuple["Graph", ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph(definition: Definition, *, branches: bool) -> Graph:
    """The whole state machine with its start and end; without `branches` a Parallel state is one
    box.
    """
    inner = _graph(definition, branches=branches)
    ends = [name for name, state in definition["States"].items() if state.get("End")]
    around = (
        Edge(START, definition["StartAt"], ()),
        *inner.edges,
        *(Edge(name, END, ()) for name in ends),
    )
    return Graph((Node(START, "Start"), *inner.nodes, Node(END, "End")), around)


def _graph(definition: Definition, *, branches: bool) -> Graph:
    states = definition["States"]
    nodes = (
        Node(
            name,
            state["Type"],
            tuple(_graph(one, branches=branches) for one in state.get("Branches", []) if branches),
        )
        for name, state in states.items()
    )
    edges = (edge for name, state in states.items() for edge in _edges(name, state))
    return Graph(tuple(nodes), tuple(edges))


def _edges(name: str, state: Definition) -> Iterator[Edge]:
    """One for each target state, however many rules lead there."""
    words: dict[str, dict[str, None]] = {}
    for target, labels in _transitions(state):
        words.setdefault(target, {}).update(dict.fromkeys(labels))
    for target, labels in words.items():
        yield Edge(name, target, tuple(labels))


def _transitions(state: Definition) -> Iterator[tuple[str, Iterable[str]]]:
    for rule in state.get("Choices", []):
        yield rule["Next"], _compared(rule)
    if "Default" in state:
        yield state["Default"], ["otherwise"]
    if "Next" in state:
        yield state["Next"], []
    catches = state.get("Catch", [])
    for catch in catches:
        other = "other error" if len(catches) > 1 else "error"
        yield catch["Next"], [other if one == "States.ALL" else one for one in catch["ErrorEquals"]]


def _compared(rule: Definition) -> Iterator[str]:
    """The values that a rule compares with; a rule of another kind has none."""
    for inner in (*rule.get("Or", ()), *rule.get("And", ())):
        yield from _compared(inner)
    if "BooleanEquals" in rule:
        yield _ANSWERS[rule["BooleanEquals"]]
    yield from (str(value) for name, value in rule.items() if _COMPARED.fullmatch(name))
