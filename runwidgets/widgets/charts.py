"""Line charts: `runwidgets.watch.lines.Chart` drawn by bqplot. The only module that knows bqplot."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import bqplot as bq
import ipywidgets
import numpy as np

from runwidgets.watch.ticks import browser_key, date_ticks, log_tick_texts, log_ticks, tick_texts, ticks
from runwidgets.watch.wire import PALETTE

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from runwidgets.watch.lines import Chart

_MARGIN: Final = {"top": 8, "bottom": 36, "left": 54, "right": 16}
_MARKER_LIMIT: Final = 30
"""Up to so many points each is drawn as a dot as well, so that a single one can be seen."""
_DOT_SIZE: Final = 24
_MARK_SIZE: Final = 30
_DIGIT_WIDTH: Final = 6.4
"""Of the widest of common fonts at the size of the ticks, pixels."""
_BESIDE_TICKS: Final = 16
"""Between the text of a tick and the plot, and to its left: pixels."""
_X_TICKS, _Y_TICKS = 5, 3
_RAW_WIDTH: Final = 1.6
_RAW_OPACITY: Final = 0.28
_MARKERS: Final = ("diamond", "triangle-up", "triangle-down")
"""What stands for NaN on the x axis, for +Inf at the top, for -Inf at the bottom: `Marks`, in this order."""
_WARN: Final = "var(--rw-warn, #a86400)"
_X_LABEL_OFFSET: Final = "27px"
_TITLE_HEIGHT: Final = 36
_SHORT_FROM, _SHORT_TO, _SHORT_SPAN = 1e-30, 1e30, 1e-3
"""Sizes of numbers that are sent as float32, and which part of that their differences make up at least."""


class ChartFigure:
    """One bqplot figure that is given new content in place.

    Parameters
    ----------
    shared
        Idle scales that all figures of a display use together, so that a figure is few models.
    layout
        Its size.
    titled
        Whether the figure itself says what it shows: its title, and of several lines which is which.

    Attributes
    ----------
    figure
        The figure.
    shown
        What it shows; None before the first chart.
    drawn_x
        The range of x as it is drawn: of times milliseconds, by the clock of who looks at it.
    """

    def __init__(self, shared: SharedParts, layout: ipywidgets.Layout, *, titled: bool = False) -> None:
        self.shown: Chart | None = None
        self.drawn_x = (0.0, 1.0)
        self._titled = titled
        self._offset: float | None = None  # in seconds, of an axis of times
        self._x_scales: dict[bool, bq.Scale] = {}
        self._y_scales: dict[bool, bq.Scale] = {}
        self._axes: dict[tuple[str, bool], bq.Axis] = {}
        self._kind = (False, False)
        self._idle_marks: dict[tuple[bool, bool], tuple[Any, ...]] = {}
        self._raw = self._lines(stroke_width=_RAW_WIDTH)
        self._smooth: bq.Lines | None = None
        self._marks: dict[str, bq.Scatter] = {}
        self._dots: bq.Scatter | None = None
        self._margin = {**_MARGIN, "top": _TITLE_HEIGHT} if titled else dict(_MARGIN)
        self.figure = bq.Figure(
            marks=[self._raw],
            axes=self._axis_pair(is_date=False, is_log=False),
            scale_x=shared.idle_x,
            scale_y=shared.idle_y,
            fig_margin=self._margin,
            padding_y=0,
            display_toolbar=False,
            background_style={"fill": "none"},
            layout=layout,
        )

    def _lines(self, **style: Any) -> bq.Lines:
        is_date, is_log = self._kind
        scales = {"x": self._x_scale(is_date=is_date), "y": self._y_scale(is_log=is_log)}
        return bq.Lines(x=np.zeros(0), y=np.zeros(0), scales=scales, marker_size=_DOT_SIZE, **style)

    def _take_marks(self, *, is_date: bool, is_log: bool) -> None:
        """Go over to the marks of other scales.

        A mark keeps its scales: given others along with its data, bqplot draws the new values on the old scales for a
        moment, and a logarithm of zero has no place.
        """
        kind = (is_date, is_log)
        if kind == self._kind:
            return
        self._idle_marks[self._kind] = (self._raw, self._smooth, self._marks, self._dots)
        self._kind = kind
        found = self._idle_marks.pop(kind, None)
        self._raw, self._smooth, self._marks, self._dots = found or (
            self._lines(stroke_width=_RAW_WIDTH), None, {}, None,
        )  # fmt: skip

    # A scale is made with some range: the page may draw with it before it hears of the right one.

    def _x_scale(self, *, is_date: bool) -> bq.Scale:
        if is_date not in self._x_scales:
            self._x_scales[is_date] = _date_scale() if is_date else bq.LinearScale(min=0, max=1, allow_padding=False)
        return self._x_scales[is_date]

    def _y_scale(self, *, is_log: bool) -> bq.Scale:
        if is_log not in self._y_scales:
            self._y_scales[is_log] = (bq.LogScale if is_log else bq.LinearScale)(min=1, max=10, allow_padding=False)
        return self._y_scales[is_log]

    def _axis_pair(self, *, is_date: bool, is_log: bool) -> list[bq.Axis]:
        if ("x", is_date) not in self._axes:
            scale = self._x_scale(is_date=is_date)
            self._axes["x", is_date] = bq.Axis(
                scale=scale, grid_lines="none", num_ticks=_X_TICKS, label_offset=_X_LABEL_OFFSET
            )
        if ("y", is_log) not in self._axes:
            scale = self._y_scale(is_log=is_log)
            self._axes["y", is_log] = bq.Axis(scale=scale, side="left")
        return [self._axes["x", is_date], self._axes["y", is_log]]

    def show(self, chart: Chart, zone: tzinfo | None = None) -> bool:
        """Draw a chart in place of the one before; what did not change is not sent.

        Parameters
        ----------
        chart
            What to draw.
        zone
            Of the clock on the wall of who looks at it; by default this process's.

        Returns
        -------
        bool
            Whether anything changed.
        """
        offset = _offset(chart.x_range[1], zone) if chart.x_is_date else None
        if self.shown is not None and offset == self._offset and _same(self.shown, chart):
            return False
        self.shown, self._offset = chart, offset
        if self._titled and self.figure.title != chart.title:
            self.figure.title = chart.title
        self._show_axes(chart)
        self._take_marks(is_date=chart.x_is_date, is_log=chart.is_log)
        drawn = [i for i, line in enumerate(chart.lines) if np.isfinite(line.y).any()]
        lines = [chart.lines[i] for i in drawn]
        colors = [PALETTE[i % len(PALETTE)] for i in drawn] or [PALETTE[0]]
        x, y = _stacked([(line.x, line.y) for line in lines], offset)
        is_smooth = bool(lines) and lines[0].smooth is not None
        few = y.shape[-1] <= _MARKER_LIMIT and not is_smooth
        whole = bool(np.isfinite(y).all())
        self._send(self._raw, x, y, colors, dots=few and whole)
        self._show_lone_dots(x, y, needed=few and not whole and y.ndim == 1)
        if self._titled:
            self._name_lines(chart, drawn)
        self._raw.opacities = [_RAW_OPACITY if is_smooth else 1.0] * len(colors)
        if is_smooth and self._smooth is None:
            self._smooth = self._lines(stroke_width=1.8)
        if self._smooth is not None:
            smooth = [(line.x, line.smooth) for line in lines if line.smooth is not None]
            self._send(self._smooth, *_stacked(smooth, offset), colors)
        self._show_marks(chart)
        parts = (self._raw, self._dots, self._smooth, *self._marks.values())
        marks = [mark for mark in parts if mark is not None]
        if self.figure.marks != marks:
            self.figure.marks = marks
        return True

    def _show_axes(self, chart: Chart) -> None:
        low, high = chart.x_range
        x_scale, y_scale = self._x_scale(is_date=chart.x_is_date), self._y_scale(is_log=chart.is_log)
        with x_scale.hold_sync(), y_scale.hold_sync():
            if self._offset is not None:
                x_scale.min, x_scale.max = (at.item() for at in _dates(np.array([low, high]), self._offset))
                self.drawn_x = ((low + self._offset) * 1000, (high + self._offset) * 1000)
            else:
                x_scale.min, x_scale.max = self.drawn_x = (low, high)
            y_scale.min, y_scale.max = chart.y_range
        axes = self._axis_pair(is_date=chart.x_is_date, is_log=chart.is_log)
        if any(np.isfinite(line.y).any() for line in chart.lines):
            y_ticks = (log_ticks if chart.is_log else ticks)(*chart.y_range, _Y_TICKS)
            texts = (log_tick_texts if chart.is_log else tick_texts)(y_ticks)
        else:  # no number has a place on it; without any tick bqplot would choose some
            y_ticks, texts = [chart.y_range[0]], [""]
        _set_ticks(axes[1], y_ticks, texts)
        width = math.ceil(_DIGIT_WIDTH * max(map(len, texts), default=0)) + _BESIDE_TICKS
        margin = {**self._margin, "left": max(_MARGIN["left"], width)}
        if self.figure.fig_margin != margin:
            self.figure.fig_margin = margin
        if axes[0].label != chart.x_label:
            axes[0].label = chart.x_label
        if self._offset is not None:
            times, form = date_ticks(low + self._offset, high + self._offset, _X_TICKS - 1)
            _set_date_ticks(axes[0], (np.array(times) * 1000).astype("datetime64[ms]"), form)
        else:
            x_ticks = ticks(low, high, _X_TICKS, whole=chart.x_is_whole)
            _set_ticks(axes[0], x_ticks, tick_texts(x_ticks))
        if self.figure.axes != axes:
            self.figure.axes = axes

    def _name_lines(self, chart: Chart, drawn: list[int]) -> None:
        labels = [chart.lines[i].label or chart.title for i in drawn]
        if self._raw.labels != labels:
            self._raw.labels = labels
        self._raw.display_legend = len(labels) > 1

    @staticmethod
    def _send(
        mark: bq.Lines, x: NDArray[Any], y: NDArray[np.float64], colors: list[str], *, dots: bool = False
    ) -> None:
        if y.ndim > 1 and (x == x[0]).all():  # bqplot takes one x for all
            x = x[0]
        with mark.hold_sync():
            mark.x, mark.y, mark.colors = _short(x), _short(y), colors
            if not dots:
                mark.marker = None
        if dots:  # not before: bqplot would first place dots for the values before, some of which may be missing
            mark.marker = "circle"

    def _show_lone_dots(self, x: NDArray[Any], y: NDArray[np.float64], *, needed: bool) -> None:
        """Draw dots of their own where values are missing: bqplot's line would try to place a dot for those too."""
        if self._dots is None:
            if not needed:
                return
            self._dots = bq.Scatter(
                x=np.zeros(0), y=np.zeros(0), scales=self._raw.scales, colors=[PALETTE[0]], default_size=_DOT_SIZE
            )
        there = np.isfinite(y) if needed else np.zeros(len(x), dtype=bool)
        with self._dots.hold_sync():
            self._dots.x, self._dots.y = x[there], y[there]

    def _show_marks(self, chart: Chart) -> None:
        low, high = chart.y_range
        for marker, x, y in zip(_MARKERS, chart.marks, (low, high, low), strict=True):
            if marker not in self._marks:
                if not len(x):
                    continue
                self._marks[marker] = bq.Scatter(
                    x=np.zeros(0), y=np.zeros(0), scales=self._raw.scales, colors=[_WARN], marker=marker,
                    default_size=_MARK_SIZE, apply_clip=False,
                )  # fmt: skip
            with self._marks[marker].hold_sync():
                self._marks[marker].x = _placed(x, self._offset)
                self._marks[marker].y = np.full(len(x), y)

    def close(self) -> None:
        """Close every model of this figure."""
        models = [*self._axes.values(), *self._x_scales.values(), *self._y_scales.values(), self.figure]
        for raw, smooth, marks, dots in (
            *self._idle_marks.values(),
            (self._raw, self._smooth, self._marks, self._dots),
        ):
            models += [mark for mark in (raw, smooth, *marks.values(), dots) if mark is not None]
        for model in models:
            model.close()


class SharedParts:
    """What all figures of one display share."""

    def __init__(self) -> None:
        self.figure_layout = ipywidgets.Layout(width="auto", height="200px", min_width="0")
        self.idle_x = bq.LinearScale(min=0, max=1, allow_padding=False)
        self.idle_y = bq.LinearScale(min=0, max=1, allow_padding=False)

    def close(self) -> None:
        """Close the shared models."""
        for model in (self.figure_layout, self.idle_x, self.idle_y):
            model.close()


# The texts go first, and alone: of what comes together bqplot takes up the parts in any order, and it writes new ticks
# a moment later with the texts that it had.


def _set_ticks(axis: bq.Axis, values: list[float], texts: list[str]) -> None:
    labels = dict(zip(map(browser_key, values), texts, strict=True))
    if axis.tick_values is not None and np.array_equal(axis.tick_values, values) and axis.tick_labels == labels:
        return
    axis.tick_labels = labels
    axis.tick_values = np.array(values, dtype=np.float64)


def _set_date_ticks(axis: bq.Axis, values: NDArray[Any], form: str) -> None:
    if axis.tick_values is not None and np.array_equal(axis.tick_values, values):
        return
    axis.tick_format = form
    axis.tick_values = values


def _same(a: Chart, b: Chart) -> bool:
    if _axes_of(a) != _axes_of(b):
        return False
    if len(a.lines) != len(b.lines) or not all(map(np.array_equal, a.marks, b.marks)):
        return False
    return all(
        np.array_equal(p.x, q.x, equal_nan=True)
        and np.array_equal(p.y, q.y, equal_nan=True)
        and (p.smooth is None) == (q.smooth is None)
        and (p.smooth is None or q.smooth is None or np.array_equal(p.smooth, q.smooth, equal_nan=True))
        for p, q in zip(a.lines, b.lines, strict=True)
    )


def _axes_of(chart: Chart) -> tuple[Any, ...]:
    return chart.x_range, chart.y_range, chart.is_log, chart.x_is_date, chart.x_is_whole, chart.x_label


def _stacked(
    lines: list[tuple[NDArray[np.float64], NDArray[np.float64]]], offset: float | None
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Give x and y of one line as they are, of several stacked, the shorter ones filled up with their last point.

    Each of several has a finite value, and each ends with one: bqplot places a (hidden) label at the last point,
    wherever that is. It also squeezes a stack of one line, and one point in it to nothing.
    """
    ended = []
    for x, y in lines:
        there = np.flatnonzero(np.isfinite(y))
        end = there[-1] + 1 if len(there) else 0
        ended.append((_placed(x[:end], offset), y[:end]))
    if len(ended) <= 1:
        return ended[0] if ended else (np.zeros(0), np.zeros(0))
    longest = max(len(y) for _, y in ended)
    several = [[np.pad(part, (0, longest - len(part)), mode="edge") for part in pair] for pair in ended]
    return np.stack([x for x, _ in several]), np.stack([y for _, y in several])


def _short(values: NDArray[Any]) -> NDArray[Any]:
    """Give numbers in half the bytes, where what is lost of them is less than a tenth of a pixel."""
    finite = values[np.isfinite(values)] if values.dtype == np.float64 else values[:0]
    if not len(finite):
        return values
    largest, wide = float(abs(finite).max()), float(finite.max() - finite.min())
    if not _SHORT_FROM < largest < _SHORT_TO:
        return values
    short = values.astype(np.float32)
    if (short[np.isfinite(values)] == finite).all():
        return short
    is_count = bool((finite == np.rint(finite)).all())  # a step is told by its last digit
    return short if wide > largest * _SHORT_SPAN and not is_count else values


def _date_scale() -> bq.DateScale:
    today = datetime.now(UTC)
    return bq.DateScale(min=today, max=today + timedelta(days=1), allow_padding=False)


def _placed(x: NDArray[np.float64], offset: float | None) -> NDArray[Any]:
    return x if offset is None else _dates(x, offset)


def _dates(seconds: NDArray[np.float64], offset: float) -> NDArray[np.datetime64]:
    """Give times as bqplot is to show them: it writes UTC, a person reads the clock on the wall."""
    return (np.nan_to_num(seconds + offset) * 1000).astype("datetime64[ms]")


def _offset(at: float, zone: tzinfo | None) -> float:
    """Give how far the clocks of a zone, or those of this process, were ahead of UTC at a time."""
    span = datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset() if math.isfinite(at) else None
    return span.total_seconds() if span else 0.0
