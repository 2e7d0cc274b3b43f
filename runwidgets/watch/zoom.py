"""Looking closer at a chart: which ranges of x are chosen, and the rows that lie in one, read from the store."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from runwidgets.store.summaries import parts_of
from runwidgets.store.thinning import Thinned, worth_keeping
from runwidgets.watch.lines import drawn_columns, x_of

if TYPE_CHECKING:
    from runwidgets.records import MetricDelta
    from runwidgets.store.recorder import Recorder
    from runwidgets.store.summaries import Part
    from runwidgets.watch.view import MetricView

Range = tuple[float, float]

_BUCKETS: Final = 160
"""Into at most so many buckets, of each of which the least and the largest value are drawn, the rows of one of two
charts side by side are thinned; into twice as many those of a part that was chosen."""
_LEVELS: Final = 4
"""In so many steps at most a range is found among the rows: each sees its ends many times more closely."""
_MAX_KEPT: Final = 64
"""Of so many metrics is remembered what was read."""
_LEAD: Final = 4
"""A smoothed line begins so many times shorter a stretch before its range, so that it comes in as it was."""
_NARROWEST: Final = 1e-12
"""Of the numbers at its ends: a range is at least so wide, or there would be no numbers in it."""


def checked_range(low: object, high: object) -> Range | None:
    """Take a range as a browser sent it; None where it is none."""
    if not all(type(end) in {int, float} for end in (low, high)):
        return None
    try:
        low, high = sorted((float(low), float(high)))  # type: ignore[arg-type]
    except OverflowError:
        return None
    wide = high - low
    if not (math.isfinite(wide) and wide > max(abs(low), abs(high)) * _NARROWEST and wide > 0):
        return None
    return low, high


class Zooms:
    """The ranges that are chosen in one display: of each chart and each kind of x axis, or one for all charts."""

    def __init__(self) -> None:
        self._ranges: dict[tuple[str | None, str], Range] = {}

    def choose(self, name: str, x_axis: str, chosen: Range | None, *, linked: bool) -> None:
        """Choose the range of a metric's chart, of all charts if they are linked; None for the whole."""
        key = _key(name, x_axis, linked=linked)
        if chosen is None:
            self._ranges.pop(key, None)
        else:
            self._ranges.pop(key, None)  # the last chosen is the last in order
            self._ranges[key] = chosen

    def link(self) -> None:
        """Let what was chosen last, for each kind of axis, hold for all charts."""
        for (name, x_axis), chosen in list(self._ranges.items()):
            if name is not None and x_axis != "over":
                self._ranges[None, x_axis] = chosen

    def unlink(self) -> None:
        """Let each chart have its own range again."""
        self._ranges = {key: chosen for key, chosen in self._ranges.items() if key[0] is not None}

    def of(self, name: str, x_axis: str, *, linked: bool) -> Range | None:
        """Give the range of a chart; None for the whole."""
        return self._ranges.get(_key(name, x_axis, linked=linked))


def _key(name: str, x_axis: str, *, linked: bool) -> tuple[str | None, str]:
    return (None if linked and x_axis != "over" else name), x_axis  # what lies below a curve is nothing of the others'


@dataclass(frozen=True)
class _Kept:
    """What was read of one metric, and of which rows, thinned."""

    start: int
    stop: int
    width: int
    series: dict[str, Thinned]


class Closer:
    """Reads rows as finely as they can be seen, and remembers what it read last of each metric.

    A view knows of a long series enough for a small picture of it, since it knows that of all metrics of a run. What
    is drawn is read more finely: of a part, or of the whole.

    Parameters
    ----------
    recorder
        The workspace's.
    run_id
        The run.
    """

    def __init__(self, recorder: Recorder, run_id: str) -> None:
        self._recorder = recorder
        self._run_id = run_id
        self._kept: dict[tuple[str, int], _Kept] = {}
        self._mutex = threading.Lock()

    def metric(
        self,
        metric: MetricView,
        x_axis: str,
        started_at: float | None,
        chosen: Range | None,
        *,
        smooth: bool,
        is_wide: bool,
    ) -> MetricView:
        """Give the metric with the rows of a range, read finely, in place of all rows.

        Parameters
        ----------
        metric
            As it is known.
        x_axis
            What x is (see `runwidgets.watch.lines.x_axis_of`).
        started_at
            From when relative time counts.
        chosen
            The range of x; None for all of it.
        smooth
            Whether a smoothed line is to be drawn: its past matters.
        is_wide
            Whether the chart has the whole width of the display.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        start, stop = (0, metric.row_count) if chosen is None else rows_within(metric, x_axis, started_at, chosen)
        buckets = 2 * _BUCKETS if is_wide or chosen is not None else _BUCKETS
        found = metric
        for level in range(_LEVELS):
            lead = (stop - start) // _LEAD if smooth else 0
            rows = (max(0, start - lead), stop, _width(stop - start + lead, buckets))
            if start >= stop or rows[2] >= max((column.series.width for column in found.numeric), default=1):
                break
            with self._mutex:
                kept = self._read(metric, level, *rows)
            if kept is None:
                break
            columns = {
                name: column if column.is_text else replace(column, series=kept.series.get(name, Thinned()))
                for name, column in metric.columns.items()
            }
            found = replace(metric, columns=columns)
            if chosen is None:
                break
            # Where the range begins and ends among the rows is now known more closely.
            first, end = rows_within(found, x_axis, started_at, chosen)
            first, end = max(start, first), min(stop, end)
            if 2 * (end - first) > stop - start:
                break
            start, stop = first, end
        return found

    def _read(self, metric: MetricView, level: int, start: int, stop: int, width: int) -> _Kept | None:
        key = metric.name, level
        kept = self._kept.get(key)
        if kept is None or kept.start != start or width % kept.width or kept.stop > stop:
            kept = _Kept(start, start, width, {})
        if kept.stop < stop:  # rows never change: what was read is not read again
            found = self._recorder.store.window(self._run_id, metric.name, kept.stop, stop, width)
            if found is None:
                return None
            kept = _Kept(start, stop, width, _joined(kept.series, found, metric, width))
            self._kept[key] = kept
            while len(self._kept) > _MAX_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return kept


def rows_within(metric: MetricView, x_axis: str, started_at: float | None, chosen: Range) -> tuple[int, int]:
    """Give the first and the last row, plus one, of those in a range, with one before and one after it."""
    low, high = chosen
    starts, stops = [], []
    for column in drawn_columns(metric):
        x, index = x_of(column.series, x_axis, started_at), column.series.index
        there = np.isfinite(x)
        x, index = x[there], index[there]
        inside = np.flatnonzero((x >= low) & (x <= high))
        if not len(inside):  # between two rows that are known
            inside = np.flatnonzero((np.minimum(x[:-1], x[1:]) < low) & (np.maximum(x[:-1], x[1:]) > high))
        if len(inside):
            starts.append(int(index[max(0, inside[0] - 1)]))
            # Of the last bucket, which may be growing, all rows.
            after = inside[-1] + 1
            stops.append(int(index[after]) + 1 if after < len(index) else metric.row_count)
    return min(starts, default=0), max(stops, default=0)


def _width(rows: int, buckets: int) -> int:
    """Give how many rows a bucket has: one, two or three times a power of two, so that there are not many fewer."""
    if rows <= 2 * buckets:
        return 1
    width = 1
    while rows / width > buckets:
        width = width * 3 // 2 if width & (width - 1) == 0 and width > 1 else (width * 4 // 3 if width > 1 else 2)
    return width


def _joined(series: dict[str, Thinned], found: MetricDelta, metric: MetricView, width: int) -> dict[str, Thinned]:
    """Give series with more rows at their ends, all in buckets of one width."""
    over = next((name for name, column in metric.columns.items() if not column.is_text), None)
    by_column: dict[str, list[Thinned | Part]] = {name: [before] for name, before in series.items()}
    for rows in found.parts:
        for name, part in parts_of(rows, over):
            by_column.setdefault(name, []).append(part)
    return {name: _thinned(parts, width) for name, parts in by_column.items()}


def _thinned(parts: list[Thinned | Part], width: int) -> Thinned:
    index = np.concatenate([part.index for part in parts])
    y = np.concatenate([part.y for part in parts])
    beside = np.concatenate([part.beside for part in parts], axis=1)
    if width > 1 and len(index):
        keep = worth_keeping(index // width, y)
        index, y, beside = index[keep], y[keep], beside[:, keep]
    return Thinned(index, y, beside, width)
