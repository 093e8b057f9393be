"""Draws a workflow file as a Mermaid flowchart; run as a script, it updates the README."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
WORKFLOW = ROOT / "statemachine" / "deliver_message.asl.json"
README = ROOT / "README.md"
PLACE = re.compile(r"(?<=<!-- workflow -->\n).*(?=<!-- /workflow -->)", re.DOTALL)

State = dict[str, Any]
# Where a state leads that ends the execution.
END = "Succeeded"
# How a state of this type looks: a question, an outcome, a step.
SHAPES = {
    "Choice": '{{{{"{0}"}}}}',
    "Fail": '(["{0}"])',
    "Succeed": '(["{0}"])',
    "Parallel": '[["{0}"]]',
}


def drawing(definition: State) -> str:
    """The flowchart. A parallel state is one node that names what its branches do."""
    states = definition["States"]
    lines = [f"    {_id(name)}{_shape(name, state)}" for name, state in states.items()]
    lines.append(f"    {END}((( )))")
    for name, state in states.items():
        edges: dict[str, list[str]] = {}
        for target, label in _edges(state):
            edges.setdefault(target, []).append(label)
        lines += [
            f"    {_id(name)} {_arrow(labels)} {_id(target)}" for target, labels in edges.items()
        ]
    return "\n".join(["flowchart TD", *lines])


def _edges(state: State) -> Iterator[tuple[str, str]]:
    for choice in state.get("Choices", []):
        yield choice["Next"], choice.get("StringEquals", "")
    if "Default" in state:
        yield state["Default"], "otherwise" if state["Choices"] else ""
    if "Next" in state:
        yield state["Next"], ""
    if state.get("End"):
        yield END, ""
    for catch in state.get("Catch", []):
        errors = " or ".join(catch["ErrorEquals"]).replace("States.ALL", "any other error")
        yield catch["Next"], errors


def _arrow(labels: list[str]) -> str:
    label = " or ".join(one for one in labels if one)
    return f'-->|"{label}"|' if label else "-->"


def _shape(name: str, state: State) -> str:
    tasks = [
        inner
        for branch in state.get("Branches", [])
        for inner, one in branch["States"].items()
        if one["Type"] == "Task"
    ]
    return SHAPES.get(state["Type"], '["{0}"]').format("<br/>".join([name, *tasks]))


def _id(name: str) -> str:
    return re.sub(r"\W", "_", name)


def updated(readme: str, workflow: str) -> str:
    """The README with the current drawing of the workflow."""
    fenced = f"```mermaid\n{drawing(json.loads(workflow))}\n```\n"
    return PLACE.sub(lambda _: fenced, readme)


if __name__ == "__main__":
    README.write_text(updated(README.read_text(), WORKFLOW.read_text()))
