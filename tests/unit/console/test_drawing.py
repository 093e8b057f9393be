"""The drawing of the real state machine: complete, readable, and lit where a message went."""

import json
from datetime import timedelta
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from console.drawing.graph import END, START, graph
from console.drawing.layout import Box, CannotDraw, Layout, layout
from console.drawing.picture import Picture, Shape, picture, visited
from console.execution import Execution
from messaging.channels.catalog import channels
from tests.support.recorded import events, execution, facts

DEFINITION = Path("statemachine/deliver_message.asl.json").read_text()
STATES = json.loads(DEFINITION)["States"]
INNER = {name for branch in STATES["Broadcast"]["Branches"] for name in branch["States"]}
# What a character of a label takes at most.
WIDEST = 8.0


@pytest.fixture(scope="module", params=[False, True], ids=["closed", "branches"])
def placed(request: pytest.FixtureRequest) -> Layout:
    branches: bool = request.param
    return layout(DEFINITION, branches=branches)


def drawn(name: str, until: str = "", of: str = "", *, branches: bool = False) -> Picture:
    known = facts(name, until, of)
    return picture(layout(DEFINITION, branches=branches), known.execution, known.since, known.ahead)


def shape(drawing: Picture, state: str) -> Shape:
    (found,) = (one for one in drawing.shapes if one.box.name == state)
    return found


def words(source: str, target: str) -> str:
    whole = graph(json.loads(DEFINITION), branches=False)
    (edge,) = (one for one in whole.edges if (one.source, one.target) == (source, target))
    return edge.label


# ---- the graph


def test_each_way_is_one_edge_with_its_words() -> None:
    assert words("Choose channel", "Send WhatsApp") == "whatsapp"
    assert words("Choose channel", "Plan message") == "otherwise"
    assert words("Send SMS", "Close message") == "Expired"
    assert words("Send SMS", "Fall back") == "other error"
    assert words("Anyone reached?", "Reached") == "delivered or sent"
    assert words("Close message", "How did it end?") == ""
    assert words("Reached", END) == words(START, "Choose channel") == ""


def test_every_state_of_the_file_is_drawn(placed: Layout) -> None:
    names = {box.name for box in placed.boxes} - {START, END}

    assert names == set(STATES) | (INNER if placed.frames else set())


# ---- the layout


def overlap(one: Box, other: Box) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not beside and one.y < other.y + other.height and other.y < one.y + one.height


def test_no_two_states_overlap(placed: Layout) -> None:
    boxes = [box for box in placed.boxes if not box.holds_branches]

    assert [pair for pair in combinations(boxes, 2) if overlap(*pair)] == []


def test_no_label_lies_on_a_state_or_outside(placed: Layout) -> None:
    boxes = [box for box in placed.boxes if not box.holds_branches]
    for line in placed.lines:
        if line.label_at:
            x, y = line.label_at
            width = len(line.edge.label) * WIDEST
            label = Box(line.edge.label, "", x - width / 2, y - 6, width, 12, holds_branches=False)
            assert [box.name for box in boxes if overlap(label, box)] == []
            assert label.x >= 0
            assert label.x + width <= placed.width


def test_everything_lies_inside_the_drawing(placed: Layout) -> None:
    for box in placed.boxes:
        assert 0 <= box.x <= box.x + box.width <= placed.width
        assert 0 <= box.y <= box.y + box.height <= placed.height


def test_lines_run_level_or_upright_from_state_to_state(placed: Layout) -> None:
    boxes = {box.name: box for box in placed.boxes}
    for line in placed.lines:
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(line.points))
        for name, (x, y) in (
            (line.edge.source, line.points[0]),
            (line.edge.target, line.points[-1]),
        ):
            box = boxes[name]
            assert box.x <= x <= box.x + box.width
            assert min(abs(y - box.y), abs(y - box.y - box.height)) < 0.5


def test_the_branches_stand_side_by_side_in_the_files_order() -> None:
    placed = layout(DEFINITION, branches=True)
    boxes = {box.name: box for box in placed.boxes}

    assert len({frame.y for frame in placed.frames}) == 1
    for left, right in pairwise(placed.frames):
        assert left.x + left.width < right.x
    for branch, frame in zip(STATES["Broadcast"]["Branches"], placed.frames, strict=True):
        assert frame.x < boxes[branch["StartAt"]].x < frame.x + frame.width


def test_another_stacks_names_make_no_other_drawing() -> None:
    other = DEFINITION.replace("${SendMessageFunctionArn}", "arn:aws:lambda:::function:Send")

    assert layout(other, branches=False) is layout(DEFINITION, branches=False)


def test_a_missing_node_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotDraw, match="requires Node"):
        layout(DEFINITION.replace("Reached late", "Not laid out yet"), branches=False)


def test_what_node_cannot_do_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "broken.js"
    script.write_text('throw new Error("no such library");')
    monkeypatch.setattr("console.drawing.layout.SCRIPT", script)
    with pytest.raises(CannotDraw, match="no such library"):
        layout(DEFINITION.replace("Reached late", "Never laid out"), branches=False)


# ---- the picture


def test_a_fallback_lights_its_way_and_nothing_else() -> None:
    drawing = drawn("fallback")

    entered = {one.box.name: one.condition for one in drawing.shapes if one.entered}
    assert entered == {
        "Choose channel": "succeeded",
        "Send WhatsApp": "failed",
        "Fall back": "succeeded",
        "Send SMS": "succeeded",
    }
    assert {path.label for path in drawing.paths if path.taken} == {
        "whatsapp",
        "other error",
        "sms",
        "",
    }
    assert sum(path.taken for path in drawing.paths) == 5
    assert shape(drawing, "Send WhatsApp").outcome == "✗ failed"
    assert shape(drawing, "Send SMS").outcome == "✓ delivered"
    assert shape(drawing, "Send SMS").times == "0.68 s → 1.34 s"
    assert shape(drawing, "Send email").condition == "idle"
    assert shape(drawing, END).condition == "succeeded"


def test_a_waiting_state_counts_down_and_what_may_come_is_marked() -> None:
    drawing = drawn("silent", until="TaskSubmitted")
    waiting = shape(drawing, "Send WhatsApp")

    assert (waiting.condition, waiting.outcome) == ("waiting", "• waiting")
    assert waiting.until == facts("silent").since + timedelta(seconds=5.138)
    assert shape(drawing, "Send SMS").condition == "ahead"
    assert shape(drawing, "Send email").condition == "idle"


def test_a_state_entered_twice_says_so() -> None:
    assert shape(drawn("silent"), "Fall back").entered == 2


def test_each_branch_has_its_own_condition() -> None:
    drawing = drawn("broadcast", until="TaskSucceeded", branches=True)

    assert shape(drawing, "Broadcast").condition == "running"
    assert shape(drawing, "Broadcast to SMS").condition == "failed"
    assert shape(drawing, "Broadcast to email").condition == "running"
    assert shape(drawing, "Email did not reach").condition == "idle"
    assert len(drawing.frames) == len(channels())


def test_a_wait_that_a_late_success_ended_is_no_delivery_of_its_own() -> None:
    assert shape(drawn("late"), "Send SMS").outcome == "✓ no longer needed"


def test_a_message_without_an_execution_is_all_ahead_or_idle() -> None:
    known = facts("fallback")
    drawing = picture(layout(DEFINITION, branches=False), None, known.since, {"whatsapp", "sms"})

    assert {one.condition for one in drawing.shapes} == {"ahead", "idle"}
    assert shape(drawing, "Send SMS").condition == "ahead"


def test_the_list_of_states_says_what_the_drawing_shows() -> None:
    run = execution("fallback")

    assert visited(run, facts("fallback").since) == [
        "Choose channel, at 0.01 s",
        "Send WhatsApp, 0.01 s → 0.68 s, failed, 131026 Message undeliverable",
        "Fall back, at 0.68 s",
        "Send SMS, 0.68 s → 1.34 s, delivered",
    ]


@pytest.mark.parametrize(
    ("name", "state", "condition", "outcome"),
    [
        ("advanced", "Send WhatsApp", "ended", "⊘ advanced"),
        ("advanced", "Send SMS", "succeeded", "✓ confirmed"),
        ("cancelled", "Send WhatsApp", "ended", "⊘ cancelled"),
        ("approved", "Send WhatsApp", "succeeded", "✓ confirmed"),
    ],
)
def test_a_state_that_the_caller_ended_has_not_failed(
    name: str, state: str, condition: str, outcome: str
) -> None:
    found = shape(drawn(name), state)

    assert (found.condition, found.outcome) == (condition, outcome)


def test_a_requested_resend_is_no_busy_provider() -> None:
    known = facts("resend")
    [requested] = [
        event["id"]
        for event in events("resend")
        if event.get("taskFailedEventDetails", {}).get("error") == "Resend"
    ]
    run = Execution.read([event for event in events("resend") if event["id"] <= requested])
    drawing = picture(layout(DEFINITION, branches=False), run, known.since, set())

    assert shape(drawing, "Send SMS").outcome == "• resend requested"
