"""What a run's documents are drawn as (confusion matrices, curves, residuals, predictions), as SVG.

What comes in are the figures that the panel ``js/src/evaluation.ts`` draws, so that a saved page and the live display
show the same. All functions here are pure.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from runwidgets.watch.lines import Chart, Line, Marks
from runwidgets.watch.numbers import number
from runwidgets.watch.svg import chart_svg, swatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

MAX_CELLS: Final = 20
"""Classes of a matrix that is drawn with its counts; of more, the picture would be colours that nobody can name."""
MAX_CURVES: Final = 12
_CELL, _NAMES = 44, 90
_LONGEST_NAME: Final = 13
_TITLES: Final = {
    "roc": ("ROC", "false positive rate", "true positive rate"),
    "precision_recall": ("Precision-recall", "recall", "precision"),
    "gain": ("Cumulative gain", "share of rows", "gain"),
    "lift": ("Lift", "share of rows", "lift"),
    "calibration": ("Calibration", "predicted probability", "share of positives"),
}
_NO_MARKS: Final = Marks(np.zeros(0), np.zeros(0), np.zeros(0))


class Plate(NamedTuple):
    """One picture.

    Attributes
    ----------
    title, words
        What it is, and what is told of it.
    legend
        The names of its lines, where it has several.
    svg
        The picture; empty where there is none.
    """

    title: str
    words: str
    legend: tuple[str, ...]
    svg: str


def plates(name: str, figure: Mapping[str, Any], clean: Callable[[str], str] = str) -> Iterator[Plate]:
    """Draw a figure.

    Parameters
    ----------
    name
        The metric.
    figure
        A ``Figure`` of ``js/src/wire.ts``.
    clean
        What is done to each name of a user before it is drawn.
    """
    note = figure.get("note") or ""
    kind = figure["kind"]
    if kind == "confusion_matrix":
        yield _confusion(name, figure, clean)
    elif kind == "accuracy_table":
        for chart in figure["charts"]:
            yield _curves(name, chart, clean)
    elif kind == "residuals":
        words = [f"mean {number(figure['mean'])}", f"standard deviation {number(figure['std'])}", note]
        yield Plate(name, ", ".join(filter(None, words)), (), _residuals(figure))
    elif kind == "predictions":
        edges = figure["edges"]
        ends = np.array([edges[0], edges[-1]], dtype=np.float64)
        series = [
            (word, figure["x"], figure[key])
            for word, key in (("mean", "mean"), ("less the error", "low"), ("plus the error", "high"))
        ]
        lines = [_line(word, x, y) for word, x, y in series] + [Line("perfect", ends, ends, None)]
        yield Plate(name, note, tuple(line.label for line in lines), _chart(name, lines, "true value"))
    else:
        yield Plate(name, note, (), "")


def legend_html(plate: Plate) -> str:
    """Give the legend of a picture."""
    return "".join(f"<span>{swatch(place)}{escape(label)}</span>" for place, label in enumerate(plate.legend))


def _numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _line(label: str, x: Sequence[float | None], y: Sequence[float | None]) -> Line:
    return Line(label, _numbers(x), _numbers(y), None)


def _ends(parts: Sequence[NDArray[np.float64]], room: float) -> tuple[float, float]:
    values = np.concatenate([part[np.isfinite(part)] for part in parts])
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    gap = (high - low) * room or abs(low) * 0.1 or 0.5
    return low - gap, high + gap


def _chart(title: str, lines: Sequence[Line], x_label: str) -> str:
    chart = Chart(
        title=title, subtitle=None, last=None, last_digits=0, lines=tuple(lines), x_label=x_label, x_is_date=False,
        x_is_whole=False, x_range=_ends([line.x for line in lines], 0.01), marks=_NO_MARKS, is_log=False,
        y_range=_ends([line.y for line in lines], 0.05), notes=(),
    )  # fmt: skip
    return chart_svg(chart, title)


def _curves(name: str, chart: Mapping[str, Any], clean: Callable[[str], str]) -> Plate:
    title, x_label, _ = _TITLES.get(chart["id"], (chart["id"], "", ""))
    curves = sorted(chart["curves"], key=lambda curve: not curve["is_average"])[:MAX_CURVES]
    score = chart["score_name"]
    labels = [
        clean(curve["label"]) + (f" ({score} {number(curve['score'])})" if score and curve["score"] is not None else "")
        for curve in curves
    ]
    lines = [_line(label, curve["x"], curve["y"]) for label, curve in zip(labels, curves, strict=True)]
    more = len(chart["curves"]) - len(curves)
    words = f"the first {len(curves)} of {len(chart['curves'])}" if more else ""
    svg = _chart(f"{name}: {title}", lines, x_label) if lines else ""
    return Plate(f"{name} · {title}", words, tuple(labels) if len(labels) > 1 or score else (), svg)


def _residuals(figure: Mapping[str, Any]) -> str:
    """Draw a histogram, as the line around its bars."""
    edges, counts = np.array(figure["edges"], dtype=np.float64), np.array(figure["counts"], dtype=np.float64)
    x = np.repeat(edges, 2)
    y = np.concatenate([[0.0], np.repeat(counts, 2), [0.0]])
    return _chart("residuals", [Line("count", x, y, None)], "residual")


def _confusion(name: str, figure: Mapping[str, Any], clean: Callable[[str], str]) -> Plate:
    labels = [clean(label) for label in figure["labels"]]
    size = len(labels)
    words = f"accuracy {number(figure['accuracy'])}, {number(figure['total'])} in all; across: predicted, down: true"
    if figure.get("note"):
        words += f"; {figure['note']}"
    if size > MAX_CELLS:
        return Plate(name, f"{words}; a matrix of {size} classes is not drawn here", (), "")
    names = [label if len(label) <= _LONGEST_NAME else label[: _LONGEST_NAME - 1] + "…" for label in labels]
    high = _NAMES + size * _CELL
    wide = high + _NAMES // 2  # the last name leans over the edge
    parts = [
        f'<svg class="rw-svg" role="img" viewBox="0 0 {wide} {high}" width="{wide}" font-family="inherit" ',
        f'font-size="11" aria-label="{escape(name)}: confusion matrix of {size} classes, rows are true classes">',
    ]
    for i, row in enumerate(figure["matrix"]):
        y = _NAMES + i * _CELL
        total = figure["row_totals"][i]
        parts.append(
            f'<text fill="currentColor" x="{_NAMES - 6}" y="{y + 26}" text-anchor="end">{escape(names[i])}</text>'
            f'<text fill="currentColor" transform="translate({y + 26} {_NAMES - 6}) rotate(-45)">'
            f"{escape(names[i])}</text>"
        )
        for j, value in enumerate(row):
            share = max(0.0, min(1.0, value / total)) if value is not None and total > 0 else 0.0
            parts.append(
                f'<path fill="var(--rw-series-0, #3b76d6)" fill-opacity="{0.06 + 0.5 * share:.2f}" '
                f'd="M{_NAMES + j * _CELL} {y}h{_CELL - 2}v{_CELL - 2}h-{_CELL - 2}z"/>'
                f'<text fill="currentColor" x="{_NAMES + j * _CELL + _CELL / 2 - 1:.0f}" y="{y + 26}" '
                f'text-anchor="middle">{escape(number(value))}</text>'
            )
    parts.append("</svg>")
    return Plate(name, words, (), "".join(parts))
