"""What the documents of a run are drawn as: confusion matrices, curves of classifiers, residuals, predictions.

Each class mirrors the interface of its name in ``js/src/wire.ts``. All functions here are pure; the files are read by
`runwidgets.watch.sheets`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

import numpy as np

from runwidgets.documents import checked_document
from runwidgets.records import MetricKind
from runwidgets.watch.curves import Curves, curves_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runwidgets.watch.view import RunView

MAX_DOCUMENTS: Final = 50
"""Metrics that are listed."""
MAX_LOGGED: Final = 500
"""Of one metric, the latest documents that can be chosen."""
MAX_MATRIX: Final = 250
"""Classes of a confusion matrix that is drawn."""
MAX_BINS: Final = 500
_MAX_LABEL: Final = 100
_DIGITS: Final = 6


class Logged(TypedDict):
    """``Logged``."""

    path: str
    logged_at: float


class Evaluation(TypedDict):
    """``Evaluation``."""

    name: str
    kind: str
    first: int
    logged: list[Logged]


class EvaluationState(TypedDict):
    """``EvaluationState``."""

    documents: list[Evaluation]
    total: int


class Confusion(TypedDict):
    """``Confusion``."""

    kind: Literal["confusion_matrix"]
    labels: list[str]
    matrix: list[list[float | None]]
    row_totals: list[float]
    precision: list[float | None]
    recall: list[float | None]
    f1: list[float | None]
    total: float
    accuracy: float | None
    note: str | None


class Residuals(TypedDict):
    """``Residuals``."""

    kind: Literal["residuals"]
    edges: list[float]
    counts: list[float]
    total: float
    mean: float | None
    std: float | None
    note: str | None


class Predictions(TypedDict):
    """``Predictions``."""

    kind: Literal["predictions"]
    edges: list[float]
    x: list[float]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    counts: list[float]
    note: str | None


class Refused(TypedDict):
    """``Refused``."""

    kind: Literal["refused"]
    note: str


Figure = Confusion | Curves | Residuals | Predictions | Refused


class FigureMessage(TypedDict):
    """``FigureMessage``."""

    kind: Literal["figure"]
    path: str
    figure: Figure
    is_final: bool


def evaluation_state(view: RunView) -> EvaluationState:
    """Give which documents there are, by name; what is in them is asked for when it comes into sight."""
    metrics = sorted((m for m in view.metrics.values() if m.documents), key=lambda m: m.name.casefold())
    return {
        "documents": [
            {
                "name": metric.name,
                "kind": metric.kind.value,
                "first": max(1, len(metric.documents) - MAX_LOGGED + 1),
                "logged": [{"path": path, "logged_at": at} for at, path in metric.documents[-MAX_LOGGED:]],
            }
            for metric in metrics[:MAX_DOCUMENTS]
        ],
        "total": len(metrics),
    }


def figure_of(kind: MetricKind, name: str, value: Any) -> Figure:
    """Give what a document is drawn as.

    Parameters
    ----------
    kind
        What it is.
    name
        The metric, for messages.
    value
        The document, as `json.loads` gives it.

    Raises
    ------
    UserError
        If it breaks a rule of its schema.
    """
    data = checked_document(kind, name, value)["data"]
    if kind is MetricKind.ACCURACY_TABLE:
        return curves_of(data, _short)
    if kind is MetricKind.CONFUSION_MATRIX:
        return _confusion(data)
    return _residuals(data) if kind is MetricKind.RESIDUALS else _predictions(data)


def _confusion(data: dict[str, Any]) -> Confusion | Refused:
    """Give a confusion matrix, and what follows from it for each class.

    A row is a true class, as in ``sklearn.metrics.confusion_matrix``. Precision is the share of a column that is on the
    diagonal, recall that of a row, F1 their harmonic mean; where there is nothing to share, there is none.
    """
    size = len(data["class_labels"])
    if size > MAX_MATRIX:
        return {
            "kind": "refused",
            "note": f"the matrix has {size} classes: more than {MAX_MATRIX} are not drawn. Download the file to see it",
        }
    matrix = np.array(data["matrix"], dtype=np.float64).reshape(size, size)
    counted = np.nan_to_num(matrix, nan=0.0, posinf=0.0, neginf=0.0)
    hits, rows, columns = np.diag(counted), counted.sum(axis=1), counted.sum(axis=0)
    total = float(counted.sum())
    is_odd = bool((counted < 0).any() or not np.isfinite(matrix).all())
    return {
        "kind": "confusion_matrix",
        "labels": [_short(label) for label in data["class_labels"]],
        "matrix": [_numbers(row) for row in matrix],
        "row_totals": [float(n) for n in rows],
        "precision": _shares(hits, columns),
        "recall": _shares(hits, rows),
        "f1": _shares(2 * hits, rows + columns),
        "total": total,
        "accuracy": _rounded(float(hits.sum()) / total) if total > 0 else None,
        "note": "it has cells that are no counts: negative, NaN or infinite" if is_odd else None,
    }


def _residuals(data: dict[str, Any]) -> Residuals:
    """Give a histogram, and mean and standard deviation as if each row were in the middle of its bin."""
    edges, counts = np.array(data["bin_edges"], dtype=np.float64), np.array(data["bin_counts"], dtype=np.float64)
    note = None
    if len(counts) > MAX_BINS:
        together = -(-len(counts) // MAX_BINS)
        starts = np.arange(0, len(counts), together)
        note = f"{len(counts)} bins, drawn {together} at a time"
        counts_drawn, edges_drawn = np.add.reduceat(counts, starts), np.append(edges[starts], edges[-1])
    else:
        counts_drawn, edges_drawn = counts, edges
    total = float(counts.sum())
    mean = std = None
    if total > 0:
        middle = edges[:-1] / 2 + edges[1:] / 2
        share = counts / total
        mean = float(np.dot(share, middle))
        std = math.sqrt(float(np.dot(share, (middle - mean) ** 2)))
    return {
        "kind": "residuals",
        "edges": [float(edge) for edge in edges_drawn],
        "counts": [float(count) for count in counts_drawn],
        "total": total,
        "mean": _finite(mean),
        "std": _finite(std),
        "note": note,
    }


def _predictions(data: dict[str, Any]) -> Predictions | Refused:
    """Give the mean prediction in each bin of true values, and the band of one error to either side."""
    edges = np.array(data["bin_edges"], dtype=np.float64)
    if len(edges) - 1 > MAX_BINS:
        return {"kind": "refused", "note": f"it has {len(edges) - 1} bins: more than {MAX_BINS} are not drawn"}
    mean, error = (
        np.array([np.nan if v is None else v for v in data[key]], dtype=np.float64)
        for key in ("bin_averages", "bin_errors")
    )
    counts = np.array(data["bin_counts"], dtype=np.float64)
    mean = np.where(counts > 0, mean, np.nan)  # what is said of no rows says nothing
    return {
        "kind": "predictions",
        "edges": [float(edge) for edge in edges],
        "x": (edges[:-1] / 2 + edges[1:] / 2).tolist(),
        "mean": _numbers(mean),
        "low": _numbers(mean - error),
        "high": _numbers(mean + error),
        "counts": [float(count) for count in counts],
        "note": None,
    }


def _short(label: str) -> str:
    return label if len(label) <= _MAX_LABEL else label[: _MAX_LABEL - 1] + "…"


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _finite(value: float | None) -> float | None:
    return _rounded(value) if value is not None and math.isfinite(value) else None


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _shares(part: NDArray[np.float64], whole: NDArray[np.float64]) -> list[float | None]:
    return [_rounded(p / w) if w > 0 else None for p, w in zip(part.tolist(), whole.tolist(), strict=True)]
