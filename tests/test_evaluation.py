"""What documents are drawn as, by hand; their files; and how they reach a display."""

import json
import math

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score, precision_score, recall_score

from runwidgets import Experiment, RunDetails, Workspace
from runwidgets.errors import UserError
from runwidgets.records import MetricKind
from runwidgets.store.recorder import close_all
from runwidgets.watch import sheets as sheets_module
from runwidgets.watch.evaluation import MAX_BINS, MAX_LOGGED, MAX_MATRIX, evaluation_state, figure_of
from runwidgets.watch.feed import Feed
from runwidgets.watch.sheets import MAX_KEPT, Sheets
from runwidgets.watch.view import RunView
from runwidgets.watch.wire import header_state
from tests.test_documents import DOCUMENTS, KINDS, document, log


def figure(kind, **data):
    return figure_of(MetricKind(kind), "m", {"schema_type": kind, "data": {**DOCUMENTS[kind], **data}})


# ---- confusion matrices


def test_a_matrix_by_hand():
    found = figure("confusion_matrix", class_labels=["a", "b", "c"], matrix=[[3, 1, 0], [2, 4, 0], [0, 0, 0]])
    assert found["row_totals"] == [4, 6, 0]
    assert found["precision"] == [0.6, 0.8, None]
    assert found["recall"] == [0.75, 0.666667, None]
    assert found["f1"] == [0.666667, 0.727273, None]
    assert (found["total"], found["accuracy"], found["note"]) == (10, 0.7, None)


def test_each_class_is_as_good_as_scikit_learn_says():
    random = np.random.default_rng(3)
    truth = random.integers(0, 4, 300)
    predicted = np.where(random.random(300) < 0.6, truth, random.integers(0, 4, 300))
    found = figure("confusion_matrix", class_labels=list("abcd"), matrix=confusion_matrix(truth, predicted).tolist())
    for mine, theirs in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        assert found[mine] == pytest.approx(theirs(truth, predicted, average=None), abs=1e-5)
    assert found["accuracy"] == pytest.approx((truth == predicted).mean(), abs=1e-5)


def test_a_matrix_of_no_classes_or_no_rows_has_no_accuracy():
    assert figure("confusion_matrix", class_labels=[], matrix=[])["accuracy"] is None
    assert figure("confusion_matrix", class_labels=["a"], matrix=[[0]])["accuracy"] is None


def test_cells_that_are_no_counts_are_told_of():
    found = figure("confusion_matrix", class_labels=["a", "b"], matrix=[[1, math.nan], [-1, math.inf]])
    assert found["matrix"] == [[1, None], [-1, None]]
    assert "no counts" in found["note"]
    json.dumps(found, allow_nan=False)


def test_a_matrix_of_too_many_classes_is_not_drawn():
    size = MAX_MATRIX + 1
    found = figure(
        "confusion_matrix", class_labels=[str(i) for i in range(size)], matrix=np.zeros((size, size)).tolist()
    )
    assert found["kind"] == "refused"
    assert str(size) in found["note"]


def test_a_long_label_is_cut():
    (label,) = figure("confusion_matrix", class_labels=["x" * 5000], matrix=[[1]])["labels"]
    assert len(label) == 100


# ---- regression


def test_residuals_by_hand():
    found = figure("residuals", bin_edges=[-2, 0, 2, 4], bin_counts=[1, 2, 1])
    assert (found["total"], found["mean"]) == (4, 1)
    assert found["std"] == pytest.approx(math.sqrt(2), abs=1e-5)
    assert (found["edges"], found["counts"]) == ([-2, 0, 2, 4], [1, 2, 1])


def test_mean_and_deviation_of_fine_bins_are_those_of_the_rows():
    rows = np.random.default_rng(0).normal(3, 2, 5000)
    counts, edges = np.histogram(rows, bins=200)
    found = figure("residuals", bin_edges=edges, bin_counts=counts)
    assert (found["mean"], found["std"]) == (pytest.approx(rows.mean(), abs=0.01), pytest.approx(rows.std(), abs=0.01))


def test_residuals_of_no_rows_have_no_mean():
    found = figure("residuals", bin_edges=[0, 1], bin_counts=[0])
    assert (found["mean"], found["std"]) == (None, None)
    assert figure("residuals", bin_edges=[0], bin_counts=[])["counts"] == []


def test_many_bins_are_drawn_together():
    edges, counts = np.arange(2002.0), np.ones(2001)
    found = figure("residuals", bin_edges=edges, bin_counts=counts)
    assert len(found["counts"]) <= MAX_BINS
    assert len(found["edges"]) == len(found["counts"]) + 1
    assert (sum(found["counts"]), found["edges"][0], found["edges"][-1]) == (2001, 0, 2001)
    assert found["note"] == "2001 bins, drawn 5 at a time"


def test_predictions_by_hand():
    found = figure(
        "predictions",
        bin_edges=[0, 2, 4, 6],
        bin_averages=[1, 7, None],
        bin_errors=[0.5, 1, None],
        bin_counts=[3, 0, 0],
    )
    assert found["x"] == [1, 3, 5]
    assert found["mean"] == [1, None, None]  # of no rows there is no mean, whatever is said of it
    assert (found["low"], found["high"]) == ([0.5, None, None], [1.5, None, None])


def test_an_error_that_is_not_known_leaves_the_mean():
    found = figure("predictions", bin_edges=[0, 1], bin_averages=[0.5], bin_errors=[math.nan], bin_counts=[1])
    assert (found["mean"], found["low"], found["high"]) == ([0.5], [None], [None])


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_json_that_a_browser_reads(kind):
    json.dumps(figure(kind), allow_nan=False)


def test_what_breaks_a_rule_says_which():
    with pytest.raises(UserError, match="bin_counts"):
        figure("residuals", bin_counts=[1])


# ---- files


@pytest.fixture
def run():
    yield Experiment(Workspace(), "exp").start_logging()
    close_all()


@pytest.fixture
def look(run):
    """Look at the run, and give its view and its documents."""
    feed, sheets = Feed(run._recorder, run.id), Sheets(run.experiment.workspace._files, run.id)

    def look():
        feed.step()
        sheets.know(feed.view)
        return feed.view, sheets

    return look


def path_of(run, name):
    return run.experiment.workspace._files.path(run.id, name)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_document_is_says_its_kind_and_not_its_name(run, look, kind):
    log(run, kind, "confusion_matrix of residuals", document(kind))
    view, sheets = look()
    (found,) = evaluation_state(view)["documents"]
    assert (found["kind"], found["first"], len(found["logged"])) == (kind, 1, 1)
    answer = sheets.answer({"kind": "figure", "path": found["logged"][0]["path"]})
    assert (answer["figure"]["kind"], answer["is_final"]) == (kind, True)


def test_documents_of_one_name_are_listed_in_order_and_the_latest_kept(run, look):
    for n in range(3):
        run.log_residuals("m", document("residuals", bin_counts=[n, 0, 0]))
    view, sheets = look()
    (found,) = evaluation_state(view)["documents"]
    totals = [sheets.figure(logged["path"])[0]["total"] for logged in found["logged"]]
    assert totals == [0, 1, 2]
    metric = view.metrics["m"]
    many = RunView(metrics={"m": type(metric)("m", metric.kind, {}, documents=metric.documents * 300)})
    (found,) = evaluation_state(many)["documents"]
    assert (found["first"], len(found["logged"])) == (900 - MAX_LOGGED + 1, MAX_LOGGED)


def test_a_tab_for_them_is_there_once_there_are_any(run, look):
    def tab():
        (found,) = (t for t in header_state(look()[0], 0, None, None)["tabs"] if t["id"] == "evaluation")
        return found["is_shown"], found["count"]

    run.log("confusion_matrix", 1)
    assert tab() == (False, None)
    run.log_residuals("m", document("residuals"))
    assert tab() == (True, 1)


def test_a_file_is_read_once_and_only_when_it_is_asked_for(run, look):
    run.log_residuals("m", document("residuals"))
    _, sheets = look()
    first, _ = sheets.figure("m")
    path_of(run, "m").unlink()
    assert sheets.figure("m") == (first, True)


def test_only_files_that_were_logged_as_documents_are_read(run, look, tmp_path):
    file = tmp_path / "secret"
    file.write_text(json.dumps(document("residuals")))
    run.upload_file("secret", str(file))
    _, sheets = look()
    assert sheets.answer({"kind": "figure", "path": "secret"}) is None


@pytest.mark.parametrize("request_", [None, "figure", {"kind": "rows"}, {"kind": "figure", "path": ["m"]}])
def test_what_is_no_request_has_no_answer(run, look, request_):
    run.log_residuals("m", document("residuals"))
    assert look()[1].answer(request_) is None


def test_a_file_that_is_not_there_yet_is_looked_for_again(run, look):
    run.log_residuals("m", document("residuals"))
    place = path_of(run, "m")
    content = place.read_bytes()
    place.unlink()
    _, sheets = look()
    answer = sheets.answer({"kind": "figure", "path": "m"})
    assert (answer["figure"]["kind"], answer["figure"]["note"], answer["is_final"]) == (
        "refused", "the file is not there", False,
    )  # fmt: skip
    place.write_bytes(content)
    assert sheets.figure("m")[0]["kind"] == "residuals"


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[1]", "dict"),
        (b'{"schema_type": "predictions", "data": {}}', "schema_type"),
        (json.dumps({"schema_type": "residuals", "data": {"bin_edges": [0, 10**400], "bin_counts": [1]}}).encode(),
         "too large"),
        (json.dumps({"schema_type": "residuals", "data": {"bin_edges": [0, 1, 2], "bin_counts": [1e308, 1e308]}})
         .encode(), "too large"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_such_document_becomes_a_note(run, look, content, note):
    run.log_residuals("m", document("residuals"))
    path_of(run, "m").write_bytes(content)
    found, is_final = look()[1].figure("m")
    assert (found["kind"], is_final) == ("refused", True)
    assert note in found["note"]


def test_a_file_that_is_too_large_is_not_read(run, look, monkeypatch):
    monkeypatch.setattr(sheets_module, "MAX_BYTES", 10)
    run.log_residuals("m", document("residuals"))
    found, _ = look()[1].figure("m")
    assert found["kind"] == "refused"
    assert "larger" in found["note"]


def test_a_display_keeps_only_so_many_figures(run, look):
    for n in range(MAX_KEPT + 3):
        run.log_residuals("m", document("residuals", bin_counts=[n, 0, 0]))
    view, sheets = look()
    for _, path in view.metrics["m"].documents:
        sheets.figure(path)
    assert len(sheets._figures) == MAX_KEPT


def test_a_display_answers_the_browser(run):
    run.log_residuals("m", document("residuals"))
    details = RunDetails(run)
    details._looked.wait(20)
    page = details._pages["evaluation"]
    assert [d["name"] for d in page.panel.state["documents"]] == ["m"]
    sent = []
    page.panel.send = sent.append
    page.panel._on_message(None, {"kind": "figure", "path": "m"}, [])
    assert [message["figure"]["kind"] for message in sent] == ["residuals"]
    details.close()
