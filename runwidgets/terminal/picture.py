"""A run as rich draws it in a terminal."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from runwidgets.watch.beside import NOTHING_BESIDE
from runwidgets.watch.children import told_children
from runwidgets.watch.numbers import number
from runwidgets.watch.static import (
    MAX_LOG_LINES,
    elapsed_words,
    last_lines,
    one_line,
    progress_words,
    row_marks,
    row_name,
    row_numbers,
    sparkline,
)
from runwidgets.watch.wire import DEFAULT_CONTROLS, header_state, metrics_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from runwidgets.watch.beside import Beside
    from runwidgets.watch.runtable import RunRow
    from runwidgets.watch.view import RunView
    from runwidgets.watch.wire import ErrorState, HeaderState, MetricRow, ProgressState

_COLORS: Final = {
    "active": "bright_blue", "done": "green", "failed": "red", "canceled": "dim", "silent": "yellow",
    "waiting": "dim",
}  # fmt: skip
_MAX_METRICS: Final = 40
_LEAST_METRICS: Final = 3
_PORTIONS: Final = ((6, 5, 5), (3, 3, 3), (1, 2, 2), (0, 0, 1))
"""How many lines of a traceback, how many child runs and how many lines of a log are shown: as many as have room."""
_AROUND_METRICS: Final = 3
"""Lines: an empty one, the headings, and how many more there are."""
_SPARK_WIDTHS: Final = (8, 30)
_WIDEST_CELL: Final = 13
_WIDEST_NAME: Final = 32
_LONGEST_MESSAGE: Final = 600
_GAP: Final = 2
_INDENT: Final = 2


def share_done(progress: ProgressState) -> float | None:
    """Give how much is done, from 0 to 1; None if nobody knows."""
    if not progress["total"] or progress["total"] < 0:
        return None
    return min(1.0, max(0.0, progress["done"] / progress["total"]))


class Picture:
    """A run as rich draws it, at any width from some 40 columns.

    No string of a user is taken for markup, nor does any reach the terminal with control characters.

    Parameters
    ----------
    view
        The run.
    trouble
        Why the last look at it failed, or None.
    is_last
        Whether the picture stays: then it need not fit the height of the terminal.
    now
        Epoch seconds, for elapsed time; by default the clock's, anew at each drawing.
    beside
        What is known of the run that is not in the view.
    log
        The lines of its log, of which the last are shown.
    """

    def __init__(
        self,
        view: RunView,
        trouble: str | None = None,
        *,
        is_last: bool = False,
        now: float | None = None,
        beside: Beside = NOTHING_BESIDE,
        log: Sequence[str] = (),
    ) -> None:
        self._view = view
        self._beside = beside
        self._log = last_lines(log)
        self._trouble = trouble
        self._is_last = is_last
        self._now = now
        self._rows = metrics_state(view, DEFAULT_CONTROLS)["rows"]
        self._children = told_children(view, now or time.time())

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._view.record is None:
            yield Text(self._trouble or "reading the run …", style="dim")
            return
        width = options.max_width
        header = header_state(self._view, self._now or time.time(), None, self._trouble, self._beside)
        above: list[RenderableType] = [_header_line(header, width)]
        if header["queue"] is not None:
            above.append(_line(one_line(header["queue"], 200), "dim"))
        if header["progress"] is not None:
            above.append(_progress_line(header["progress"], header["status_group"]))
        if self._trouble is not None:
            above.append(_line(f"⚠ the last look failed: {one_line(self._trouble, 200)}", "yellow"))
        taken = 0
        below: list[RenderableType] = []
        error: list[RenderableType] = []
        for trace_lines, children, log_lines in _PORTIONS:
            below = [
                *_children_part(*self._children, width, children),
                *self._log_part(MAX_LOG_LINES if self._is_last else log_lines),
            ]
            error = [_error_panel(header["error"], trace_lines)] if header["error"] is not None else []
            taken = sum(len(console.render_lines(part, options)) for part in (*above, *error, *below))
            if self._is_last or taken + bool(self._rows) * (_LEAST_METRICS + _AROUND_METRICS) <= options.max_height:
                break
        room = _MAX_METRICS if self._is_last else max(_LEAST_METRICS, options.max_height - taken - _AROUND_METRICS)
        yield from above
        yield from error
        yield from _metrics_part(self._rows, width, min(room, _MAX_METRICS))
        yield from below

    def _log_part(self, count: int) -> Iterator[RenderableType]:
        for place, line in enumerate(self._log[-count:]):
            yield _indented(_line(Text.assemble(("│ ", "dim"), line)), above=int(place == 0))


def _line(text: str | Text, style: str = "") -> Text:
    line = Text(text, style) if isinstance(text, str) else text
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _cut(text: str, width: int) -> str:
    """Make a text fit into a number of columns."""
    cut = Text(one_line(text, limit=max(1, width)))
    cut.truncate(max(1, width), overflow="ellipsis")
    return cut.plain


def _cut_inside(text: str, width: int) -> str:
    """Make a clean name fit by leaving out its middle: names of one kind differ at their ends."""
    if cell_len(text) <= width:
        return text
    tail = ""
    for character in reversed(text):
        if cell_len(character + tail) > width // 2:
            break
        tail = character + tail
    return _cut(text, width - cell_len(tail)) + tail


def _header_line(header: HeaderState, width: int) -> RenderableType:
    """Draw dot, status, experiment, name, number and time; the names give way where all is too long."""
    color = _COLORS[header["status_group"]]
    run_number = f" #{header['run_number']}" if header["run_number"] else ""
    clock = elapsed_words(header)
    room = width - cell_len(f"● {header['status']}    / {run_number}") - (cell_len(clock) + _GAP if clock else 0)
    name = one_line(header["run_name"], limit=width)
    experiment = _cut(header["experiment"], max(room // 3, room - cell_len(name)))
    name = _cut(name, room - cell_len(experiment))
    left = Text.assemble(("● ", color), (header["status"], f"bold {color}"), "   ", (f"{experiment} / ", "dim"))
    left.append(name, "bold").append(run_number)
    line = Table.grid(expand=True)
    line.add_column(no_wrap=True, overflow="ellipsis")
    line.add_column(no_wrap=True, justify="right")
    line.add_row(left, Text(clock, "dim"))
    return line


def _progress_line(progress: ProgressState, group: str) -> RenderableType:
    words = one_line(" · ".join(progress_words(progress)), limit=60)
    share = share_done(progress)
    if share is None and group != "active":
        return _line(words)  # an ended run of unknown length has nothing that a bar could say
    line = Table.grid(expand=True, padding=(0, _GAP, 0, 0))
    line.add_column(ratio=1)
    line.add_column(no_wrap=True, overflow="ellipsis", max_width=44)
    color = _COLORS[group]
    bar = ProgressBar(
        total=None if share is None else 1.0, completed=share or 0.0, complete_style=color, finished_style=color,
        pulse_style=color,
    )  # fmt: skip
    line.add_row(bar, Text(words))
    return line


def _error_panel(error: ErrorState, trace_lines: int) -> RenderableType:
    """Draw why the run failed: the message, and the end of the traceback."""
    message = [one_line(line, limit=200) for line in error["message"][:_LONGEST_MESSAGE].splitlines()]
    body = Text("\n".join(message), "bold", overflow="fold")
    # A traceback ends with the message, which is above already.
    trace = (error["traceback"] or "").rstrip().removesuffix(f"{error['code']}: {error['message']}".rstrip())
    last = [one_line(line, limit=200) for line in trace.rstrip().splitlines()]
    last = last[len(last) - min(len(last), trace_lines) :]
    if last:
        body.append(("\n" if message else "") + "\n".join(last), "not bold dim")
    title = Text(one_line(error["code"]), "bold red")
    return Padding(Panel(body, title=title, title_align="left", border_style="red"), (1, 0, 0, 0))


# ---- tables


def _table(columns: Sequence[tuple[str, int, bool]]) -> Table:
    """Begin a table: for each column its heading, its width, and whether it is one of numbers."""
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for heading, width, is_number in columns:
        table.add_column(
            Text(heading), width=width, no_wrap=True, overflow="ellipsis", justify="right" if is_number else "left"
        )
    return table


def _indented(part: RenderableType, above: int = 0) -> RenderableType:
    return Padding(part, (above, 0, 0, _INDENT), expand=False)


def _width(cells: Sequence[str], widest: int) -> int:
    return min(widest, max(map(cell_len, cells)))


def _metrics_part(rows: Sequence[MetricRow], width: int, room: int) -> Iterator[RenderableType]:
    """Draw the table of metrics: name, last, min, max, count, sparkline, marks; the narrower, the fewer of these."""
    if not rows:
        return
    shown = rows[:room]
    names = [one_line(row_name(row), limit=200) for row in shown]
    values = [_number_cells(row) for row in shown]
    numbers = {
        **{heading: [cells[i] for cells in values] for i, heading in enumerate(("last", "min", "max"))},
        "count": [number(row["count"]) for row in shown],
    }
    marks = [row_marks(row) for row in shown]
    widths = {heading: _width((heading, *cells), _WIDEST_CELL) for heading, cells in numbers.items()}
    marks_width = max(cell_len(f"⚠ {mark}") if mark else 0 for mark in marks)
    wide = max(_WIDEST_CELL, min(_WIDEST_NAME, width // 3))
    for dropped, widest in (
        ((), wide),
        ((), _WIDEST_CELL),
        (("count",), _WIDEST_CELL),
        (("count", "min", "max"), wide),
    ):
        name_width = _width(("metric", *names), widest)
        headings = [heading for heading in numbers if heading not in dropped]
        others = name_width + sum(widths[h] + _GAP for h in headings) + (marks_width + _GAP if marks_width else 0)
        spark_width = min(_SPARK_WIDTHS[1], width - _INDENT - _GAP - others)
        if spark_width >= _SPARK_WIDTHS[0]:
            break
    columns = [("metric", name_width, False), *((heading, widths[heading], True) for heading in headings)]
    with_spark = spark_width >= _SPARK_WIDTHS[0] and any(row["spark"] for row in shown)
    if with_spark:
        columns.append(("", spark_width, False))
    if marks_width:
        columns.append(("", marks_width, False))
    table = _table(columns)
    for i, row in enumerate(shown):
        cells = [
            Text(_cut_inside(names[i], name_width)),
            *(Text(numbers[h][i], "bold" if h == "last" else "") for h in headings),
        ]
        if with_spark:
            cells.append(Text(sparkline(_fewer(row["spark"], spark_width)), _COLORS["active"]))
        if marks_width:
            cells.append(Text(f"⚠ {marks[i]}" if marks[i] else "", "yellow"))
        table.add_row(*cells)
    yield _indented(table, above=1)
    if len(rows) > len(shown):
        yield _indented(_line(f"… and {number(len(rows) - len(shown))} more", "dim"))


def _number_cells(row: MetricRow) -> list[str]:
    """Give last, min and max; the digits that tell them apart only where all of them fit: a cut number misleads."""
    cells: Sequence[str] = row_numbers(row)
    if max(map(cell_len, cells)) > _WIDEST_CELL:
        cells = [number(row["last"]), number(row["min"]), number(row["max"])]
    return [_cut(cell, _WIDEST_CELL) for cell in cells]


def _fewer(heights: list[int | None], width: int) -> list[int | None]:
    """Take as many heights as there are columns, the first and the last among them."""
    if len(heights) <= width:
        return heights
    return [heights[round(i * (len(heights) - 1) / (width - 1))] for i in range(width)]


def _children_part(columns: Sequence[str], rows: Sequence[RunRow], width: int, most: int) -> Iterator[RenderableType]:
    """Draw the child runs: how many there are by status, the range of each metric over them, and the latest few."""
    if not rows:
        return
    counts = Counter((row["status"], row["status_group"]) for row in rows)
    summary = Text.assemble((f"{number(len(rows))} child runs", "bold"))
    for (status, group), count in counts.most_common():
        summary.append("   ● ", _COLORS[group]).append(f"{number(count)} {status}")
    yield _indented(_line(summary), above=1)
    if not most:
        return

    latest = rows[-most:]
    extremes = [_extremes([row["values"][i] for row in rows]) for i in range(len(columns))]
    cells = [
        [_cut(number(value), _WIDEST_CELL) for value in (low, high, *(row["values"][i] for row in latest))]
        for i, (low, high) in enumerate(extremes)
    ]
    run_numbers = [f"#{number(row['number'])}" for row in latest]
    names = ["lowest of all", "highest of all", *(one_line(row["name"], limit=200) for row in latest)]
    shape = [
        ("", _width(run_numbers, 8), True),
        ("child run", _width(("child run", *names), max(_WIDEST_CELL, width // 3)), False),
        ("status", _width(("● status", *(f"● {row['status']}" for row in latest)), _WIDEST_CELL + _GAP), False),
    ]
    room = width - _INDENT - sum(w for _, w, _ in shape) - _GAP * (len(shape) - 1)
    for column, values in zip(columns, cells, strict=True):
        heading = _cut(one_line(column), _WIDEST_CELL)
        wanted = _width((heading, *values), _WIDEST_CELL)
        if wanted + _GAP > room:
            break
        shape.append((heading, wanted, True))
        room -= wanted + _GAP
    table = _table(shape)
    charted = len(shape) - 3
    for i, row in enumerate(latest, start=2):
        dotted = Text.assemble(("● ", _COLORS[row["status_group"]]), row["status"])
        table.add_row(
            Text(run_numbers[i - 2], "dim"),
            Text(_cut_inside(names[i], shape[1][1])),
            dotted,
            *(Text(column[i]) for column in cells[:charted]),
        )
    if charted and len(rows) > 1:
        for i in range(2):
            words = (names[i], "", *(column[i] for column in cells[:charted]))
            table.add_row("", *(Text(word, "dim") for word in words))
    yield _indented(table)


def _extremes(values: Sequence[Any]) -> tuple[float | None, float | None]:
    """Give the lowest and the highest of the values in wire form that are finite numbers."""
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return (min(numbers), max(numbers)) if numbers else (None, None)
