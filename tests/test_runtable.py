"""The table of runs: what is sent of it, and what a browser has that takes all of it."""

import copy
import math
import time

import msgspec
import pytest

from runwidgets.records import ChildRecord, Cursor, RunDelta, RunError, RunStatus
from runwidgets.submit.definition import Definition, Place
from runwidgets.watch.children import Children, children_state, is_about_children, told_children
from runwidgets.watch.runtable import DEFAULT_RUNS_CONTROLS, MAX_COLUMNS, RunTable, checked_runs_controls
from runwidgets.watch.view import RunView, fold
from tests.test_wire import record, vector

NOW = 1_790_000_100.0


def child(run_id, last=None, **changes):
    parts = {name: changes.pop(name) for name in ("repeated", "tags", "properties") if name in changes}
    return ChildRecord(record(run_id, name=None, parent_id="digits-17", **changes), last or {}, **parts)


def with_children(view, *children, **more):
    return fold(view, RunDelta(cursor=Cursor(), run=record(), children=children, **more))


class Browser:
    """What `js/src/runstore.ts` does with states and patches."""

    def __init__(self, state):
        self.state = copy.deepcopy(state)

    def take(self, patch):
        if patch is None:
            return
        assert patch["seq"] == self.state["seq"] + 1
        patch = copy.deepcopy(patch)
        rows = {row["run_id"]: row for row in self.state["rows"] if row["run_id"] not in patch["removed"]}
        rows.update({row["run_id"]: row for row in patch["rows"]})
        self.state |= {"rows": list(rows.values()), "columns": patch["columns"] or self.state["columns"]}
        self.state |= {key: patch[key] for key in ("seq", "total", "primary", "sent_at")}


def test_patches_add_up_to_the_table_and_bring_only_what_changed():
    table = Children()
    view = with_children(RunView(), child("a", {"loss": 2.0}), child("b", tags={"lr": "0.1"}))
    table.update(view, NOW)
    browser = Browser(table.state)
    view = with_children(view, child("b", {"loss": 1.0}, tags={"lr": "0.1"}), child("c", {"acc": 0.5}))
    patch = table.update(view, NOW + 1)
    assert [row["run_id"] for row in patch["rows"]] == ["b", "c"]
    assert [column["name"] for column in patch["columns"]] == ["loss", "lr", "acc"]
    browser.take(patch)
    patch = table.update(fold(view, RunDelta(cursor=Cursor()), frozenset({"a"})), NOW + 2)
    assert [(row["run_id"], row["status"]) for row in patch["rows"]] == [("a", "NotResponding")]
    assert patch["columns"] is None
    browser.take(patch)
    assert browser.state == table.state


def test_nothing_is_sent_where_nothing_changed():
    table = Children()
    view = with_children(RunView(), child("a", {"loss": 2.0}))
    assert table.update(view, NOW) is not None
    assert table.update(view, NOW + 1) is None
    assert table.update(fold(view, RunDelta(cursor=Cursor(), tags={"of": "the parent"})), NOW + 2) is None
    assert table.state["seq"] == 1


def test_a_table_that_is_full_keeps_the_newest_and_tells_how_many_there_are():
    table = RunTable("runs", limit=3)
    runs = {name: child(name, number=i) for i, name in enumerate("abc")}
    table.update(runs, frozenset(), None, NOW)
    browser = Browser(table.state)
    patch = table.update({**runs, "d": child("d"), "e": child("e")}, frozenset(), None, NOW)
    assert (patch["removed"], patch["total"]) == (["a", "b"], 5)
    browser.take(patch)
    assert [row["run_id"] for row in browser.state["rows"]] == ["c", "d", "e"]
    assert browser.state == table.state
    patch = table.update({"d": child("d")}, frozenset(), None, NOW)
    assert set(patch["removed"]) == {"c", "e"}
    assert "d" in table
    assert "c" not in table


def test_parameters_are_arguments_tags_properties_and_what_was_logged_once():
    kept = {"data": "iris", "azureml.git.commit": "abc", "mlflow.user": "me"}
    one = child("a", {"alpha": 0.1, "loss": 1.0, "epoch": 9, "system/cpu": 5.0}, repeated=frozenset({"epoch", "loss"}),
                tags={"opt": "adam", "starred": None}, properties=kept)  # fmt: skip
    table = RunTable("runs", lambda _: {"depth": 3})
    table.update({"a": one}, frozenset(), None, NOW)
    found = [(c["source"], c["name"], c["is_parameter"]) for c in table.state["columns"]]
    assert found == [
        ("argument", "depth", True), ("tag", "opt", True), ("tag", "starred", True), ("property", "data", True),
        ("metric", "alpha", True), ("metric", "loss", False), ("metric", "epoch", False),
    ]  # fmt: skip
    assert table.state["rows"][0]["values"] == [3, "adam", True, "iris", 0.1, 1.0, 9]


def test_what_a_run_was_started_with_is_asked_for_once():
    asked = []
    table = RunTable("runs", lambda run: asked.append(run.run_id) or {})
    for loss in (3.0, 2.0, 1.0):
        table.update({"a": child("a", {"loss": loss})}, frozenset(), None, NOW)
    assert asked == ["a"]


def test_the_arguments_of_a_submitted_script_are_parameters(tmp_path):
    program = dict.fromkeys(Definition.__struct_fields__, "") | {
        "arguments": ["--alpha", "0.5", "--fast"], "environment": {}, "environment_variables": {}, "process_count": 1,
        "priority": None, "collects_outputs": True, "takes_snapshot": True, "watched_directories": [], "run_id": "a",
        "max_run_duration_seconds": None,
    }  # fmt: skip
    Place(tmp_path, "a").define(Definition(**program))
    table = Children(tmp_path)
    scripts = [child(name, type="azureml.scriptrun") for name in "ab"]  # of the other nothing is kept
    table.update(with_children(RunView(), *scripts, child("c")), NOW)
    assert [column["id"] for column in table.state["columns"]] == ["argument alpha", "argument fast"]
    assert [row["values"] for row in table.state["rows"]] == [[0.5, True], [None, None], [None, None]]


def test_the_parameters_that_a_sweeps_parent_keeps_for_a_child_are_its_arguments():
    table = Children()
    table.update(with_children(RunView(), child("a"), tags={"a": '{"lr": 0.1}'}), NOW)
    assert table.state["rows"][0]["values"] == [0.1]


def test_the_metric_that_counts_stays_while_others_come_in():
    table = RunTable("runs")
    runs = {"a": child("a", {"loss": 1.0})}
    table.update(runs, frozenset(), None, NOW)
    assert table.state["primary"] == {"name": "loss", "goal": "minimize"}
    runs |= {"b": child("b", {"acc": 1.0}), "c": child("c", {"acc": 0.5, "loss": 2.0})}
    table.update(runs, frozenset(), None, NOW)
    assert table.state["primary"]["name"] == "loss"
    table.update(runs, frozenset(), {"name": "acc", "goal": "maximize"}, NOW)
    assert table.state["primary"] == {"name": "acc", "goal": "maximize"}


def test_the_parent_may_name_the_metric_after_its_children_came():
    table = Children()
    view = with_children(RunView(), child("a", {"loss": 1.0, "f": 2.0}))
    table.update(view, NOW)
    view = fold(view, RunDelta(cursor=Cursor(), tags={"primary_metric_config": '{"name": "f", "goal": "maximize"}'}))
    patch = table.update(view, NOW)
    assert (patch["rows"], patch["primary"]) == ([], {"name": "f", "goal": "maximize"})


def test_very_many_columns_and_very_long_texts_are_cut():
    tags = {f"{'k' * 300}{i}": "v" * 5000 for i in range(MAX_COLUMNS + 50)}
    table = RunTable("runs")
    table.update({"a": child("a", tags=tags, error=RunError("E", "m" * 9000))}, frozenset(), None, NOW)
    columns, (row,) = table.state["columns"], table.state["rows"]
    assert len(columns) == len({column["id"] for column in columns}) == MAX_COLUMNS
    assert max(map(len, (row["error"], *row["values"], *(column["name"] for column in columns)))) == 200


def test_of_two_thousand_runs_of_which_ten_changed_ten_are_sent():
    table = Children()
    view = with_children(RunView(), *(child(f"run-{i}", {"loss": float(i)}) for i in range(2000)))
    table.update(view, NOW)
    view = with_children(view, *(child(f"run-{i * 100}", {"loss": -1.0}) for i in range(10)))
    patch = table.update(view, NOW)
    assert len(patch["rows"]) == 10
    assert len(msgspec.json.encode(patch)) < 4000
    assert len(table.state["rows"]) == 2000


def test_a_picture_of_text_shows_metrics_first_and_few_columns():
    tags = {f"t{i}": "x" for i in range(9)}
    view = with_children(RunView(), child("a", tags=tags), child("b", {"loss": math.nan}, tags=tags))
    columns, rows = told_children(view, NOW)
    assert columns == ["loss", "t0", "t1", "t2", "t3", "t4"]
    assert [row["values"][0] for row in rows] == [None, {"float": "NaN"}]


def test_a_run_is_about_its_children_if_it_is_a_sweep_or_logs_nothing_itself():
    sweep = fold(RunView(), RunDelta(cursor=Cursor(), run=record(type="hyperdrive")))
    parent = with_children(RunView(), child("a"))
    both = with_children(RunView(), child("a"), metrics=(vector("loss", [1.0]),))
    measured = with_children(RunView(), child("a"), metrics=(vector("system/cpu", [1.0]),))
    childless = fold(RunView(), RunDelta(cursor=Cursor(), run=record()))
    assert [is_about_children(view) for view in (sweep, parent, measured, both, childless, RunView())] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sent",
    [
        {"filter": 5}, {"status": "good"}, {"sort": {"id": "x", "direction": "sideways"}}, {"sort": "x"},
        {"columns": "all"}, {"goal": "win"}, {"metric": ["a"]}, {"selected": {"a": 1}}, {"selected": [1, None]},
    ],
)  # fmt: skip
def test_controls_that_are_not_of_the_contract_become_the_defaults(sent):
    assert checked_runs_controls(sent) == DEFAULT_RUNS_CONTROLS


def test_a_look_at_the_children_of_a_view_alone_needs_no_workspace():
    view = with_children(RunView(), child("a", status=RunStatus.COMPLETED))
    assert [row["status"] for row in children_state(view, time.time())["rows"]] == ["Completed"]
