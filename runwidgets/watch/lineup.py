"""Many runs as text and as static HTML, for where there are no widgets: their table, and one metric as lines."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from runwidgets.watch.numbers import number
from runwidgets.watch.static import BOX_STYLE, DOT, aligned, duration, html_table, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from runwidgets.watch.overlay import OverlayState
    from runwidgets.watch.runtable import RunRow, RunsState

MAX_ROWS: Final = 40
MAX_COLUMNS: Final = 6
_WIDTH, _HEIGHT, _LEFT, _FOOT, _TOP = 560, 190, 64, 22, 18
_COLORS: Final = (
    "#3b76d6", "#d9772b", "#2f9e6b", "#b4519e", "#7a5a2b", "#17a2b8", "#c8383f", "#6a3fb5", "#8a9a1b", "#66707c",
    "#c9a400", "#0b5d57",
)  # fmt: skip


class Lineup(NamedTuple):
    """Runs as they are shown.

    Attributes
    ----------
    title
        What runs they are.
    table
        Their table, new runs last.
    overlay
        Which of them are drawn, and how.
    lines
        Points by id, as `runwidgets.watch.overlay` has them.
    trouble
        Why they could not be read; None if they could.
    """

    title: str
    table: RunsState
    overlay: OverlayState
    lines: Mapping[str, NDArray[np.float64]]
    trouble: str | None = None


def _head(lineup: Lineup) -> str:
    total = lineup.table["total"]
    return f"{number(total)} run{'' if total == 1 else 's'}"


def _columns(table: RunsState) -> list[int]:
    """Choose columns: metrics first, then what the runs were started with."""
    places = sorted(range(len(table["columns"])), key=lambda place: table["columns"][place]["source"] != "metric")
    return sorted(places[:MAX_COLUMNS])


def _cells(row: RunRow, places: Sequence[int], now: float) -> list[str]:
    took = None if row["started_at"] is None else (row["ended_at"] or now) - row["started_at"]
    values = [row["values"][place] if place < len(row["values"]) else None for place in places]
    return [
        "" if row["number"] is None else str(row["number"]), one_line(row["name"]), row["status"],
        *(one_line(number(value)) for value in values), "" if took is None else duration(took),
    ]  # fmt: skip


def _rows(lineup: Lineup) -> list[RunRow]:
    return lineup.table["rows"][::-1][:MAX_ROWS]


def _headings(lineup: Lineup, places: Sequence[int]) -> list[str]:
    return ["#", "run", "status", *(one_line(lineup.table["columns"][place]["name"]) for place in places), "duration"]


def _more(lineup: Lineup) -> str:
    total = lineup.table["total"]
    return f"and {number(total - MAX_ROWS)} more" if total > MAX_ROWS else ""


def lineup_as_text(lineup: Lineup, now: float) -> str:
    """Give runs as plain text, the newest first."""
    lines = [f"● {one_line(lineup.title, 100)}   {_head(lineup)}"]
    if lineup.trouble is not None:
        lines.append(f"  ⚠ {one_line(lineup.trouble, 200)}")
    places = _columns(lineup.table)
    rows = [_cells(row, places, now) for row in _rows(lineup)]
    if rows:
        lines += aligned([_headings(lineup, places), *rows], left=(1, 2))
    if more := _more(lineup):
        lines.append(f"  {more}")
    return "\n".join(line.rstrip() for line in lines)


def lineup_as_html(lineup: Lineup, now: float) -> str:
    """Give runs as static HTML with no script, the newest first; every string of a user is escaped."""
    as_of = f"as of {datetime.fromtimestamp(now, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
    words = " &nbsp; ".join((f"<b>{escape(one_line(lineup.title, 100))}</b>", _head(lineup), as_of))
    parts = [f'<div style="{BOX_STYLE}"><div>{words}</div>']
    if lineup.trouble is not None:
        parts.append(f'<div style="color: {DOT["silent"]}">⚠ {escape(lineup.trouble)}</div>')
    places = _columns(lineup.table)
    rows = []
    for row in _rows(lineup):
        cells = [escape(cell) for cell in _cells(row, places, now)]
        cells[2] = f'<span style="color: {DOT[row["status_group"]]}">●</span> {cells[2]}'
        rows.append(cells)
    parts.append(html_table([escape(word) for word in _headings(lineup, places)], rows, left=(1, 2)))
    if more := _more(lineup):
        parts.append(f"<div>{more}</div>")
    parts += [_svg(lineup), "</div>"]
    return "".join(parts)


def _svg(lineup: Lineup) -> str:
    """Draw the lines as they are overlaid, over steps or rows."""
    state = lineup.overlay
    row = 1 if state["kind"] == "runs" and state["has_steps"] else 0
    place = 3 if state["kind"] == "runs" else 1
    drawn = [(line, lineup.lines[line["id"]]) for line in state["lines"] if line["id"] in lineup.lines]
    points = [(line, matrix[row], matrix[place]) for line, matrix in drawn]
    points = [(line, x, y) for line, x, y in points if np.isfinite(y).sum() > 1]
    if not points:
        return ""
    xs = np.concatenate([x[np.isfinite(x) & np.isfinite(y)] for _, x, y in points])
    ys = np.concatenate([y[np.isfinite(x) & np.isfinite(y)] for _, x, y in points])
    box = (float(xs.min()), float(xs.max()), float(ys.min()), float(ys.max()))
    paths, names = [], []
    for line, x, y in points:
        color = _COLORS[line["slot"] % len(_COLORS)]
        paths.append(f'<path fill="none" stroke="{color}" stroke-width="1.5" d="{_path(x, y, box)}"/>')
        names.append(
            f'<span style="white-space: nowrap; margin-right: 12px"><span style="color: {color}">━</span> '
            f"{escape(one_line(line['label']))}</span>"
        )
    text = 'font-size="11" fill="currentColor" opacity="0.7"'
    foot = _HEIGHT - _FOOT
    axis = "step" if state["has_steps"] else "index"
    if state["kind"] == "groups" and (state["x_axis"] != "step" or not state["has_steps"]):
        axis = "seconds since the start" if state["x_axis"] == "relative" else "index"
    return (
        f'<div style="margin-top: 8px"><b>{escape(one_line(state["metric"] or ""))}</b> &nbsp; {"".join(names)}</div>'
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" style="max-width: 100%" role="img">'
        f'<path stroke="currentColor" opacity="0.3" fill="none" d="M{_LEFT},{_TOP - 8}V{foot}H{_WIDTH - 4}"/>'
        f'<text x="{_LEFT - 6}" y="{_TOP + 4}" text-anchor="end" {text}>{escape(number(box[3]))}</text>'
        f'<text x="{_LEFT - 6}" y="{foot}" text-anchor="end" {text}>{escape(number(box[2]))}</text>'
        f'<text x="{_LEFT}" y="{foot + 15}" {text}>{escape(number(box[0]))}</text>'
        f'<text x="{_WIDTH - 4}" y="{foot + 15}" text-anchor="end" {text}>{axis} {escape(number(box[1]))}</text>'
        f"{''.join(paths)}</svg>"
    )


def _path(x: NDArray[np.float64], y: NDArray[np.float64], box: tuple[float, float, float, float]) -> str:
    order = np.argsort(x, kind="stable")
    size = max(1, len(order) // 300)  # a picture of 500 pixels shows no more
    left, right, low, high = box
    path, pen_down = [], False
    for at, value in zip(x[order][::size].tolist(), y[order][::size].tolist(), strict=True):
        if not (np.isfinite(at) and np.isfinite(value)):
            pen_down = False
            continue
        across = (at - left) / (right - left) if right > left else 0.5
        up = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5
        px = _LEFT + across * (_WIDTH - _LEFT - 8)
        py = _HEIGHT - _FOOT - 2 - up * (_HEIGHT - _FOOT - _TOP)
        path.append(f"{'L' if pen_down else 'M'}{px:.1f},{py:.1f}")
        pen_down = True
    return "".join(path)
