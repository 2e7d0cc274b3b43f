"""A run that waits for a slot which the run it comes from holds: it is said, and runs when that has ended."""

from __future__ import annotations

import logging

import pytest

from runwidgets import ComputeTarget, LocalCompute, Run, ScriptRunConfig, Workspace
from tests.submissions import (
    ended,
    printed,
    project,  # noqa: F401 (a fixture)
    start,  # noqa: F401 (a fixture)
    wait_until,
)

HELD = "the run that started it holds the only slot: it starts when that run ends"
WAITS = """
    import os, sys, time
    from runwidgets import Experiment, Run, ScriptRunConfig
    run = Run.get_context()
    config = ScriptRunConfig(".", "below.py", compute_target=sys.argv[1])
    {above}
    child = {submitted}
    print("said:", child.get_detailed_status()["details"], flush=True)
    print("child:", child.id, flush=True)
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.01)
"""
WAYS = {
    "as a child": ("", "run.submit_child(config)"),
    "below a child of its own": ("inner = run.child_run()", "inner.submit_child(config)"),
    "with no parent": ("", "Experiment(run.experiment.workspace, 'other').submit(config)"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_child_that_waits_for_the_slot_of_its_parent_says_so(start, project, tmp_path, way):  # noqa: F811
    (project / "below.py").touch()
    ComputeTarget.create(Workspace(), "one", LocalCompute(slots=1))
    above, submitted = WAYS[way]
    parent = start(WAITS.format(above=above, submitted=submitted), "one", str(tmp_path / "go"), target="one")
    wait_until(lambda: "child:" in printed(parent), "the child")
    said = printed(parent)
    child = Run.get(Workspace(), said.partition("child: ")[2].strip())
    assert f"waits in the queue of 'one': {HELD}. Who waits for it before that waits for ever" in said
    assert said.count(HELD) == 2
    words = f"1st of 1 in the queue of 'one'; {HELD}"
    assert f"said: {words}" in said
    assert child.get_detailed_status() == {"status": "Queued", "details": words}
    assert len(words) < 200  # what a display shows of it
    (tmp_path / "go").touch()
    assert (ended(parent), ended(child)) == ("Completed", "Completed")


def test_nothing_is_said_where_a_slot_is_free_or_anothers(start, project, tmp_path, caplog):  # noqa: F811
    (project / "below.py").touch()
    ComputeTarget.create(Workspace(), "two", LocalCompute(slots=2))
    ComputeTarget.create(Workspace(), "one", LocalCompute(slots=1))
    waits = WAITS.format(above="", submitted="run.submit_child(config)")
    parent = start(waits, "two", str(tmp_path / "go"), target="two")
    wait_until(lambda: "child:" in printed(parent), "the child")
    assert "holds" not in printed(parent)
    other = start("import time; time.sleep(600)", target="one")
    wait_until(lambda: other.get_status() == "Running", "the other run")
    with caplog.at_level(logging.WARNING):
        waiting = parent.submit_child(ScriptRunConfig(str(project), "below.py", compute_target="one"))
    assert waiting.get_detailed_status()["details"] == "1st of 1 in the queue of 'one'; 1 of 1 slots are taken"
    assert caplog.text == ""
    other.cancel()
    (tmp_path / "go").touch()
    assert ended(waiting) == ended(parent) == "Completed"


def test_all_slots_may_be_held_by_runs_above(start, project, tmp_path, caplog):  # noqa: F811
    (project / "below.py").touch()
    target = ComputeTarget.create(Workspace(), "two", LocalCompute(slots=2))
    sleeps = "import time; time.sleep(600)"
    first = start(sleeps, target="two")
    second = start(sleeps, target="two", _parent_run_id=first.id)
    wait_until(lambda: len(target.get_status().running) == 2, "both")
    with caplog.at_level(logging.WARNING):
        third = second.submit_child(ScriptRunConfig(str(project), "below.py", compute_target="two"))
    words = "1st of 1 in the queue of 'two'; the runs above it hold all 2 slots: it starts when one of them ends"
    assert third.get_detailed_status()["details"] == words
    assert "the runs above it hold all 2 slots" in caplog.text
    second.cancel()
    assert ended(third) == "Canceled"  # with the run above it
