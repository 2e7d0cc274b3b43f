"""The charts of a run as arrays: which there are, and what each draws under the viewer's controls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from runwidgets.records import MetricKind
from runwidgets.store.summaries import BESIDE
from runwidgets.store.thinning import extremes
from runwidgets.watch.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from runwidgets.store.thinning import Thinned
    from runwidgets.values import Value
    from runwidgets.watch.view import ColumnView, MetricView, RunView
    from runwidgets.watch.wire import MetricsControls

MAX_LINES: Final = 12
_MARK_PLACES: Final = 160
"""Along the width of a chart, which is less than twice as many marks wide: more would be a bar."""
_LEAST: Final = 5e-324
_FINEST: Final = 1e-300
_LARGEST: Final = 8e307
"""Values farther from zero are drawn here: the width of an axis has to be a finite number too."""
_SPANS: Final = ((3 * 86400.0, 86400.0, "days"), (3 * 3600.0, 3600.0, "hours"), (180.0, 60.0, "minutes"))
"""From which length on relative time counts in what."""
_Series = tuple["NDArray[Any]", "NDArray[Any]", "NDArray[Any]", "NDArray[np.bool_]"]
"""x, y, how many rows (in units of `_unit`) lie between each row and the one before, and which rows a line goes by."""
_SMOOTHED: Final = 512
"""From one end to the other a smoothed line counts at most so many values; longer series several as one."""
_STEP, _TIME, _OVER = (BESIDE.index(name) for name in ("step", "time", "over"))


@dataclass(frozen=True)
class Line:
    """One line of a chart: ``x`` and ``y`` of shape ``(n,)``, gaps are NaN; ``smooth`` is ``y`` smoothed, or None."""

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    smooth: NDArray[np.float64] | None


@dataclass(frozen=True)
class Marks:
    """Where on the x axis values are not finite, each of shape ``(n,)``; of neighbours that would overlap, one."""

    nan: NDArray[np.float64]
    above: NDArray[np.float64]
    below: NDArray[np.float64]

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        return iter((self.nan, self.above, self.below))


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes
    ----------
    x_label
        What ``x`` is.
    x_is_date
        Whether ``x`` counts UTC epoch seconds.
    x_is_whole
        Whether each ``x`` is a whole number that counts something.
    x_range, y_range
        What the axes show, with room around the lines; never empty.
    is_log
        Whether the y axis is logarithmic.
    last_digits
        How many digits of the last value tell it from its neighbours on the y axis.
    x_axis
        What ``x`` is, whatever it is called and in which unit it is drawn: ``over`` for the first column of a table.
    x_unit
        How many seconds, where ``x`` counts time, are 1; else 1.
    is_zoomed
        Whether ``x_range`` is a part that was chosen.
    """

    title: str
    subtitle: str | None
    last: Value
    last_digits: int
    lines: tuple[Line, ...]
    x_label: str
    x_is_date: bool
    x_is_whole: bool
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    is_log: bool
    marks: Marks
    notes: tuple[str, ...]
    x_axis: str = "index"
    x_unit: float = 1.0
    is_zoomed: bool = False


def charted(view: RunView, matching: str = "") -> list[str]:
    """List the metrics that have a chart, by name, those of which a label passes the filter (see `matches`).

    Those that were sampled of the script's processes have theirs elsewhere: `runwidgets.watch.gauges`.
    """
    logged = ((name, metric) for name, metric in view.metrics.items() if not metric.is_system)
    return sorted(
        (name for name, metric in logged if has_chart(metric) and _any_matches(metric, matching)), key=str.casefold
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


def has_chart(metric: MetricView) -> bool:
    """Tell whether a metric is drawn. One value that was logged with no step is not: the table says it better."""
    if metric.kind is MetricKind.IMAGE:
        return False
    return any(column.count > 1 or column.has_steps for column in metric.numeric)


def draw(
    metric: MetricView, controls: MetricsControls, started_at: float | None, within: tuple[float, float] | None = None
) -> Chart:
    """Draw one metric.

    Parameters
    ----------
    metric
        One of `charted`.
    controls
        The viewer's.
    started_at
        From when relative time counts, epoch seconds.
    within
        The range of x to draw, where time counts seconds; None for all.
    """
    columns, x_axis = metric.numeric, x_axis_of(metric, controls["x_axis"])
    notes: list[str] = []
    subtitle = None
    x_label = x_axis
    if x_axis == "over":
        subtitle, x_label = f"{columns[1].name} over {columns[0].name}", columns[0].name
        notes += _incomplete(metric, columns)
    elif metric.kind is MetricKind.TABLE and len(columns) == 1:
        subtitle = columns[0].name
    if len(columns) > MAX_LINES:
        notes.append(f"⚠ first {MAX_LINES} of {len(columns)} columns")
    columns = drawn_columns(metric)
    series = [_ordered(c.series, x_axis, started_at) for c in columns]
    unit = 1.0
    if x_axis == "relative":
        series, unit, x_label = _in_fitting_units(series)
    window = None if within is None else (within[0] / unit, within[1] / unit)
    is_log = controls["y_scale"] == "log"
    if is_log and not any(((y > 0) & np.isfinite(y)).any() for _, y, *_ in series):
        is_log = False
        notes.append("⚠ no values > 0: linear axis")
    if any((np.isfinite(y) & (abs(y) > _LARGEST)).any() for _, y, *_ in series):
        series = [(x, np.where(np.isfinite(y), np.clip(y, -_LARGEST, _LARGEST), y), *rest) for x, y, *rest in series]  # type: ignore[misc]
        notes.append(f"⚠ drawn up to ±{_LARGEST:.0e}".replace("e+", "e"))
    hidden = is_log and any((np.isfinite(y) & np.isfinite(x) & (y <= 0)).any() for x, y, *_ in series)
    lines = [
        _line(column.name, rows, controls["smoothing"], is_log=is_log, window=None if x_axis == "over" else window)
        for column, rows in zip(columns, series, strict=True)
    ]
    if hidden:
        notes.append("⚠ values ≤ 0 are not shown")
    x_is_date = x_axis == "time"
    x_range = window or _range((line.x for line in lines), is_log=False, room=0.008, is_date=x_is_date)
    y_range = _range(_seen(lines, window), is_log=is_log, room=0.05)
    last = columns[0].last if len(columns) == 1 else None
    return Chart(
        title=metric.name,
        subtitle=subtitle,
        last=last,
        last_digits=_digits(last, y_range),
        lines=tuple(lines),
        x_label=x_label,
        x_is_date=x_is_date,
        x_is_whole=x_axis in {"step", "index"} and all((x == np.rint(x)).all() for x, *_ in series),
        x_range=x_range,
        y_range=y_range,
        is_log=is_log,
        marks=_marks(series, x_range),
        notes=(*notes, *_marks_notes(columns)),
        x_axis=x_axis,
        x_unit=unit,
        is_zoomed=window is not None,
    )


def x_axis_of(metric: MetricView, x_axis: str) -> str:
    """Give what x is in the chart of a metric: ``over`` where that is a column of its own.

    Where nothing has a step, an axis of steps counts rows.
    """
    columns = metric.numeric
    if metric.kind is MetricKind.TABLE and len(columns) == 2:  # noqa: PLR2004 (x and y)
        return "over"
    return "index" if x_axis == "step" and not any(column.has_steps for column in columns) else x_axis


def drawn_columns(metric: MetricView) -> list[ColumnView]:
    """Give the columns that are lines of the chart of a metric."""
    columns = metric.numeric
    return columns[1:] if x_axis_of(metric, "index") == "over" else columns[:MAX_LINES]


def _line(label: str, rows: _Series, smoothing: float, *, is_log: bool, window: tuple[float, float] | None) -> Line:
    """Give one line, of a range of rising x if one is given."""
    x, y, gaps, drawn = rows
    x = np.where(np.isfinite(x), x, np.nan)
    y = np.where(np.isfinite(x) & np.isfinite(y) & ((y > 0) | (not is_log)), y, np.nan)
    smooth = _smoothed(y, gaps, smoothing) if smoothing > 0 else None
    if window is not None:
        drawn &= _within(x, window)
    return Line(label, x[drawn], y[drawn], None if smooth is None else smooth[drawn])


def _within(x: NDArray[np.float64], window: tuple[float, float]) -> NDArray[np.bool_]:
    """Tell which of rising numbers are within a range, or next to it, shape ``(n,)``."""
    inside = np.zeros(len(x), dtype=np.bool_)
    first, last = np.searchsorted(x, window[0], "left") - 1, np.searchsorted(x, window[1], "right")
    inside[max(0, int(first)) : int(last) + 1] = True
    return inside


def _seen(lines: list[Line], window: tuple[float, float] | None) -> list[NDArray[np.float64]]:
    """Give the values that are within a range of x; where none is, those on both sides of it."""
    if window is None:
        return [line.y for line in lines]
    seen = [line.y[(line.x >= window[0]) & (line.x <= window[1])] for line in lines]
    return seen if any(np.isfinite(y).any() for y in seen) else [line.y for line in lines]


def _in_fitting_units(series: list[_Series]) -> tuple[list[_Series], float, str]:
    """Turn seconds since the start into minutes, hours or days where they are many."""
    longest = max((float(x[np.isfinite(x)].max(initial=0.0)) for x, *_ in series), default=0.0)
    unit, name = next(((unit, name) for least, unit, name in _SPANS if longest >= least), (1.0, "seconds"))
    return [(x / unit, y, gaps, drawn) for x, y, gaps, drawn in series], unit, f"{name} since the start"


def _incomplete(metric: MetricView, columns: list[ColumnView]) -> list[str]:
    """Say how many rows cannot be drawn because one of two values is missing."""
    x, y = columns
    if y.series.width == 1:
        missing = metric.row_count - int(np.isfinite(y.series.beside[_OVER]).sum())
    else:
        missing = metric.row_count - min(x.count, y.count)
    if missing <= 0:
        return []
    return [f"⚠ {number(missing)} row{'s' * (missing > 1)} without both values"]


def _digits(last: Value, y_range: tuple[float, float]) -> int:
    if isinstance(last, bool) or not isinstance(last, (int, float)) or not 0 < abs(last) < _LARGEST:
        return 0
    power = math.log10(abs(last)) - math.log10((y_range[1] - y_range[0]) / 1000)
    return max(0, min(17, math.ceil(power)))


def _marks(series: list[_Series], x_range: tuple[float, float]) -> Marks:
    low, high = x_range
    found = []
    for what in (np.isnan, np.isposinf, np.isneginf):
        x = np.sort(np.concatenate([x[what(y) & (x >= low) & (x <= high)] for x, y, *_ in series]))
        places = np.rint((x - low) / (high - low) * _MARK_PLACES)
        found.append(x[np.unique(places, return_index=True)[1]])
    return Marks(*found)


def x_of(series: Thinned, x_axis: str, started_at: float | None) -> NDArray[np.float64]:
    """Give the x of each row of a series, in the order of rows, shape ``(n,)``; of time in seconds."""
    index: NDArray[np.float64] = series.index.astype(np.float64)
    if not len(index) or x_axis == "index":
        return index
    beside: dict[str, NDArray[np.float64]] = dict(zip(BESIDE, series.beside, strict=True))
    if x_axis in {"over", "time"}:
        return beside[x_axis]
    if x_axis == "relative":
        return beside["time"] - (started_at if started_at is not None else beside["time"][0])
    return np.where(np.isfinite(beside["step"]), beside["step"], index)


def _ordered(series: Thinned, x_axis: str, started_at: float | None) -> _Series:
    """Give the rows of a series in the order of x, but for a curve, which may come back."""
    x, y = x_of(series, x_axis, started_at), series.y
    gaps = np.diff(series.index, prepend=series.index[:1] - 1) / _unit(series)
    drawn = np.ones(len(y), dtype=np.bool_)
    if series.width > 1 and x_axis != "over":  # between its extremes a bucket is narrower than anybody sees
        drawn = extremes(series.index // series.width, y)
        drawn[[0, -1]] = True
    if x_axis != "over" and (np.diff(x) < 0).any():  # several processes, or training resumed from a checkpoint
        order = np.argsort(x, kind="stable")
        return x[order], y[order], gaps, drawn[order]
    return x, y, gaps, drawn


def _unit(series: Thinned) -> int:
    """Give how many rows a smoothed line takes for one: its character does not depend on how finely it is drawn."""
    rows = int(series.index[-1] - series.index[0]) + 1 if len(series) else 1
    return 1 if rows <= _SMOOTHED else 2 ** math.ceil(math.log2(rows / _SMOOTHED))


def _smoothed(y: NDArray[np.float64], gaps: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Smooth by an exponential moving average, debiased: each mean is divided by the weight it has gathered so far.

    Rows that thinning left out count by their number (``gaps``). NaN stay gaps and do not enter the mean.
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
    """Give what an axis shows: all values, and room around them.

    The ends lie on a grid that is as fine as the room is wide, so that they stay where they are while little is added.
    """
    values = np.concatenate([part[np.isfinite(part)] for part in parts])
    if not len(values):
        return (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if is_log:
        if high == low:
            return max(low / 2, _LEAST), min(high * 2, _LARGEST)
        low, high = _on_grid(math.log10(low), math.log10(high), room)
        return max(10**low, _LEAST), min(10 ** min(high, 308.0), _LARGEST)
    if high == low:
        flat = 30.0 if is_date else abs(low) * 0.1 or 0.5
        return max(low - flat, -_LARGEST), min(high + flat, _LARGEST)
    low, high = _on_grid(low, high, room)
    return (max(low, -_LARGEST), min(high, _LARGEST))


def _on_grid(low: float, high: float, room: float) -> tuple[float, float]:
    margin = (high - low) * room
    if margin < max(abs(low), abs(high)) * 1e-12 or margin < _FINEST:  # finer than numbers of this size are
        return low - margin, high + margin
    step = 2.0 ** math.floor(math.log2(margin))
    return math.floor(low / step - 0.5) * step, math.ceil(high / step + 0.5) * step


def _marks_notes(columns: list[ColumnView]) -> list[str]:
    """Say what each kind of mark stands for, and for how many values."""
    notes = []
    if nans := sum(c.nan_count for c in columns):
        notes.append(f"◆ {number(nans)} NaN")
    infinite = sum(c.inf_count for c in columns)
    above = sum(int(np.isposinf(c.series.y).sum()) for c in columns)
    below = sum(int(np.isneginf(c.series.y).sum()) for c in columns)
    if above and below and above + below != infinite:  # thinned: how many there are of each is not known
        return [*notes, f"▲▼ {number(infinite)} ±Inf"]
    if above:
        notes.append(f"▲ {number(infinite - below)} +Inf")
    if below:
        notes.append(f"▼ {number(infinite - above)} \N{MINUS SIGN}Inf")
    return notes
