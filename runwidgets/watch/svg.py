"""A chart as an SVG picture: what `runwidgets.watch.lines` draws, for pages that have no scripts.

Colours are those of the live display where its CSS variables are known, else those of its light theme; texts and the
grid take the colour of the text around them. All functions here are pure.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from runwidgets.watch.numbers import number
from runwidgets.watch.ticks import date_ticks, log_tick_texts, log_ticks, tick_texts, ticks
from runwidgets.watch.wire import PALETTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import tzinfo

    from numpy.typing import NDArray

    from runwidgets.watch.lines import Chart

WIDTH: Final = 400
HEIGHT: Final = 190
MAX_POINTS: Final = 6000
"""How many points all lines of one chart have together at most: some 50 kB."""
_TOP, _BOTTOM, _RIGHT, _LEAST_LEFT = 10, 34, 14, 34
_FONT: Final = 11
_DIGIT: Final = 6.2
"""How wide the widest digit of common fonts is at that size."""
_X_TICKS, _Y_TICKS = 5, 3
_WARN: Final = "var(--rw-warn, #a86400)"
_DOTTED_UP_TO: Final = 30
"""Up to so many points each is drawn as a dot as well."""
_SHAPES: Final = ("M{x} {y}m-4 0l4-4 4 4-4 4z", "M{x} {y}m-4 4h8l-4-7z", "M{x} {y}m-4-4h8l-4 7z")
"""What stands for NaN, +Inf, -Inf: a diamond at the bottom, a triangle at the top, one at the bottom."""
_Points = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


def chart_svg(chart: Chart, title: str, *, max_points: int = MAX_POINTS, zone: tzinfo | None = None) -> str:
    """Draw a chart as an SVG element that is as wide as its place.

    Parameters
    ----------
    chart
        What to draw; its smoothed lines are left out.
    title
        What those are told who do not see it.
    max_points
        How many points all its lines have at most: of more, those stay that a person looks for.
    zone
        Of the clock on an axis of times; by default this process's.
    """
    offset = _offset(chart.x_range[1], zone) if chart.x_is_date else 0.0
    y_ticks, y_texts = _y_axis(chart)
    left = max(_LEAST_LEFT, 14 + _DIGIT * max(map(len, y_texts), default=0))
    x_of, y_of = _placing(chart, left)
    x_ticks, x_texts = _x_axis(chart, offset)
    y_places, x_places = (of(np.array(at)).tolist() for of, at in ((y_of, y_ticks), (x_of, x_ticks)))
    parts = [
        f'<svg class="rw-svg" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" font-family="inherit" ',
        f'font-size="{_FONT}" aria-label="{escape(_said(chart, title))}">',
        '<g stroke="currentColor" stroke-opacity=".14">',
    ]
    parts += [f'<path d="M{left:.0f} {y:.1f}H{WIDTH - _RIGHT}"/>' for y in y_places]
    parts.append('</g><g fill="currentColor" fill-opacity=".72">')
    for y, text in zip(y_places, y_texts, strict=True):
        parts.append(f'<text x="{left - 7:.0f}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    for x, text in _apart(zip(x_places, x_texts, strict=True)):
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 19}" text-anchor="middle">{escape(text)}</text>')
    middle = (left + WIDTH - _RIGHT) / 2
    label = chart.x_label if len(chart.x_label) <= WIDTH // _FONT else chart.x_label[: WIDTH // _FONT - 1] + "…"
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 4}" text-anchor="middle">{escape(label)}</text></g>')
    share = max(2, max_points // max(1, len(chart.lines)))
    for place, line in enumerate(chart.lines):
        color = PALETTE[place % len(PALETTE)]
        path, dots = _path(*_fewer(x_of(line.x), y_of(line.y), share))
        if path:
            parts.append(f'<path fill="none" stroke="{color}" stroke-width="1.6" stroke-linejoin="round" d="{path}"/>')
        if dots:
            parts.append(f'<path fill="none" stroke="{color}" stroke-width="5" stroke-linecap="round" d="{dots}"/>')
    for shape, places, y in zip(_SHAPES, chart.marks, (HEIGHT - _BOTTOM, _TOP, HEIGHT - _BOTTOM), strict=True):
        marks = "".join(shape.format(x=f"{x:.1f}", y=y) for x in x_of(places).tolist())
        if marks:
            parts.append(f'<path fill="{_WARN}" d="{marks}"/>')
    parts.append("</svg>")
    return "".join(parts)


def swatch(place: int) -> str:
    """Draw the colour of one line of a chart, for its legend."""
    color = PALETTE[place % len(PALETTE)]
    return (
        f'<svg width="12" height="4" viewBox="0 0 12 4" aria-hidden="true"><path fill="{color}" d="M0 0h12v4H0"/></svg>'
    )


def _said(chart: Chart, title: str) -> str:
    """Say what a chart shows."""
    count = len(chart.lines)
    said = f"{title}: {'a line' if count == 1 else f'{count} lines'} over {chart.x_label}"
    return f"{said}, last {number(chart.last)}" if chart.last is not None and count == 1 else said


def _placing(
    chart: Chart, left: float
) -> tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Give what turns values into places in the picture."""
    low_x, high_x = chart.x_range
    wide, high = WIDTH - _RIGHT - left, HEIGHT - _TOP - _BOTTOM
    scale = np.log10 if chart.is_log else np.asarray
    low_y, high_y = (float(scale(np.float64(end))) for end in chart.y_range)

    def x_of(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return left + (x - low_x) / (high_x - low_x) * wide

    def y_of(y: NDArray[np.float64]) -> NDArray[np.float64]:
        # Halved, since what is far from zero on both sides lies farther apart than the greatest number.
        places: NDArray[np.float64] = HEIGHT - _BOTTOM - (scale(y) / 2 - low_y / 2) / (high_y / 2 - low_y / 2) * high
        return places

    return x_of, y_of


def _y_axis(chart: Chart) -> tuple[list[float], list[str]]:
    if not any(np.isfinite(line.y).any() for line in chart.lines):
        return [chart.y_range[0]], [""]  # no number has a place on it
    values = (log_ticks if chart.is_log else ticks)(*chart.y_range, _Y_TICKS)
    return values, (log_tick_texts if chart.is_log else tick_texts)(values)


def _x_axis(chart: Chart, offset: float) -> tuple[list[float], list[str]]:
    low, high = chart.x_range
    if not chart.x_is_date:
        values = ticks(low, high, _X_TICKS, whole=chart.x_is_whole)
        return values, tick_texts(values)
    times, form = date_ticks(low + offset, high + offset, _X_TICKS - 1)
    shown = [at for at in times if low + offset <= at <= high + offset]
    return [at - offset for at in shown], [_date(at, form) for at in shown]


def _date(seconds: float, form: str) -> str:
    """Write a time in one of the d3 formats of `date_ticks`."""
    at = datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
    words = form.replace("%L", f"{at.microsecond // 1000:03}").replace("%-d", str(at.day))
    return at.strftime(words)


def _offset(at: float, zone: tzinfo | None) -> float:
    gap = datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
    return gap.total_seconds() if gap is not None else 0.0


def _apart(texts: Iterable[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """Give the ticks' texts with their places, without those that would run into the one before or over the edge."""
    end = 0.0
    for x, text in texts:
        half = len(text) * _DIGIT / 2
        place = min(x, WIDTH - half)
        if place - half >= end:
            yield place, text
            end = place + half + _DIGIT


def _fewer(x: NDArray[np.float64], y: NDArray[np.float64], limit: int) -> _Points:
    """Keep of many points the first, the last, the lowest and the highest of each of several stretches."""
    if len(y) <= limit:
        return x, y
    kept = []
    for stretch in np.array_split(np.arange(len(y)), max(1, limit // 4)):
        there = stretch[np.isfinite(y[stretch])]
        if len(there) < len(stretch):
            kept.append(stretch[~np.isfinite(y[stretch])][:1])  # the gap stays one
        if len(there):
            kept += [there[[0, -1]], there[[int(y[there].argmin()), int(y[there].argmax())]]]
    found = np.unique(np.concatenate(kept))
    return x[found], y[found]


def _path(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[str, str]:
    """Give a line as a path with gaps where values are missing, and the dots of points that no line would show."""
    there = np.isfinite(x) & np.isfinite(y)
    is_few = len(y) <= _DOTTED_UP_TO
    before = np.concatenate([[False], there[:-1]])
    after = np.concatenate([there[1:], [False]])
    steps: list[str] = []
    dots: list[str] = []
    places = zip(x.tolist(), y.tolist(), there.tolist(), before.tolist(), after.tolist(), strict=True)
    at_x = at_y = 0
    for px, py, is_there, has_before, has_after in places:
        if not is_there:
            continue
        # In tenths, each from where the one before was written: rounding does not add up, and the path is short.
        ix, iy = round(px * 10), round(py * 10)
        if is_few or not (has_before or has_after):
            dots.append(f"M{_tenths(ix)} {_tenths(iy)}h0")
        if has_before:
            if (ix, iy) != (at_x, at_y):
                steps.append(f"l{_tenths(ix - at_x)}{_joined(iy - at_y)}")
        elif has_after:
            steps.append(f"M{_tenths(ix)} {_tenths(iy)}")
        at_x, at_y = ix, iy
    return "".join(steps), "".join(dots)


def _tenths(value: int) -> str:
    whole, rest = divmod(abs(value), 10)
    return f"{'-' * (value < 0)}{whole}{f'.{rest}' if rest else ''}"


def _joined(value: int) -> str:
    text = _tenths(value)
    return text if text.startswith("-") else f" {text}"
