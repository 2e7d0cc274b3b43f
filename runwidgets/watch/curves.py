"""The curves of a classifier, drawn from the counts of an accuracy table. All functions here are pure.

An accuracy table has, for each class and threshold, how many rows are true and false positives and negatives if a row
counts as the class where its predicted probability is at least the threshold: one class against the rest. Probability
thresholds are evenly spaced and the same for all classes, percentile thresholds are taken from each class' own
predictions (SDK v1, ``Run.log_accuracy_table``; the same in words:
https://azure.github.io/azureml-sdk-for-r/reference/log_accuracy_table_to_run.html). Either is a point of the same
curve, so that a class' curves go through both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Drawn = tuple[Floats, Floats, float | None]
    """x and y of a curve, and its score."""

MAX_POINTS: Final = 200
"""Points of one curve."""
MAX_CLASSES: Final = 20
"""Classes that have curves of their own: those with the most rows."""
_MOST_POINTS: Final = 3000
"""Points of one chart; where it has many curves, each gets fewer."""
_BINS: Final = 10
_GRID: Final = np.linspace(0.0, 1.0, 101)
_PLACES: Final = 4

ChartId = Literal["roc", "precision_recall", "gain", "lift", "calibration"]


class Curve(TypedDict):
    """``Curve``."""

    label: str
    is_average: bool
    score: float | None
    x: list[float]
    y: list[float]


class CurveChart(TypedDict):
    """``CurveChart``."""

    id: ChartId
    score_name: str
    curves: list[Curve]


class Curves(TypedDict):
    """``Curves``."""

    kind: Literal["accuracy_table"]
    rows: int
    classes: int
    charts: list[CurveChart]
    note: str | None


@dataclass(frozen=True)
class _Class:
    """One class against the rest.

    Attributes
    ----------
    tp, fp
        Counts along its curves, shape (K,), from nothing called positive to everything.
    positives, negatives
        How many rows are of the class, and how many are not.
    bins
        Of the predicted probabilities in tenths: rows, positives among them, and the sum of probabilities; shape
        (3, 10).
    """

    tp: Floats
    fp: Floats
    positives: float
    negatives: float
    bins: Floats


def curves_of(data: dict[str, Any], shorten: Callable[[str], str]) -> Curves:
    """Give the charts of an accuracy table that has been checked.

    Parameters
    ----------
    data
        Its ``data``: see `runwidgets.documents`.
    shorten
        Cuts a class' label to what is shown of it.
    """
    labels = [shorten(label) for label in data["class_labels"]]
    thresholds = np.array(data["probability_thresholds"], dtype=np.float64)
    by_probability = _tables(data["probability_tables"], len(labels))
    by_percentile = _tables(data["percentile_tables"], len(labels))
    counts = by_probability if by_probability.size else by_percentile
    rows = int(counts[0, 0].sum()) if counts.size else 0
    if not rows:
        return {
            "kind": "accuracy_table", "rows": 0, "classes": len(labels), "charts": [],
            "note": "the table is empty: it has no rows, no thresholds or no classes",
        }  # fmt: skip
    each = [_class_of(*tables, thresholds) for tables in zip(by_probability, by_percentile, strict=True)]
    whole = by_probability.sum(axis=0)
    # At one percentile each class has another threshold: only probabilities can be pooled.
    micro = _class_of(whole, whole[:0], thresholds) if len(labels) > 1 and whole.size else None
    known = [index for index, one in enumerate(each) if one.positives]
    shown = sorted(sorted(known, key=lambda index: -each[index].positives)[:MAX_CLASSES])
    charts: list[CurveChart] = []
    for chart, name, draw in _CHARTS:
        drawn = [(index, draw(each[index])) for index in known]
        curves = _averages(chart, each, [(index, one) for index, one in drawn if one is not None])
        if micro is not None and micro.positives and (pooled := draw(micro)) is not None:
            curves.insert(1, ("micro", True, pooled))
        curves += [(labels[index], False, one) for index, one in drawn if one is not None and index in shown]
        limit = min(MAX_POINTS, max(2, _MOST_POINTS // max(1, len(curves))))
        charts.append({"id": chart, "score_name": name, "curves": [_curve(*curve, limit) for curve in curves]})
    return {
        "kind": "accuracy_table", "rows": rows, "classes": len(labels), "charts": charts,
        "note": _note(len(labels), len(known), len(shown)),
    }  # fmt: skip


def _note(classes: int, known: int, shown: int) -> str | None:
    parts = []
    if known < classes:
        lacking = classes - known
        parts.append(f"{lacking} {'class has' if lacking == 1 else 'classes have'} no rows, and so no curves")
    if shown < known:
        parts.append(f"the {shown} classes with the most rows are shown, the averages are of all")
    return "; ".join(parts) or None


def _tables(tables: Sequence[Any], classes: int) -> Floats:
    """Give counts TP, FP, TN, FN, shape (classes, thresholds, 4)."""
    return np.array(tables, dtype=np.float64).reshape(classes, -1, 4) if classes and tables[0] else _no_table(classes)


def _no_table(classes: int) -> Floats:
    return np.zeros((classes, 0, 4))


def _class_of(by_probability: Floats, by_percentile: Floats, thresholds: Floats) -> _Class:
    tables = by_probability if len(by_probability) else by_percentile
    tp, fp, tn, fn = tables[0]
    positives, negatives = tp + fn, fp + tn
    if len(by_percentile) and by_percentile[0, 0] + by_percentile[0, 3] == positives:  # else they are of other rows
        tables = np.concatenate((tables, by_percentile))
    points = np.unique(
        np.concatenate((tables[:, 1::-1], [[0.0, 0.0], [negatives, positives]])), axis=0
    )  # fp, tp: sorted by the first, then by the second
    return _Class(
        points[:, 1], points[:, 0], float(positives), float(negatives), _bins_of(by_probability, thresholds, positives)
    )


def _bins_of(table: Floats, thresholds: Floats, positives: float) -> Floats:
    """Count rows between thresholds, as differences of what is above each, and gather them in tenths."""
    bins = np.zeros((3, _BINS))
    if not len(table):
        return bins
    good = np.isfinite(thresholds) & (thresholds >= 0) & (thresholds <= 1)
    order = np.argsort(thresholds[good], kind="stable")
    edges = thresholds[good][order]
    if not len(edges):
        return bins
    above = (table[:, 0] + table[:, 1])[good][order]
    true = table[:, 0][good][order]
    rows = table[0].sum()
    at = np.concatenate(([0.0], edges, [1.0]))
    counted = np.clip(-np.diff(np.concatenate(([rows], above, [0.0]))), 0, None)
    hits = np.clip(-np.diff(np.concatenate(([positives], true, [0.0]))), 0, None)
    middle = (at[:-1] + at[1:]) / 2
    tenth = np.minimum((middle * _BINS + 1e-9).astype(int), _BINS - 1)
    for row, values in enumerate((counted, hits, counted * middle)):
        np.add.at(bins[row], tenth, values)
    return bins


# ---- one class


def _area(x: Floats, y: Floats) -> float:
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def _roc(one: _Class) -> Drawn | None:
    """Give true positive over false positive rate, and the area below it by the trapezoid rule.

    As ``sklearn.metrics.roc_curve`` and ``auc``: https://scikit-learn.org/stable/modules/model_evaluation.html#roc-metrics.
    """
    if not one.negatives:
        return None
    x, y = one.fp / one.negatives, one.tp / one.positives
    return x, y, _area(x, y)


def _precision_recall(one: _Class) -> Drawn | None:
    """Give precision over recall, and the average precision: the sum of each gain in recall times the precision there.

    As ``sklearn.metrics.precision_recall_curve`` and ``average_precision_score``:
    https://scikit-learn.org/stable/modules/model_evaluation.html#precision-recall-and-f-measures. Where nothing is
    called positive, the precision is 1 by convention.
    """
    called = one.tp + one.fp
    some = called > 0
    recall = np.concatenate(([0.0], one.tp[some] / one.positives))
    precision = np.concatenate(([1.0], one.tp[some] / called[some]))
    return recall, precision, float(np.sum(np.diff(recall) * precision[1:]))


def _gain(one: _Class) -> Drawn | None:
    """Give which share of the positives is in the share of rows with the highest probabilities.

    The cumulative gains curve: Witten, Frank and Hall, Data Mining, 3rd edition, section 5.7.
    """
    return (one.tp + one.fp) / (one.positives + one.negatives), one.tp / one.positives, None


def _lift(one: _Class) -> Drawn | None:
    """Give how many times more positives those rows have than as many taken at random: gain over share of rows."""
    share, gain = (one.tp + one.fp) / (one.positives + one.negatives), one.tp / one.positives
    some = share > 0
    return share[some], gain[some] / share[some], None


def _calibration(one: _Class) -> Drawn | None:
    """Give the share of positives over the mean predicted probability in tenths, and the expected calibration error.

    The reliability curve of Niculescu-Mizil and Caruana (2005), as ``sklearn.calibration.calibration_curve``. A table
    has no single predictions: rows between two thresholds are taken to lie in the middle. The error, ECE, is the mean
    distance from the diagonal, by rows: Guo et al. (2017), equation 3.
    """
    rows, hits, sums = one.bins
    some = rows > 0
    if not some.any():
        return None
    x, y = sums[some] / rows[some], hits[some] / rows[some]
    return x, y, float(np.sum(rows[some] * np.abs(y - x)) / rows.sum())


_CHARTS: Final[tuple[tuple[ChartId, str, Callable[[_Class], Drawn | None]], ...]] = (
    ("roc", "AUC", _roc),
    ("precision_recall", "AP", _precision_recall),
    ("gain", "", _gain),
    ("lift", "", _lift),
    ("calibration", "ECE", _calibration),
)


# ---- averages


def _averages(chart: ChartId, each: list[_Class], drawn: list[tuple[int, Drawn]]) -> list[tuple[str, bool, Drawn]]:
    """Give the mean over classes, each the same (macro) or by its rows (weighted); the score is that of the scores.

    As ``average="macro"`` and ``"weighted"`` of ``sklearn.metrics.roc_auc_score`` and ``average_precision_score``.
    """
    if len(each) < 2 or not drawn:  # noqa: PLR2004
        return []
    found = []
    for name, weights in (("macro", np.ones(len(drawn))), ("weighted", [each[i].positives for i, _ in drawn])):
        share = np.asarray(weights, dtype=np.float64) / np.sum(weights)
        scores = [score for _, (_, _, score) in drawn]
        score = None if None in scores else float(np.dot(share, np.array(scores, dtype=np.float64)))
        x, y = (
            _mean_of_bins([each[i] for i, _ in drawn], share) if chart == "calibration" else _mean(chart, drawn, share)
        )
        found.append((name, True, (x, y, score)))
    return found


def _mean(chart: ChartId, drawn: list[tuple[int, Drawn]], share: Floats) -> tuple[Floats, Floats]:
    grid = _GRID[1:] if chart == "lift" else _GRID
    read = _step_at if chart == "precision_recall" else _line_at
    return grid, sum((part * read(grid, x, y) for part, (_, (x, y, _)) in zip(share, drawn, strict=True)), grid * 0)


def _line_at(grid: Floats, x: Floats, y: Floats) -> Floats:
    return np.interp(grid, x, y)


def _step_at(grid: Floats, x: Floats, y: Floats) -> Floats:
    """Read precision as its average does: that of the first point with at least the recall."""
    return y[np.minimum(np.searchsorted(x, grid - 1e-12, side="left"), len(y) - 1)]


def _mean_of_bins(classes: list[_Class], share: Floats) -> tuple[Floats, Floats]:
    """Average tenth by tenth over the classes that have rows there."""
    bins = np.array([one.bins for one in classes])
    rows = bins[:, 0]
    weights = share[:, None] * (rows > 0)
    total = weights.sum(axis=0)
    some = total > 0
    per_row = np.divide(bins[:, 1:], rows[:, None], out=np.zeros_like(bins[:, 1:]), where=rows[:, None] > 0)
    y, x = (per_row * weights[:, None]).sum(axis=0)[:, some] / total[some]
    return x, y


# ---- for the wire


def _curve(label: str, is_average: bool, drawn: Drawn, limit: int) -> Curve:
    x, y, score = drawn
    kept = thinned(x, y, limit)
    return {
        "label": label,
        "is_average": is_average,
        "score": None if score is None else round(score, _PLACES),
        "x": x[kept].round(_PLACES).tolist(),
        "y": y[kept].round(_PLACES).tolist(),
    }


def thinned(x: Floats, y: Floats, limit: int) -> NDArray[np.intp]:
    """Choose points of a curve, the first and the last among them, that lie about as far from each other along it."""
    if len(x) <= limit:
        return np.arange(len(x))
    height = np.ptp(y) or 1.0
    along = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)) / height)))
    wanted = np.linspace(0.0, along[-1], limit)
    return np.unique(np.clip(np.searchsorted(along, wanted - 1e-12), 0, len(x) - 1))
