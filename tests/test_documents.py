"""Accuracy tables, confusion matrices, residuals and predictions: checked at the call, kept as files, found by kind."""

from __future__ import annotations

import copy
import json
import math
import threading

import numpy as np
import pytest

from runwidgets import Experiment, Run, Workspace
from runwidgets.artifacts import JsonArtifact
from runwidgets.documents import checked_document
from runwidgets.errors import UserError
from runwidgets.records import MetricKind
from runwidgets.store.files import FileRoot
from runwidgets.store.recorder import close_all
from runwidgets.watch.feed import Feed
from runwidgets.watch.static import as_html, as_text
from runwidgets.watch.wire import DEFAULT_CONTROLS, metrics_state
from tests.test_run import ODD_NAMES, PNG

DOCUMENTS = {
    "accuracy_table": {
        "probability_tables": [[[82, 118, 0, 0], [75, 31, 87, 7]], [[118, 82, 0, 0], [60, 0, 82, 58]]],
        "percentile_tables": [[[82, 118, 0, 0], [82, 67, 51, 0]], [[118, 82, 0, 0], [100, 2, 80, 18]]],
        "probability_thresholds": [0.0, 0.5],
        "percentile_thresholds": [0.0, 0.01],
        "class_labels": ["no", "yes"],
    },
    "confusion_matrix": {"class_labels": ["a", "b", "c"], "matrix": [[3, 0, 1], [0, 1, 0], [0, 0, 0.5]]},
    "residuals": {"bin_edges": [-2, -1.0, 0, 3], "bin_counts": [1, 0, 7]},
    "predictions": {
        "bin_averages": [0.25, None, 0.75],
        "bin_errors": [0.01, math.nan, 0.02],
        "bin_counts": [3, 0, 2],
        "bin_edges": [0, 0.3, 0.6, 1.0],
    },
}
VERSIONS = {"accuracy_table": "1.0.1", "confusion_matrix": "1.0.0", "residuals": "1.0.0", "predictions": "1.0.0"}
KINDS = list(DOCUMENTS)


def document(kind, **data):
    found = {"schema_type": kind, "schema_version": VERSIONS[kind], "data": copy.deepcopy(DOCUMENTS[kind])}
    found["data"].update(data)
    return found


def log(run, kind, name, value):
    getattr(run, f"log_{kind}")(name, value)


@pytest.fixture
def experiment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    yield Experiment(Workspace(), "exp")
    close_all()


@pytest.fixture
def run(experiment):
    return experiment.start_logging()


def content(run, name):
    return run.get_metrics(name, populate=True)[name].convert_to_object()


# ---- kept and found


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_document_is_kept_as_a_file_of_its_metrics_name_and_comes_back(run, experiment, kind, as_json):
    value = document(kind)
    log(run, kind, "a/my metric", json.dumps(value) if as_json else value)
    assert run.get_file_names() == ["a/my metric"]
    assert run.get_metrics() == {"a/my metric": f"aml://artifactId/ExperimentRun/dcid.{run.id}/a/my metric"}
    found = Run(experiment, run.id).get_metrics(populate=True)["a/my metric"]
    assert isinstance(found, JsonArtifact)
    assert (found.path, found.filename, found.metric_type) == ("a/my metric", "my metric", kind)
    assert str(found.convert_to_object()) == str(value)  # as text, for NaN is not itself
    (metric,) = run._recorder.store.metrics(run.id)
    assert metric.kind is MetricKind(kind)
    assert metric.kind.is_document


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_and_scalars_of_numpy_become_lists_and_numbers(run, kind):
    value = document(kind)
    for key, cells in value["data"].items():
        is_plain = all(cell is not None for cell in cells)
        value["data"][key] = np.array(cells) if is_plain else [c if c is None else np.float32(c) for c in cells]
    value["schema_version"] = np.str_(VERSIONS[kind])
    before = str(value)
    log(run, kind, "m", value)
    assert str(value) == before
    found = content(run, "m")["data"]
    assert {key: len(cells) for key, cells in found.items()} == {k: len(c) for k, c in DOCUMENTS[kind].items()}
    json.dumps(found)


def test_counts_of_any_width_are_counts():
    for dtype in (np.uint8, np.int16, np.int64, np.uint64, np.float16, np.longdouble):
        data = {"bin_edges": np.array([0, 1, 2], dtype), "bin_counts": np.array([3, 4], dtype)}
        assert checked_document(MetricKind.RESIDUALS, "m", document("residuals", **data))["data"]["bin_counts"] == [
            3,
            4,
        ]


def test_labels_that_are_numbers_become_text(run):
    run.log_confusion_matrix("m", document("confusion_matrix", class_labels=np.array([0, 1, 2])))
    assert content(run, "m")["data"]["class_labels"] == ["0", "1", "2"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_version_of_the_guides_is_understood_and_none_means_the_current_one(kind):
    value = document(kind)
    assert checked_document(MetricKind(kind), "m", {**value, "schema_version": "v1"})["schema_version"] == "v1"
    del value["schema_version"]
    assert checked_document(MetricKind(kind), "m", value)["schema_version"] == VERSIONS[kind]


def test_empty_documents_are_legal(run):
    empty = {key: [] for key in DOCUMENTS["accuracy_table"]}
    run.log_accuracy_table("table", document("accuracy_table", **empty))
    run.log_confusion_matrix("matrix", document("confusion_matrix", class_labels=[], matrix=[]))
    run.log_residuals("residuals", document("residuals", bin_edges=[0.0], bin_counts=[]))
    assert len(run.get_metrics()) == 3


def test_logged_several_times_each_is_kept_and_the_first_is_given(run):
    for n in range(3):
        run.log_confusion_matrix("m", document("confusion_matrix", matrix=np.eye(3) * n))
    assert len(run.get_file_names()) == 3
    assert run.get_metrics()["m"].endswith("/m")
    assert content(run, "m")["data"]["matrix"][0][0] == 0
    (metric,) = run._recorder.store.metrics(run.id)
    assert sorted(path for block in metric.blocks for path in block.columns[""].to_list()) == run.get_file_names()


def test_logged_by_many_threads_at_once_each_is_kept(run):
    threads = [
        threading.Thread(target=run.log_residuals, args=("m", document("residuals", bin_counts=[n, 0, 0])))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    paths = run.get_file_names()
    files = run.experiment.workspace._files
    counts = [json.loads(files.path(run.id, path).read_text())["data"]["bin_counts"][0] for path in paths]
    assert sorted(counts) == list(range(12))


def test_a_file_of_the_user_is_not_overwritten(run, tmp_path):
    (tmp_path / "m").write_text("mine")
    run.upload_file("m", tmp_path / "m")
    run.log_residuals("m", document("residuals"))
    assert run.experiment.workspace._files.path(run.id, "m").read_text() == "mine"
    assert content(run, "m") == document("residuals")


@pytest.mark.parametrize(
    "name", [*ODD_NAMES, "../../x", "/etc/x", "a/../b", "损" * 300, "C:\\x", "\ud800", "x" * 300 + "/y", "a/" * 3000]
)
def test_a_document_may_have_any_name(run, name):
    run.log_residuals(name, document("residuals"))
    (found,) = run.get_metrics(populate=True).values()
    assert found.convert_to_object() == document("residuals")


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a", "a/b/c")])
def test_a_name_may_be_a_folder_of_another(run, names):
    for name in names:
        run.log_residuals(name, document("residuals"))
    assert [a.convert_to_object() for a in run.get_metrics(populate=True).values()] == [document("residuals")] * 2


def test_a_file_that_is_gone_hides_no_other_metric(run, caplog):
    run.log("m", 1)
    run.log_residuals("gone", document("residuals"))
    run.log_residuals("there", document("residuals"))
    run.experiment.workspace._files.path(run.id, "gone").unlink()
    found = run.get_metrics(populate=True)
    assert (found["m"], found["gone"]) == (1, run.get_metrics()["gone"])
    assert found["there"].convert_to_object() == document("residuals")
    assert "the metric 'gone' of run" in caplog.text


def test_a_disk_that_keeps_nothing_is_a_warning_and_training_goes_on(run, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileRoot, "save", full)
    run.log_residuals("m", document("residuals"))
    assert [r.message for r in caplog.records] == [
        "the residuals 'm' is not kept: [Errno 28] No space left on device; training goes on"
    ]
    assert run.get_metrics() == {}


def test_an_image_may_be_called_as_if_it_lay_in_a_document(run, tmp_path):
    (tmp_path / "x").write_bytes(PNG)
    run.log_residuals("a", document("residuals"))
    run.log_image("a/b", path=tmp_path / "x")
    assert run.get_metrics(populate=True)["a/b"].data == PNG


# ---- refused, with all that there is to say

WRONG = [
    ("residuals", "{", r"Invalid JSON provided: Expecting property name"),
    ("residuals", "[1]", r"value is a list: it must be a dict, or JSON text of an object"),
    ("residuals", 3, r"value is a int: it must be a dict"),
    ("residuals", None, r"value is a NoneType: it must be a dict"),
    ("residuals", {}, r"schema_type is missing: it must be 'residuals'"),
    ("residuals", document("predictions"), r"schema_type is 'predictions': it must be 'residuals'"),
    ("residuals", {**document("residuals"), "schema_version": 2}, r"schema_version is 2: it must be '1\.0\.0' or 'v1'"),
    ("residuals", {"schema_type": "residuals"}, r"data is missing: it must be a dict with the keys 'bin_edges', "),
    ("residuals", {"schema_type": "residuals", "data": [1]}, r"data is \[1\]: it must be a dict with the keys"),
    ("residuals", {"schema_type": "residuals", "data": {"bin_edges": [0]}},
     r"data\['bin_counts'\] is missing: data has the keys 'bin_edges' and must have 'bin_edges', 'bin_counts'"),
    ("residuals", document("residuals", bin_edges="abc"), r"data\['bin_edges'\] is 'abc': it must be a list"),
    ("residuals", document("residuals", bin_edges=[]), r"data\['bin_edges'\] is \[\]: it must be a list of one more"),
    ("residuals", document("residuals", bin_edges=[0, 2, 1, 3]),
     r"data\['bin_edges'\]\[2\] is 1: it must be at least the edge before it, 2"),
    ("residuals", document("residuals", bin_edges=[0, 1, 2, math.inf]), r"\['bin_edges'\]\[3\] is inf: .* a finite"),
    ("residuals", document("residuals", bin_counts=[1, 2]),
     r"data\['bin_counts'\] has 2 entries: it must have 3, one less than bin_edges"),
    ("residuals", document("residuals", bin_counts=[1, -2, 3]), r"data\['bin_counts'\]\[1\] is -2: it must be a count"),
    ("residuals", document("residuals", bin_counts=[1, 2.5, 3]), r"\['bin_counts'\]\[1\] is 2.5: it must be a count"),
    ("residuals", document("residuals", bin_counts=[1, True, 3]), r"\['bin_counts'\]\[1\] is True: it must be a count"),
    ("predictions", document("predictions", bin_errors=[1]), r"data\['bin_errors'\] has 1 entries: it must have 3"),
    ("predictions", document("predictions", bin_averages=[1, "x", 2]), r"\['bin_averages'\]\[1\] is 'x': .* a number"),
    ("confusion_matrix", document("confusion_matrix", class_labels=["a", None, "c"]),
     r"data\['class_labels'\]\[1\] is None: it must be a string"),
    ("confusion_matrix", document("confusion_matrix", class_labels=["a", "b"]),
     r"data\['matrix'\] has 3 entries: it must have 2, one for each of class_labels"),
    ("confusion_matrix", document("confusion_matrix", matrix=[[1, 2, 3], [1, 2], [1, 2, 3]]),
     r"data\['matrix'\]\[1\] has 2 entries: it must have 3, one for each of class_labels"),
    ("confusion_matrix", document("confusion_matrix", matrix=[[1, 2, 3], [1, "x", 3], [1, 2, 3]]),
     r"data\['matrix'\]\[1\]\[1\] is 'x': it must be a number"),
    ("confusion_matrix", document("confusion_matrix", matrix=np.ones(3)),
     r"data\['matrix'\]\[0\] is 1\.0: it must be a list"),
    ("accuracy_table", document("accuracy_table", class_labels=["a"]),
     r"data\['probability_tables'\] has 2 entries: it must have 1, one for each of class_labels"),
    ("accuracy_table", document("accuracy_table", percentile_thresholds=[0.5]),
     r"data\['percentile_tables'\]\[0\] has 2 entries: it must have 1, one for each of percentile_thresholds"),
    ("accuracy_table", document("accuracy_table", probability_thresholds=["a", "b"]),
     r"data\['probability_thresholds'\]\[0\] is 'a': it must be a number"),
    ("accuracy_table", document("accuracy_table", probability_tables=np.ones((2, 2, 3), int)),
     r"data\['probability_tables'\]\[0\]\[0\] has 3 entries: it must have 4, TP, FP, TN and FN"),
    ("accuracy_table", document("accuracy_table", probability_tables=np.full((2, 2, 4), -1)),
     r"data\['probability_tables'\]\[0\]\[0\]\[0\] is -1: it must be a count"),
    ("accuracy_table", document("accuracy_table", probability_tables=[[[1, 2, 3, 4], [1, 2, 3, 5]]] * 2),
     r"\['probability_tables'\]\[0\]\[1\] is \[1, 2, 3, 5\]: it must be TP, FP, TN and FN that add up to 10, as those"),
    ("accuracy_table", document("accuracy_table", probability_tables=[[[1, 2, 3, 4], [2, 2, 2, 4]]] * 2),
     r"\['probability_tables'\]\[0\]\[1\] is \[2, 2, 2, 4\]: it must be counts with TP \+ FN = 5, as at the"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "message"), WRONG)
def test_a_document_that_breaks_a_rule_is_refused_at_the_call_and_leaves_nothing(run, kind, value, message):
    with pytest.raises(UserError, match=rf"log_{kind}\('my metric'\): .*{message}"):
        log(run, kind, "my metric", value)
    assert (run.get_metrics(), run.get_file_names()) == ({}, [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["", 3])
def test_a_document_has_a_name(run, kind, name):
    with pytest.raises(UserError, match="a metric's name is"):
        log(run, kind, name, document(kind))


def test_a_long_value_is_shown_in_part():
    with pytest.raises(UserError) as caught:
        checked_document(MetricKind.RESIDUALS, "m", document("residuals", bin_edges="x" * 10_000))
    assert len(str(caught.value)) < 300
    assert "(a str)" in str(caught.value)


# ---- shown


@pytest.mark.parametrize("kind", KINDS)
def test_displays_list_a_document_by_its_name_and_its_file(run, kind):
    log(run, kind, "m", document(kind))
    run.log("m", 1)  # and whatever else comes under that name
    run.log_row("m", x=1)
    run.flush()
    feed = Feed(run._recorder, run.id)
    feed.step()
    view = feed.view
    rows = metrics_state(view, DEFAULT_CONTROLS)["rows"]
    assert [(row["name"], row["column"]) for row in rows] == [("m", None), ("m", "x")]
    assert view.metrics["m"].kind is MetricKind(kind)
    assert list(view.files) == ["m"]
    assert "m" in as_text(view, 0.0)
    assert "m" in as_html(view, 0.0)
    assert run.get_metrics()["m"].startswith("aml://")
