"""The wire states, and the golden file that both sides of the wire read."""

import json
import math
import os
from pathlib import Path

import pytest

from runwidgets.columns import Column, pack_column
from runwidgets.records import (
    VECTOR_COLUMN,
    Block,
    ChildRecord,
    Cursor,
    FileRecord,
    MetricDelta,
    MetricKind,
    Owner,
    Progress,
    RunDelta,
    RunError,
    RunRecord,
    RunStatus,
    StatusChange,
)
from runwidgets.store.files import FileRoot
from runwidgets.submit.definition import Definition
from runwidgets.watch.bars import Bar
from runwidgets.watch.beside import Beside
from runwidgets.watch.board import board_state
from runwidgets.watch.children import Children, children_state
from runwidgets.watch.differences import differences_state
from runwidgets.watch.evaluation import evaluation_state, figure_of
from runwidgets.watch.facts import details_state
from runwidgets.watch.gallery import Gallery
from runwidgets.watch.ingredients import Key
from runwidgets.watch.lines import charted, draw
from runwidgets.watch.listing import Listing
from runwidgets.watch.logs import Part, log_message
from runwidgets.watch.occupancy import Occupancy, Occupant, Waiter
from runwidgets.watch.overlay import DEFAULT_OVERLAY_CONTROLS, nothing_overlaid
from runwidgets.watch.rows import history_of, rows_reply
from runwidgets.watch.runtable import DEFAULT_RUNS_CONTROLS
from runwidgets.watch.submission import submission_of
from runwidgets.watch.view import RunView, fold
from runwidgets.watch.wire import (
    DEFAULT_CONTROLS,
    DEFAULT_LOGS_CONTROLS,
    MAX_ROWS,
    MAX_UNIT,
    PAGE_SIZE,
    checked_controls,
    header_state,
    heading_state,
    logs_state,
    metrics_state,
    spark,
)
from tests.test_documents import DOCUMENTS

PATHS = {
    "accuracy_table": ["accuracy_table"], "confusion_matrix": ["confusion_matrix"],
    "residuals": ["residuals", "residuals_1.json"], "predictions": ["predictions"],
}  # fmt: skip
GOLDEN = Path(__file__).parent / "golden" / "wire.json"
START = 1_790_000_000.0
REPLY = {"id": "view-1", "trouble": None}


def record(run_id="digits-17", **changes):
    fields = {
        "run_id": run_id, "experiment": "digits", "parent_id": None, "number": 17, "name": "mlp baseline", "type": None,
        "status": RunStatus.RUNNING, "created_at": START, "started_at": START + 1, "ended_at": None, "error": None,
        "progress": None, "owner": Owner("journal", "laptop", "boot", 4711, START - 60, START + 100), "version": 5,
    }  # fmt: skip
    return RunRecord(**{**fields, **changes})


def metric(name, columns, kind=MetricKind.VECTOR, steps=None):
    count = len(next(iter(columns.values())))
    block = Block(
        0,
        Column(pack_column(steps or [None] * count)),
        Column(pack_column([round((START + 2.0 + i) * 1_000_000) for i in range(count)])),
        {column: Column(pack_column(values)) for column, values in columns.items()},
    )
    return MetricDelta(name, kind, tuple(columns), count, (block,))


def vector(name, values, **more):
    return metric(name, {VECTOR_COLUMN: values}, **more)


def view_of(*metrics, **parts):
    return fold(RunView(), RunDelta(cursor=Cursor(), **{"run": record(), "metrics": metrics, **parts}))


PHASE = vector("phase", ["warm-up", "<b>main</b>"], steps=[0, 10])


def example():
    """A run that has one of everything that the wire can carry."""
    losses = [2.3, 1.1, math.nan, 0.6, math.inf, 0.4]
    children = (
        ChildRecord(
            record("child-1", number=18, name="alpha 0.1", parent_id="digits-17", status=RunStatus.COMPLETED,
                   ended_at=START + 9.5),
            {"mse": 3298.5, "alpha": 0.1}, frozenset({"mse"}), {"model": "ridge", "depth": "3"}, {"data": "diabetes"},
        ),
        ChildRecord(record("child-2", number=19, name=None, parent_id="digits-17"), {"mse": -math.inf}),
    )  # fmt: skip
    return view_of(
        vector("train/loss", losses, steps=[0, 10, 20, 30, 40, 50]),
        vector("seen", [2**60 + 1]),
        vector("phase", ["warm-up", "<b>main</b>"]),
        vector("ok", [True]),
        metric("curve", {"angle": [0.0, 0.5, 1.0], "sine": [0.0, 0.48, 0.84], "cosine": [1.0, None, 0.54]},
               kind=MetricKind.TABLE),
        vector("confusion", ["confusion_1.png"], kind=MetricKind.IMAGE),
        run=record(
            progress=Progress(14.0, 30.0, "epoch", START + 140, 4.0, START + 40),
            error=RunError("ValueError", "Input X contains NaN.", "Traceback (most recent call last):\n…"),
        ),
        children=children,
        files=(
            FileRecord("environment/uncommitted.diff", 812, START),
            FileRecord("outputs/model.pkl", 12_345, START + 50),
        ),
        tags={"model": "mlp", "starred": None},
        properties={
            "python": "3.11", "runwidgets.python": "3.11.9",
            "azureml.git.commit": "9fceb02d0ae598e95dc970b74767f19372d61af8", "azureml.git.branch": "main",
            "azureml.git.dirty": "True", "ContentSnapshotId": "ab" * 32,
        },
        history=(StatusChange(RunStatus.QUEUED, START), StatusChange(RunStatus.RUNNING, START + 1)),
    )  # fmt: skip


def board_example():
    """Two targets of different workspaces: one busy, one that could not be looked at."""
    active = (
        Occupant(record(progress=Progress(14.0, 30.0, "epoch", START + 140, 4.0, START + 40)), "ada", 2),
        Occupant(record("digits-18", number=18, name=None, status=RunStatus.PREPARING, started_at=None), ""),
    )
    queued = record("digits-19", number=19, name="<b>next</b>", status=RunStatus.QUEUED, started_at=None)
    busy = Occupancy("gpu", "local", "team", 2, 2, active, (Waiter(queued, "ada", 1, 5, START + 20),), 2, 151)
    away = Occupancy("local", "local", "mine", 4, trouble="the store does not answer: database is locked")
    cancels = {"digits-18": None, "digits-17": "the supervisor does not answer"}
    return board_state([busy, away], START + 141, cancels, {"run_id": "digits-17", "run_name": "mlp baseline"})


def overlay_example():
    """Two runs of which one has fewer points, and a grouping that could be chosen."""
    return {
        **nothing_overlaid(),
        "metric": "loss",
        "has_steps": True,
        "lines": [
            {"id": "digits-17", "label": "mlp baseline", "slot": 0, "width": 1, "runs": 1},
            {"id": "digits-18", "label": "<b>cnn</b>", "slot": 1, "width": 4, "runs": 1},
        ],
        "groupings": [{"id": "tag model", "label": "tag model"}],
        "chosen": 3,
        "notes": ["1 of 3 runs do not have this metric", "◆ 1 NaN"],
    }


def differences_example():
    """Two runs: alike in one parameter, different in the others."""
    alike = {Key("tag", "model"): "mlp"}
    return differences_state([
        ("digits-17", "mlp baseline", {**alike, Key("logged", "alpha"): 0.1, Key("argument", "--seed"): 2**60}),
        ("digits-18", "<b>cnn</b>", {**alike, Key("logged", "alpha"): math.nan}),
    ])  # fmt: skip


def sides_example():
    """Two runs: one with an image, one with one that is not shown."""
    side = {
        "id": "digits-17", "label": "mlp baseline", "number": 3, "count": 3, "logged_at": START + 2,
        "key": "digits-17/confusion_1.png", "mime": "image/png", "size": 8123, "note": None,
    }  # fmt: skip
    other = {**side, "id": "digits-18", "label": "<b>cnn</b>", "number": 1, "count": 1, "key": None, "mime": "",
             "note": "the file is not there"}  # fmt: skip
    return {
        "names": ["confusion"], "name": "confusion", "number": 3, "most": 3, "sides": [side, other],
        "notes": ["1 of 3 runs do not have this image"], "trouble": None,
    }  # fmt: skip


def runs_patch(view, now):
    """What is sent when one child fails and logs something new."""
    children = Children()
    children.update(view, now)
    failed = record("child-2", number=19, name=None, status=RunStatus.FAILED, error=RunError("ValueError", "bad"))
    return children.update(fold(view, RunDelta(cursor=Cursor(), children=(ChildRecord(failed, {"r2": 0.5}),))), now + 1)


def documents_example():
    """One metric of each kind, one of them logged twice."""
    return view_of(*(vector(kind, paths, kind=MetricKind(kind)) for kind, paths in PATHS.items()))


def figures_example():
    """What each kind of document is drawn as; and one that is not."""
    found = [
        (PATHS[kind][0], figure_of(MetricKind(kind), kind, {"schema_type": kind, "data": DOCUMENTS[kind]}))
        for kind in PATHS
    ]
    refused = {"kind": "refused", "note": "the file is not there"}
    return [
        {"kind": "figure", "path": path, "figure": figure, "is_final": figure is not refused}
        for path, figure in [*found, (PATHS["residuals"][1], refused)]
    ]


def definition():
    """What a submitted run was to do, with secrets in it."""
    return Definition(
        run_id="digits-17", home="/home/ada/.runwidgets", workspace="default", experiment="digits",
        snapshot_id="ab" * 32, submitted_by="ada", source_directory="/home/ada/digits", script="train.py",
        arguments=["--alpha", "0.1", "--api-key", "sk-1234"], command=None, target="gpu",
        environment={"name": "sklearn", "version": "2", "python": {
            "interpreterPath": "python",
            "condaDependencies": {"dependencies": ["python=3.11", {"pip": ["numpy==2.3"]}]},
        }},
        interpreter="/envs/sklearn/bin/python", environment_variables={"MODE": "fast", "HF_TOKEN": "hf_1234"},
        process_count=2, communicator="", max_run_duration_seconds=3600.0, priority=None, collects_outputs=True,
        takes_snapshot=True, watched_directories=["logs"],
    )  # fmt: skip


def states():
    view = example()
    now = START + 141
    controls = {**DEFAULT_CONTROLS, "smoothing": 0.6, "y_scale": "log"}
    chart = draw(view.metrics["curve"], {**DEFAULT_CONTROLS}, START)
    listing = Listing()
    listing.news(view)
    return {
        "header": header_state(view, now, now + 8, "the store does not answer: database is locked"),
        "metrics": metrics_state(view, controls),
        "controls": controls,
        "heading": {**heading_state(chart, "curve"), "notes": ["◆ 1 NaN"]},
        "runs": children_state(view, now),
        "runs_patch": runs_patch(view, now),
        "runs_controls": {
            **DEFAULT_RUNS_CONTROLS, "status": "failed", "sort": {"id": "primary", "direction": "descending"},
            "columns": ["best", "tag model"], "metric": "mse", "goal": "minimize", "selected": ["child-1"],
        },
        "popup": {"run_id": "child-1", "run_name": "alpha 0.1", "trouble": "the workspace has no run child-1"},
        "rows_reply": {
            **REPLY, "kind": "rows", **rows_reply("phase", 0, PHASE, history_of(["warm-up", "<b>main</b>"])),
        },
        "download_reply": {**REPLY, "kind": "download", "start": 0, "end": 2**21, "size": 5_000_000},
        "images": Gallery(FileRoot(Path("artifacts")), "digits-17").state(view, is_open=True),
        "picture_reply": {
            **REPLY, "kind": "picture", "path": "confusion_1.png", "size": 8123, "logged_at": START + 2,
            "mime": "image/png", "width": 640, "height": 480, "note": None, "may_pass": False,
        },
        "files": listing.state(view, is_open=True),
        "listing": listing.all(),
        "preview_reply": {
            **REPLY, "kind": "preview", "path": "outputs/model.pkl", "size": 12_345, "shown": "binary", "is_cut": False,
            "encoding": "", "mime": "", "width": 0, "height": 0, "note": None,
        },
        "details": details_state(view, submission_of(definition())),
        "logs": logs_state(["user_logs/std_log.txt", "logs/azureml.log"], is_open=True),
        "logs_controls": DEFAULT_LOGS_CONTROLS,
        "board": board_example(),
        "overlay": overlay_example(),
        "overlay_controls": {**DEFAULT_OVERLAY_CONTROLS, "metric": "loss", "group_by": "tag model"},
        "lines_message": {"kind": "lines", "sequence": 2, "items": [{"id": "digits-17", "keep": 3, "add": 2}]},
        "differences": differences_example(),
        "sides": sides_example(),
        "sides_controls": {"name": "confusion", "number": None},
        "picture_message": {"kind": "picture", "key": "digits-17/confusion_1.png", "mime": "image/png"},
        "evaluation": evaluation_state(documents_example()),
        "figure_messages": figures_example(),
        "log_message": log_message("user_logs/std_log.txt", Part(1, 0, 100, 100, b""))[0],
    }  # fmt: skip


def test_the_states_are_those_of_the_golden_file_that_the_browsers_tests_read():
    text = json.dumps(states(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if os.environ.get("RUNWIDGETS_WRITE_GOLDEN"):  # pragma: no cover
        GOLDEN.write_text(text, encoding="utf-8")
    assert json.loads(text) == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_values_that_json_or_javascript_lacks_travel_wrapped():
    rows = {row["name"]: row for row in metrics_state(example(), DEFAULT_CONTROLS)["rows"]}
    assert rows["seen"]["last"] == {"int": str(2**60 + 1)}
    assert children_state(example(), START)["rows"][1]["values"][3] == {"float": "-Infinity"}
    nan = view_of(vector("loss", [1.0, math.nan]))
    assert metrics_state(nan, DEFAULT_CONTROLS)["rows"][0]["last"] == {"float": "NaN"}


def test_a_row_counts_nan_and_infinities_and_leaves_them_out_of_min_and_max():
    row = next(r for r in metrics_state(example(), DEFAULT_CONTROLS)["rows"] if r["name"] == "train/loss")
    assert (row["min"], row["max"], row["count"], row["nan_count"], row["inf_count"]) == (0.4, 2.3, 6, 1, 1)


def test_each_value_that_was_logged_counts_none_too():
    view = view_of(vector("mixed", [1, "two", None]), metric("t", {"a": [1.0, None]}, kind=MetricKind.TABLE))
    assert [row["count"] for row in metrics_state(view, DEFAULT_CONTROLS)["rows"]] == [3, 1]


def test_a_unit_of_progress_that_is_a_novel_is_cut():
    state = header_state(
        view_of(run=record(progress=Progress(1.0, 3.0, "n" * 300, START, 0.0, START))), START, None, None
    )
    assert len(state["progress"]["unit"]) == MAX_UNIT


def test_time_left_follows_the_pace_since_progress_began_and_counts_down_after_the_report():
    progress = header_state(example(), START + 141, None, None)["progress"]
    assert progress["seconds_left"] == pytest.approx(16 / 10 * 100 - 1)


def test_time_left_by_a_bar_counts_down_from_when_it_was_drawn():
    view = view_of(run=record(progress=None))
    beside = [Beside(bar=(Bar(45, 100, "", left), START)) for left in (12, 3, None)]
    states = [header_state(view, START + 5, None, None, one)["progress"] for one in beside]
    assert [state["seconds_left"] for state in states] == [7, None, None]
    assert all(state["is_from_output"] for state in states)


def test_no_time_left_is_told_before_there_is_a_pace_or_after_the_end():
    first = Progress(1.0, 30.0, "epoch", START, 1.0, START)
    assert header_state(view_of(run=record(progress=first)), START, None, None)["progress"]["seconds_left"] is None
    later = Progress(9.0, 30.0, "epoch", START + 9, 1.0, START)
    over = view_of(run=record(progress=later, status=RunStatus.FAILED, ended_at=START + 10))
    assert header_state(over, START + 10, None, None)["progress"]["seconds_left"] is None


def test_no_time_left_is_told_when_the_estimate_has_run_out_and_the_run_has_not():
    half = view_of(run=record(progress=Progress(10.0, 20.0, "", START + 9, 0.0, START)))
    done = view_of(run=record(progress=Progress(30.0, 30.0, "", START + 9, 0.0, START)))
    left = [header_state(half, START + 9 + n, None, None)["progress"]["seconds_left"] for n in (0, 8, 9, 60)]
    assert left == [9.0, 1.0, None, None]
    assert header_state(done, START + 9, None, None)["progress"]["seconds_left"] is None


def test_a_traceback_that_only_repeats_the_message_is_not_offered():
    for code, message, text in (("ValueError", "bad", "ValueError: bad\n"), ("ValueError", "", "ValueError\n")):
        state = header_state(view_of(run=record(error=RunError(code, message, text))), START, None, None)
        assert state["error"] == {"code": code, "message": message, "traceback": None}
    raised = "Traceback (most recent call last):\n  File …\nValueError: bad\n"
    state = header_state(view_of(run=record(error=RunError("ValueError", "bad", raised))), START, None, None)
    assert state["error"]["traceback"] == raised


def test_the_filter_looks_at_labels_and_ignores_case_and_outer_blanks():
    controls = {**DEFAULT_CONTROLS, "filter": "  · SINE "}
    state = metrics_state(example(), controls)
    assert [(row["name"], row["column"]) for row in state["rows"]] == [("curve", "sine")]
    assert (state["total"], state["matching"], state["chart_count"]) == (7, 1, 1)


def test_charts_come_in_pages_and_a_page_past_the_end_is_the_last():
    view = view_of(*(vector(f"m{i:03}", [1.0, 2.0]) for i in range(2 * PAGE_SIZE + 1)))
    state = metrics_state(view, {**DEFAULT_CONTROLS, "page": 99})
    assert (state["page"], state["page_count"], state["chart_count"]) == (2, 3, 2 * PAGE_SIZE + 1)


def test_a_run_of_very_many_metrics_sends_a_bounded_table_and_says_how_many_match():
    view = view_of(*(vector(f"m{i}", [1.0]) for i in range(MAX_ROWS + 20)))
    state = metrics_state(view, DEFAULT_CONTROLS)
    assert (len(state["rows"]), state["matching"], state["total"]) == (MAX_ROWS, MAX_ROWS + 20, MAX_ROWS + 20)


def test_a_spark_is_short_ends_with_the_last_value_and_has_gaps():
    series = view_of(vector("v", [float(i) for i in range(10_000)])).metrics["v"].columns[VECTOR_COLUMN].series
    assert (len(spark(series)), spark(series)[0], spark(series)[-1]) == (48, 0, 100)
    holes = view_of(vector("v", [0.0, math.nan, 1e308, -1e308])).metrics["v"].columns[VECTOR_COLUMN].series
    assert spark(holes) == [50, None, 100, 0]
    flat = view_of(vector("v", [3.0, 3.0])).metrics["v"].columns[VECTOR_COLUMN].series
    assert spark(flat) == [50, 50]


@pytest.mark.parametrize(
    "sent",
    [
        {"smoothing": 1.0},
        {"smoothing": "0.5"},
        {"x_axis": "constructor"},
        {"y_scale": None},
        {"columns": 7},
        {"page": -1},
        {"filter": 5},
        {"unknown": 1},
    ],
)
def test_controls_that_are_not_of_the_contract_become_the_defaults(sent):
    assert checked_controls(sent) == DEFAULT_CONTROLS


def test_controls_of_the_contract_are_obeyed():
    sent = {
        "filter": "a", "smoothing": 0.5, "x_axis": "time", "y_scale": "log", "columns": 3, "page": 2, "linked": True,
    }  # fmt: skip
    assert checked_controls(sent) == sent


def test_a_child_whose_process_is_gone_is_shown_as_not_responding():
    view = fold(example(), RunDelta(cursor=Cursor()), frozenset({"child-2"}))
    assert [row["status"] for row in children_state(view, START)["rows"]] == ["Completed", "NotResponding"]


def test_a_metric_logged_once_without_step_has_a_row_and_no_chart():
    view = view_of(vector("final", [0.9]), vector("stepped", [0.9], steps=[3]), vector("twice", [1.0, 2.0]))
    assert charted(view) == ["stepped", "twice"]
    assert len(metrics_state(view, DEFAULT_CONTROLS)["rows"]) == 3
