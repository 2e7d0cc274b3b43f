"""What goes on at a compute target: the pure part, and how it is told to the browser, in text and in static HTML."""

import pytest

from runwidgets.records import Progress, RunStatus
from runwidgets.store.queue import Turn
from runwidgets.watch.board import board_state
from runwidgets.watch.occupancy import MAX_ROWS, Occupancy, Seen, find_run, occupancy
from runwidgets.watch.placard import board_as_html, board_as_text
from tests.test_wire import START, record

NOTHING = Occupancy("gpu", "local", "team")
HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m"


def look(slots=2, running=(), line=(), records=(), **more):
    found = {run.run_id: run for run in records}
    seen = Seen(slots, tuple(running), tuple(Turn(run_id, 0, START) for run_id in line))
    return occupancy(NOTHING, seen, found, more.get("owners", {}), more.get("open_children", {}))


def queued(run_id, **more):
    return record(run_id, status=RunStatus.QUEUED, started_at=None, **more)


def ids(part):
    return [there.record.run_id for there in part]


def test_active_runs_come_longest_first_and_those_that_have_not_begun_last():
    runs = [record("new", started_at=START + 9), record("not yet", started_at=None), record("old", started_at=START)]
    found = look(3, [run.run_id for run in runs], records=runs)
    assert ids(found.active) == ["old", "new", "not yet"]
    assert (found.taken, found.active_count) == (3, 3)


def test_those_that_wait_keep_the_order_of_their_turns_and_know_their_places():
    found = look(line=["b", "a"], records=[queued("a"), queued("b")], owners={"a": "ada"})
    assert [(one.record.run_id, one.place, one.owner) for one in found.waiting] == [("b", 1, ""), ("a", 2, "ada")]


def test_a_run_that_has_a_slot_and_still_its_ticket_is_active_alone():
    found = look(running=["a"], line=["a", "b"], records=[queued("a"), queued("b")])
    assert (ids(found.active), ids(found.waiting)) == (["a"], ["b"])
    assert [one.place for one in found.waiting] == [1]


def test_a_run_that_has_ended_leaves_before_its_slot_is_free():
    over = record("over", status=RunStatus.COMPLETED, ended_at=START + 5)
    gone = record("gone", status=RunStatus.CANCELED, ended_at=START + 5)
    found = look(running=["over"], line=["gone", "next"], records=[over, gone, queued("next")])
    assert (found.active, found.taken, found.active_count) == ((), 1, 0)
    assert [(one.record.run_id, one.place) for one in found.waiting] == [("next", 1)]


def test_of_a_long_queue_the_first_are_shown_and_all_are_counted():
    names = [f"run-{i:03}" for i in range(200)]
    found = look(line=names, records=[queued(name) for name in names[: MAX_ROWS + 1]])
    assert (ids(found.waiting), found.waiting_count) == (names[:MAX_ROWS], 200)
    state = board_state([found], START)["targets"][0]
    assert (len(state["queued"]), state["queued_total"]) == (MAX_ROWS, 200)
    for form in (board_as_text, board_as_html):
        assert "and 150 more" in form(board_state([found], START))


def test_a_look_that_succeeds_takes_the_trouble_back():
    troubled = Occupancy("gpu", "local", "team", trouble="away")
    assert occupancy(troubled, Seen(1, (), ()), {}, {}, {}).trouble is None


def test_a_run_that_is_being_canceled_says_so_and_one_that_could_not_be_says_why():
    found = look(running=["a", "b"], records=[record("a"), record("b")], open_children={"a": 3})
    rows = board_state([found], START, {"a": None, "b": "no luck"})["targets"][0]["active"]
    assert [(row["status"], row["can_cancel"], row["cancel_trouble"], row["open_children"]) for row in rows] == [
        ("CancelRequested", False, None, 3),
        ("Running", True, "no luck", 0),
    ]


def test_the_workspace_is_told_where_there_are_several():
    one, other = Occupancy("gpu", "local", "team"), Occupancy("gpu", "local", "mine")
    assert [target["workspace"] for target in board_state([one, one], START)["targets"]] == [None, None]
    assert [target["workspace"] for target in board_state([one, other], START)["targets"]] == ["team", "mine"]


def test_a_run_is_found_on_whichever_target_it_is():
    found = [look(), look(running=["a"], line=["b"], records=[record("a"), queued("b")])]
    assert [find_run(found, run_id) for run_id in ("a", "b", "c")] == [1, 1, None]


def test_as_text_it_is_a_table_for_each_part():
    progress = Progress(3.0, 10.0, "epoch", START, 3.0, START)
    found = look(
        running=["a"], line=["b"], owners={"a": "ada"},
        records=[record("a", progress=progress), queued("b", name=None)],
    )  # fmt: skip
    lines = board_as_text(board_state([found, Occupancy("local", "local", "team", 4)], START + 100)).splitlines()
    assert lines[0] == "● gpu   1 of 2 slots taken   1 waits"
    assert lines[2].split("  ")[1:3] == ["Running", "mlp baseline"]
    assert "00:01:39  epoch 3 / 10  ada" in lines[2]
    assert lines[5].split() == ["1", "run_b", "17", "digits", "00:01:40", "b"]
    assert lines[-2:] == ["● local   0 of 4 slots taken", "  No run is active or queued on 'local'."]


def test_what_could_not_be_looked_at_is_not_called_empty():
    state = board_state([Occupancy("gpu", "local", "team", trouble="the store is away")], START)
    for form in (board_as_text, board_as_html):
        assert "the store is away" in form(state)
        assert "No run" not in form(state)


@pytest.mark.parametrize("form", [board_as_text, board_as_html])
def test_names_are_text_in_the_static_forms_too(form):
    run = record("a", name=HOSTILE, experiment=HOSTILE)
    found = look(running=["a"], line=["b"], records=[run, queued("b", name=HOSTILE)], owners={"a": HOSTILE})
    told = form(board_state([found], START))
    assert "\x1b" not in told
    assert ("<img" in told) == (form is board_as_text)
