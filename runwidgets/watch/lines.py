"""The charts of a run as arrays: which there are, and what each draws under the viewer's controls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from runwidgets.records import MetricKind
from runwidgets.store.summaries import BESIDE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from runwidgets.store.thinning import Thinned
    from runwidgets.values import Value
    from runwidgets.watch.view import ColumnView, MetricView, RunView
    from runwidgets.watch.wire import MetricsControls

MAX_LINES: Final = 12
_MAX_MARKS: Final = 64
_LARGEST: Final = 8e307
"""Values farther from zero are drawn here: the width of an axis has to be a finite number too."""
_STEP, _TIME, _OVER = (BESIDE.index(name) for name in ("step", "time", "over"))


@dataclass(frozen=True)
class Line:
    """One line of a chart: ``x`` and ``y`` of shape ``(n,)``, gaps are NaN; ``smooth`` is ``y`` smoothed, or None."""

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    smooth: NDArray[np.float64] | None


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes
    ----------
    x_is_date
        Whether ``x`` counts UTC epoch seconds.
    x_range, y_range
        What the axes show, with room around the lines; never empty.
    is_log
        Whether the y axis is logarithmic.
    marks
        Where on the x axis a value is NaN or infinite.
    """

    title: str
    subtitle: str | None
    last: Value
    lines: tuple[Line, ...]
    x_is_date: bool
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    is_log: bool
    marks: NDArray[np.float64]
    notes: tuple[str, ...]


def charted(view: RunView, matching: str = "") -> list[str]:
    """List the metrics that have a chart, by name, those of which a label passes the filter (see `matches`)."""
    return sorted(
        (name for name, metric in view.metrics.items() if _has_chart(metric) and _any_matches(metric, matching)),
        key=str.casefold,
    )


def matches(label: str, matching: str) -> bool:
    """Tell whether the label of a column contains the filter, case and outer blanks ignored; the browser does alike."""
    return matching.strip().casefold() in label.casefold()


def label_of(metric: MetricView, column: ColumnView) -> str:
    """Give the label of a column: the metric's name, and in a table ``name · column``."""
    if not column.name and metric.kind is not MetricKind.TABLE:
        return metric.name
    return f"{metric.name} · {column.name or metric.name}"


def _any_matches(metric: MetricView, matching: str) -> bool:
    return any(matches(label_of(metric, column), matching) for column in metric.columns.values())


def _has_chart(metric: MetricView) -> bool:
    """Tell whether a metric is drawn. One value that was logged with no step is not: the table says it better."""
    if metric.kind is MetricKind.IMAGE:
        return False
    return any(column.count > 1 or column.has_steps for column in metric.numeric)


def draw(metric: MetricView, controls: MetricsControls, started_at: float | None) -> Chart:
    """Draw one metric.

    Parameters
    ----------
    metric
        One of `charted`.
    controls
        The viewer's.
    started_at
        From when relative time counts, epoch seconds.
    """
    columns = metric.numeric
    notes: list[str] = []
    subtitle = None
    is_curve = metric.kind is MetricKind.TABLE and len(columns) == 2  # noqa: PLR2004 (x and y)
    if is_curve:
        subtitle = f"{columns[1].name} over {columns[0].name}"
        columns = columns[1:]
    elif len(columns) > MAX_LINES:
        notes.append(f"first {MAX_LINES} of {len(columns)} columns")
        columns = columns[:MAX_LINES]
    x_is_date = controls["x_axis"] == "time" and not is_curve
    series = [_ordered(c.series, "over" if is_curve else controls["x_axis"], started_at) for c in columns]
    is_log = controls["y_scale"] == "log"
    if is_log and not any((y > 0).any() for _, y, _ in series):
        is_log = False
        notes.append("no values > 0: linear axis")
    if any((np.isfinite(y) & (abs(y) > _LARGEST)).any() for _, y, _ in series):
        series = [(x, np.where(np.isfinite(y), np.clip(y, -_LARGEST, _LARGEST), y), gaps) for x, y, gaps in series]
        notes.append(f"drawn up to ±{_LARGEST:.0e}")
    lines, marks = [], []
    hidden = False
    for column, (x, y, weights) in zip(columns, series, strict=True):
        marks.append(x[~np.isfinite(y) & np.isfinite(x)])
        drawable = np.isfinite(y) & np.isfinite(x)
        if is_log:
            hidden |= bool((drawable & (y <= 0)).any())
            drawable &= y > 0
        shown = np.where(drawable, y, np.nan)
        smooth = _smoothed(shown, weights, controls["smoothing"]) if controls["smoothing"] > 0 else None
        lines.append(Line(column.name, np.where(np.isfinite(x), x, np.nan), shown, smooth))
    if hidden:
        notes.append("values ≤ 0 are not shown")
    notes += _marks_notes(columns)
    return Chart(
        title=metric.name,
        subtitle=subtitle,
        last=columns[0].last if len(columns) == 1 else None,
        lines=tuple(lines),
        x_is_date=x_is_date,
        x_range=_range((line.x for line in lines), is_log=False, room=0.008, is_date=x_is_date),
        y_range=_range((line.y for line in lines), is_log=is_log, room=0.05),
        is_log=is_log,
        marks=np.unique(np.concatenate(marks))[:_MAX_MARKS],
        notes=tuple(notes),
    )


def _ordered(
    series: Thinned, x_axis: str, started_at: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Give x, y, and how many rows (in units of a bucket) lie between each row and the one before."""
    index = series.index.astype(np.float64)
    y = series.y
    gaps = np.diff(index, prepend=index[:1] - series.width) / series.width
    beside = series.beside
    if x_axis == "over":
        return beside[_OVER], y, gaps
    if x_axis == "time":
        return beside[_TIME], y, gaps
    if x_axis == "relative":
        start = started_at if started_at is not None else (beside[_TIME][0] if len(y) else 0.0)
        return beside[_TIME] - start, y, gaps
    if x_axis == "index":
        return index, y, gaps
    x = np.where(np.isfinite(beside[_STEP]), beside[_STEP], index)
    if (np.diff(x) < 0).any():  # several processes, or training resumed from a checkpoint
        order = np.argsort(x, kind="stable")
        return x[order], y[order], gaps
    return x, y, gaps


def _smoothed(y: NDArray[np.float64], gaps: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Smooth by an exponential moving average, debiased: each mean is divided by the weight it has gathered so far.

    Rows that thinning left out count by their number (``gaps``), so that a line does not change its character when its
    buckets widen. NaN stay gaps and do not enter the mean.
    """
    smooth = np.full(len(y), np.nan)
    mean = gathered = 0.0
    decays = np.power(weight, gaps).tolist()
    for i, (value, decay) in enumerate(zip(y.tolist(), decays, strict=True)):
        if math.isnan(value):
            continue
        mean = decay * mean + (1 - decay) * value
        gathered = decay * gathered + (1 - decay)
        smooth[i] = mean / gathered
    return smooth


def _range(
    parts: Iterable[NDArray[np.float64]], *, is_log: bool, room: float, is_date: bool = False
) -> tuple[float, float]:
    values = np.concatenate([part[np.isfinite(part)] for part in parts])
    if not len(values):
        return (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if is_log:
        margin = 10 ** ((math.log10(high) - math.log10(low)) * room) if high > low else 2.0
        return (max(low / margin, 5e-324), min(high * margin, _LARGEST))
    flat = 30.0 if is_date else abs(low) * 0.1 or 0.5
    margin = flat if high == low else (high - low) * room
    low, high = low - margin, high + margin
    return (max(low, -_LARGEST), min(high, _LARGEST))


def _marks_notes(columns: list[ColumnView]) -> list[str]:
    counts = ((sum(c.nan_count for c in columns), "NaN"), (sum(c.inf_count for c in columns), "Inf"))
    return [f"{count:,} {word}".replace(",", "\u202f") for count, word in counts if count]
