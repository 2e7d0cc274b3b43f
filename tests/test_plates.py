"""Evaluations as SVG: all kinds, what cannot be drawn, and names that are hostile."""

from xml.etree import ElementTree as ET

import pytest

from runwidgets.watch.plates import MAX_CELLS, plates
from runwidgets.watch.report import Contents, report_html
from tests.test_wire import START, view_of

HOSTILE = '"><script>alert(1)</script>'


def confusion(size=3, label="class"):
    matrix = [[float(10 * (i == j) + (i + 1) % (j + 2)) for j in range(size)] for i in range(size)]
    return {
        "kind": "confusion_matrix", "labels": [f"{label} {i}" for i in range(size)], "matrix": matrix,
        "row_totals": [sum(row) for row in matrix], "total": sum(map(sum, matrix)), "accuracy": 0.75, "note": None,
    }  # fmt: skip


def curves(count=2, label="macro"):
    curve = {"label": label, "is_average": False, "score": 0.875, "x": [0.0, 0.5, 1.0], "y": [0.0, None, 1.0]}
    kinds = ("roc", "precision_recall", "gain", "lift", "calibration")
    charts = [{"id": kind, "score_name": "AUC" if kind == "roc" else "", "curves": [curve] * count} for kind in kinds]
    return {"kind": "accuracy_table", "note": None, "charts": charts}


RESIDUALS = {
    "kind": "residuals", "edges": [-1.0, 0.0, 1.0], "counts": [3.0, 5.0], "total": 8.0, "mean": 0.125, "std": 0.5,
    "note": "2 bins",
}  # fmt: skip
PREDICTIONS = {
    "kind": "predictions", "edges": [0.0, 1.0, 2.0], "x": [0.5, 1.5], "mean": [0.4, None], "low": [0.2, None],
    "high": [0.6, None], "counts": [3.0, 0.0], "note": None,
}  # fmt: skip
REFUSED = {"kind": "refused", "note": "the file is not there"}


@pytest.mark.parametrize("figure", [confusion(), curves(), curves(40), RESIDUALS, PREDICTIONS])
def test_every_kind_is_drawn_and_stays_small(figure):
    found = list(plates("m", figure))
    assert found
    for plate in found:
        ET.fromstring(plate.svg)  # noqa: S314 (our own)
        assert len(plate.svg) < 60_000
        assert "nan" not in plate.svg


def test_what_is_told_stands_beside_the_picture():
    [matrix] = plates("m", confusion())
    assert matrix.words == "accuracy 0.75, 41 in all; across: predicted, down: true"
    assert [plate.title for plate in plates("m", curves())][:2] == ["m · ROC", "m · Precision-recall"]
    assert next(plates("m", curves())).legend == ("macro (AUC 0.875)",) * 2
    assert next(plates("m", curves(40))).words == "the first 12 of 40"
    [residuals] = plates("m", RESIDUALS)
    assert residuals.words == "mean 0.125, standard deviation 0.5, 2 bins"
    [predictions] = plates("m", PREDICTIONS)
    assert predictions.legend == ("mean", "less the error", "plus the error", "perfect")


def test_what_is_too_large_or_not_there_says_so_and_has_no_picture():
    [large] = plates("m", confusion(MAX_CELLS + 1))
    assert large.svg == ""
    assert "21 classes is not drawn" in large.words
    [refused] = plates("m", REFUSED)
    assert (refused.svg, refused.words) == ("", "the file is not there")


def test_the_page_has_them_and_names_stay_text():
    figures = [(HOSTILE, confusion(label=HOSTILE)), (HOSTILE, curves(label=HOSTILE)), ("gone", REFUSED)]
    text = report_html(view_of(), START, Contents(figures=figures))
    assert "<script" not in text
    assert text.count('<svg class="rw-svg"') == 6
    assert "the file is not there" in text
    assert "<h2>Evaluation<span>3</span></h2>" in text
