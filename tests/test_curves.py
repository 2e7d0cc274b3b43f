"""Curves of accuracy tables: by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from runwidgets.records import MetricKind
from runwidgets.watch.curves import MAX_CLASSES, MAX_POINTS, thinned
from runwidgets.watch.evaluation import figure_of
from tests.accuracy_tables import accuracy_table, classifier


def charts(document):
    found = figure_of(MetricKind.ACCURACY_TABLE, "table", document)
    return {chart["id"]: {curve["label"]: curve for curve in chart["curves"]} for chart in found["charts"]}, found


def every_threshold(scores):
    return np.unique(scores)


def points(curve):
    return list(zip(curve["x"], curve["y"], strict=True))


TINY = {
    "schema_type": "accuracy_table",
    "schema_version": "1.0.1",
    "data": {  # four rows of class "a" in ten, thresholds 0, 0.5 and 1
        "probability_tables": [[[4, 6, 0, 0], [3, 1, 5, 1], [0, 0, 6, 4]]],
        "percentile_tables": [[]],
        "probability_thresholds": [0.0, 0.5, 1.0],
        "percentile_thresholds": [],
        "class_labels": ["a"],
    },
}


def test_a_table_of_ten_rows_by_hand():
    found, figure = charts(TINY)
    assert (figure["rows"], figure["classes"], figure["note"]) == (10, 1, None)
    assert points(found["roc"]["a"]) == [(0, 0), (0.1667, 0.75), (1, 1)]
    assert found["roc"]["a"]["score"] == pytest.approx(1 / 6 * 0.375 + 5 / 6 * 0.875, abs=1e-4)
    assert points(found["precision_recall"]["a"]) == [(0, 1), (0.75, 0.75), (1, 0.4)]
    assert found["precision_recall"]["a"]["score"] == pytest.approx(0.75 * 0.75 + 0.25 * 0.4)
    assert points(found["gain"]["a"]) == [(0, 0), (0.4, 0.75), (1, 1)]
    assert points(found["lift"]["a"]) == [(0.4, 1.875), (1, 1)]
    # Six rows below 0.5, one of them of the class; four above, three of them.
    assert points(found["calibration"]["a"]) == [(0.25, 0.1667), (0.75, 0.75)]
    assert found["calibration"]["a"]["score"] == pytest.approx(0.6 * (0.25 - 1 / 6), abs=1e-4)


def test_a_class_alone_has_no_averages():
    found, _ = charts(TINY)
    assert all(list(curves) == ["a"] for curves in found.values())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_curves_at_every_threshold_are_those_of_scikit_learn(seed):
    truth, scores = classifier(rows=150, seed=seed)
    document = accuracy_table(truth, scores, every_threshold(scores))
    found, _ = charts(document)
    for c in range(3):
        x, y, _ = roc_curve(truth == c, scores[:, c], drop_intermediate=False)
        mine = found["roc"][str(c)]
        assert set(points(mine)) <= set(zip(x.round(4).tolist(), y.round(4).tolist(), strict=True))
        assert mine["score"] == pytest.approx(roc_auc_score(truth == c, scores[:, c]), abs=1e-4)
        precision, recall, _ = precision_recall_curve(truth == c, scores[:, c])
        theirs = set(zip(recall.round(4).tolist(), precision.round(4).tolist(), strict=True))
        assert set(points(found["precision_recall"][str(c)])) <= theirs
        score = average_precision_score(truth == c, scores[:, c])
        assert found["precision_recall"][str(c)]["score"] == pytest.approx(score, abs=1e-4)
    one_hot = np.eye(3)[truth]
    for average in ("macro", "micro", "weighted"):
        assert found["roc"][average]["score"] == pytest.approx(
            roc_auc_score(one_hot, scores, average=average), abs=1e-4
        )
        score = average_precision_score(one_hot, scores, average=average)
        assert found["precision_recall"][average]["score"] == pytest.approx(score, abs=1e-4)


def test_the_macro_curve_is_the_mean_of_the_classes_curves():
    truth, scores = classifier()
    found, _ = charts(accuracy_table(truth, scores, every_threshold(scores)))
    grid = np.array(found["roc"]["macro"]["x"])
    theirs = np.zeros(len(grid))
    for c in range(3):
        x, y, _ = roc_curve(truth == c, scores[:, c], drop_intermediate=False)
        theirs += np.interp(grid, x, y) / 3
    assert found["roc"]["macro"]["y"] == pytest.approx(theirs, abs=1e-3)


def test_calibration_is_that_of_scikit_learn():
    truth, scores = classifier(rows=2000)
    found, _ = charts(accuracy_table(truth, scores, np.linspace(0, 1, 101)))
    for c in range(3):
        y, x = calibration_curve(truth == c, scores[:, c], n_bins=10)
        mine = found["calibration"][str(c)]
        assert mine["y"] == pytest.approx(y, abs=1e-4)
        assert mine["x"] == pytest.approx(x, abs=0.005)


def test_gain_and_lift_at_a_tenth_are_as_counted_in_the_ranked_rows():
    truth, scores = classifier(rows=1000)
    found, _ = charts(accuracy_table(truth, scores, [0.0, 1.0], percentiles=np.linspace(0, 1, 101)))
    best = np.argsort(-scores[:, 2], kind="stable")[:100]
    gain = (truth[best] == 2).sum() / (truth == 2).sum()
    assert np.interp(0.1, found["gain"]["2"]["x"], found["gain"]["2"]["y"]) == pytest.approx(gain, abs=0.01)
    assert np.interp(0.1, found["lift"]["2"]["x"], found["lift"]["2"]["y"]) == pytest.approx(gain / 0.1, abs=0.1)
    assert found["lift"]["2"]["y"][-1] == 1


def test_percentile_thresholds_make_the_same_curve_finer():
    truth, scores = classifier(rows=1000)
    coarse, _ = charts(accuracy_table(truth, scores, [0, 0.5, 1]))
    fine, _ = charts(accuracy_table(truth, scores, [0, 0.5, 1], percentiles=np.linspace(0, 1, 51)))
    exact = roc_auc_score(truth == 0, scores[:, 0])
    assert len(fine["roc"]["0"]["x"]) > 40 > len(coarse["roc"]["0"]["x"])
    assert abs(fine["roc"]["0"]["score"] - exact) < abs(coarse["roc"]["0"]["score"] - exact)


def test_thresholds_in_any_order_give_the_same_curves():
    truth, scores = classifier()
    up = accuracy_table(truth, scores, np.linspace(0, 1, 21))
    down = accuracy_table(truth, scores, np.linspace(0, 1, 21)[::-1])
    assert charts(up)[0] == charts(down)[0]


def test_a_class_that_no_row_has_is_left_out_and_told_of():
    truth, scores = classifier(rows=100)
    truth[truth == 0] = 1
    found, figure = charts(accuracy_table(truth, scores, [0, 0.2, 0.5, 1], labels=["none", "one", "two"]))
    assert set(found["roc"]) == {"macro", "micro", "weighted", "one", "two"}
    assert figure["note"] == "1 class has no rows, and so no curves"


def test_a_table_in_which_no_row_is_of_any_class_has_no_curves():
    cells = [[0, 10, 0, 0], [0, 2, 8, 0], [0, 0, 10, 0]]
    data = {
        **TINY["data"],
        "probability_tables": [cells, cells],
        "percentile_tables": [[], []],
        "class_labels": ["a", "b"],
    }
    found, figure = charts({**TINY, "data": data})
    assert all(curves == {} for curves in found.values())
    assert figure["note"] == "2 classes have no rows, and so no curves"


def test_rows_that_are_all_of_one_class_have_no_roc():
    scores = np.array([[0.1, 0.9], [0.4, 0.6]])
    found, _ = charts(accuracy_table(np.array([1, 1]), scores, [0, 0.5, 1]))
    assert set(found["roc"]) == {"micro"}
    assert found["precision_recall"]["1"]["score"] == 1


@pytest.mark.parametrize(
    "data",
    [
        {"probability_tables": [], "percentile_tables": [], "class_labels": []},
        {"probability_tables": [[], []], "percentile_tables": [[], []], "class_labels": ["a", "b"]},
        {"probability_tables": [[[0, 0, 0, 0]]], "percentile_tables": [[]], "class_labels": ["a"]},
    ],
)
def test_an_empty_table_says_so(data):
    count = len(data["probability_tables"][0]) if data["probability_tables"] else 0
    document = {**TINY, "data": {**data, "probability_thresholds": [0.0] * count, "percentile_thresholds": []}}
    found, figure = charts(document)
    assert found == {}
    assert "empty" in figure["note"]


def test_a_table_of_percentiles_alone_has_its_curves_but_no_pooled_one():
    truth, scores = classifier()
    found, _ = charts(accuracy_table(truth, scores, [], percentiles=np.linspace(0, 1, 21)))
    assert set(found["roc"]) == {"macro", "weighted", "0", "1", "2"}
    assert found["calibration"] == {}


def test_the_macro_precision_at_a_recall_is_the_mean_of_what_the_classes_reach_with_it():
    truth, scores = classifier(rows=200)
    found, _ = charts(accuracy_table(truth, scores, every_threshold(scores)))
    theirs = np.zeros(101)
    for c in range(3):
        precision, recall, _ = precision_recall_curve(truth == c, scores[:, c])
        rising = recall[::-1]
        first = [int(np.argmax(rising >= r - 1e-9)) for r in np.linspace(0, 1, 101)]
        theirs += precision[::-1][first] / 3
    assert found["precision_recall"]["macro"]["y"] == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("thresholds", [[float("nan"), 0.5, float("inf")], [-1.0, 0.5, 2.0]])
def test_thresholds_that_are_no_probabilities_are_passed_over(thresholds):
    odd = {**TINY, "data": {**TINY["data"], "probability_thresholds": thresholds}}
    found, _ = charts(odd)
    assert points(found["calibration"]["a"]) == [(0.25, 0.1667), (0.75, 0.75)]
    assert points(found["roc"]["a"]) == points(charts(TINY)[0]["roc"]["a"])


def test_of_many_classes_those_with_the_most_rows_are_shown_within_a_number_of_points():
    truth, scores = classifier(rows=4000, classes=60)
    found, figure = charts(accuracy_table(truth, scores, np.linspace(0, 1, 500)))
    shown = [label for label, curve in found["roc"].items() if not curve["is_average"]]
    most = np.argsort(-np.bincount(truth, minlength=60), kind="stable")[:MAX_CLASSES]
    assert shown == [str(c) for c in sorted(most)]
    assert "20 classes with the most rows" in figure["note"]
    assert sum(len(curve["x"]) for curve in found["roc"].values()) <= 3000


def test_a_long_curve_keeps_its_ends_and_its_shape():
    x = np.linspace(0, 1, 50_000)
    y = x**0.1
    kept = thinned(x, y, MAX_POINTS)
    assert len(kept) <= MAX_POINTS
    assert (kept[0], kept[-1]) == (0, len(x) - 1)
    assert np.abs(np.interp(x, x[kept], y[kept]) - y).max() < 0.02
    assert thinned(x[:5], np.zeros(5), 3).tolist() == [0, 2, 4]
