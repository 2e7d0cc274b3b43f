"""What a run gets after its end: it is kept, and said once."""

from __future__ import annotations

import copy
import io
import logging
import threading

import pytest

from runwidgets import Experiment, Run, ScriptRunConfig, Workspace
from runwidgets.store.recorder import close_all
from tests.submissions import (
    ended,
    log_of,
    project,  # noqa: F401 (a fixture)
    start,  # noqa: F401 (a fixture)
)

WAYS = {
    "log": lambda run: run.log("m", 1),
    "log of a text": lambda run: run.log("m", "x"),
    "log_list": lambda run: run.log_list("l", [1]),
    "log_row": lambda run: run.log_row("r", x=1),
    "log_table": lambda run: run.log_table("t", {"x": [1]}),
    "log_confusion_matrix": lambda run: run.log_confusion_matrix(
        "c", {"schema_type": "confusion_matrix", "data": {"class_labels": ["a"], "matrix": [[1]]}}
    ),
    "progress": lambda run: run.progress(1, 2),
    "child_run": lambda run: run.child_run().complete(),
    "create_children": lambda run: [child.complete() for child in run.create_children(2)],
}


@pytest.fixture
def experiment():
    yield Experiment(Workspace(), "exp")
    close_all()


@pytest.fixture
def said(caplog):
    """Give how often something was said of a run's end, and of which."""
    with caplog.at_level(logging.WARNING):
        yield lambda: [record.args[0] for record in caplog.records if "has ended" in record.msg]


@pytest.mark.parametrize("way", WAYS)
def test_what_comes_after_the_end_is_said_once(experiment, said, way):
    run = experiment.start_logging(snapshot_directory=None, outputs=False)
    WAYS[way](run)
    assert said() == []
    run.complete()
    for _ in range(3):
        WAYS[way](run)
    assert said() == [run.id]
    for another in WAYS.values():
        another(run)
    assert said() == [run.id]
    assert run.get_status() == "Completed"


def test_what_comes_after_the_end_is_kept(experiment, said, caplog):
    run = experiment.start_logging(snapshot_directory=None, outputs=False)
    run.log("m", 1)
    run.fail("on purpose")
    run.log("m", 2)
    child = run.child_run()
    run.flush()
    assert run.get_metrics() == {"m": [1, 2]}
    assert [one.id for one in run.get_children()] == [child.id]
    assert said() == [run.id]
    assert f"run {run.id} has ended (Failed): what is logged to it" in caplog.text
    child.complete()


def test_tags_properties_and_files_come_after_the_end_without_a_word(experiment, said):
    run = experiment.start_logging(snapshot_directory=None, outputs=False)
    run.complete()
    run.tag("best")
    run.add_properties({"a": "b"})
    run.upload_file("outputs/x", io.BytesIO(b"x"))
    run.display_name = "later"
    run.register_model("x", "outputs/x")
    assert said() == []


def test_whoever_opens_the_run_is_told_too_once_in_a_process(experiment, said):
    run = experiment.start_logging(snapshot_directory=None, outputs=False)
    run.complete()
    opened = Run.get(experiment.workspace, run.id)
    for one in (opened, copy.copy(opened), run):
        one.log("m", 1)
    assert said() == [run.id]


def test_a_thread_that_logs_while_another_ends_the_run_is_told(experiment, said):
    run = experiment.start_logging(snapshot_directory=None, outputs=False)
    ready, over = threading.Event(), threading.Event()

    def train():
        run.log("m", 1)
        ready.set()
        over.wait(60)
        run.log("m", 2)

    thread = threading.Thread(target=train)
    thread.start()
    ready.wait(60)
    run.complete()
    over.set()
    thread.join()
    assert said() == [run.id]
    assert run.get_metrics() == {"m": [1, 2]}


def test_the_script_of_a_submitted_run_goes_on_after_complete_and_whoever_has_seen_its_end_is_told(
    start,  # noqa: F811
    project,  # noqa: F811
    said,
):
    run = start("""
        from runwidgets import Run
        run = Run.get_context()
        run.complete()
        run.log("m", 1)
        run.child_run().complete()
    """)
    assert ended(run) == "Completed"
    assert log_of(run) == ""
    run.log("m", 2)
    assert said() == [run.id]
    (project / "train.py").write_text("")
    child = run.submit_child(ScriptRunConfig(str(project), "train.py"))
    assert said() == [run.id]
    assert ended(child) == "Completed"
    run.flush()
    assert run.get_metrics("m") == {"m": [1, 2]}
