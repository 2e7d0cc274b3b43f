"""A run as text and as static HTML: for terminals, and for notebooks that are read without their widgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Final

from runwidgets.watch.beside import NOTHING_BESIDE
from runwidgets.watch.children import told_children
from runwidgets.watch.lines import charted, draw
from runwidgets.watch.numbers import digits_to_tell, number
from runwidgets.watch.svg import chart_svg, swatch
from runwidgets.watch.wire import DEFAULT_CONTROLS, header_state, metrics_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runwidgets.watch.beside import Beside
    from runwidgets.watch.view import RunView
    from runwidgets.watch.wire import HeaderState, MetricRow, ProgressState

_MAX_ROWS: Final = 40
_MAX_CHARTS: Final = 6
_MAX_POINTS: Final = 400
_LONGEST_LINE: Final = 200
_LONGEST_NAME: Final = 48
MAX_LOG_LINES: Final = 20
"""How many lines of a log a static picture shows."""
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
BOX_STYLE: Final = (
    "font: 13px/1.45 system-ui, sans-serif; border: 1px solid #8884; border-radius: 6px; padding: 8px 14px; "
    "overflow-x: auto; overflow-wrap: anywhere"
)
_LOG_STYLE: Final = (
    "font: 12px/1.5 ui-monospace, monospace; margin: 2px 0 0; white-space: pre; overflow-x: auto; overflow-wrap: normal"
)
DOT: Final = {
    "active": "#3b76d6", "done": "#2f9e6b", "failed": "#c8383f", "canceled": "#8b949e", "silent": "#b7791f",
    "waiting": "#8b949e",
}  # fmt: skip
_BAD, _WARN = DOT["failed"], DOT["silent"]


def duration(seconds: float) -> str:
    """Give a span as ``00:02:41``, with days before it where there are any."""
    whole = timedelta(seconds=int(max(0, seconds)))
    hours, rest = divmod(whole.seconds, 3600)
    clock = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return f"{whole.days} d {clock}" if whole.days else clock


def sparkline(heights: Iterable[int | None]) -> str:
    """Draw heights from 0 to 100 with block characters; a gap is a space."""
    top = len(_BLOCKS) - 1
    return "".join(" " if h is None else _BLOCKS[min(top, h * len(_BLOCKS) // 101)] for h in heights)


def elapsed(header: HeaderState) -> float | None:
    """Give how long a run has been running, or ran, in seconds."""
    if header["started_at"] is None:
        return None
    return (header["ended_at"] or header["sent_at"]) - header["started_at"]


def _rows(view: RunView) -> list[MetricRow]:
    return metrics_state(view, DEFAULT_CONTROLS)["rows"][:_MAX_ROWS]


def row_name(row: MetricRow) -> str:
    """Give the name of a row of the metric table."""
    return row["name"] if row["column"] is None else f"{row['name']} · {row['column']}"


def row_numbers(row: MetricRow) -> tuple[str, str, str]:
    """Give last, minimum and maximum of a row, with the digits that tell them apart."""
    values = row["last"], row["min"], row["max"]
    digits = digits_to_tell(values)
    last, lowest, highest = (number(value, digits) for value in values)
    return last, lowest, highest


def row_marks(row: MetricRow) -> str:
    """Give the warnings of a row: how many values are NaN or infinite."""
    marks = ((row["nan_count"], "NaN"), (row["inf_count"], "Inf"))
    return ", ".join(f"{number(count)} {word}" for count, word in marks if count)


def elapsed_words(header: HeaderState) -> str:
    """Give how long a run has been running, or ran, in words; nothing for one that has not begun."""
    span = elapsed(header)
    return "" if span is None else f"{'ran' if header['ended_at'] else 'elapsed'} {duration(span)}"


def progress_words(progress: ProgressState) -> list[str]:
    """Say how far a run is and, where that is known, for how long: ``epoch 14 / 30``, ``about 00:03:05 left``."""
    total = f" / {number(progress['total'])}" if progress["total"] is not None else ""
    words = [f"{progress['unit']} {number(progress['done'])}{total}".strip()]
    if not progress["unit"] and not total:
        words = [f"{words[0]} done"]
    if progress["seconds_left"] is not None:
        words.append(f"about {duration(progress['seconds_left'])} left")
    return words


def run_title(header: HeaderState) -> str:
    """Give experiment, name and number of a run, as ``diabetes / alpha sweep #17``; what is long in them is cut."""
    experiment, name = one_line(header["experiment"], _LONGEST_NAME), one_line(header["run_name"], _LONGEST_NAME)
    run_number = f" #{header['run_number']}" if header["run_number"] else ""
    return f"{experiment} / {name}{run_number}"


def _head(header: HeaderState) -> list[str]:
    words = [run_title(header), header["queue"] or "", elapsed_words(header)]
    if progress := header["progress"]:
        words += progress_words(progress)
    return [word for word in words if word]


def as_text(view: RunView, now: float, log: Sequence[str] = (), beside: Beside = NOTHING_BESIDE) -> str:
    """Give a run as plain text: status, metrics with sparklines, children, the end of its log.

    Parameters
    ----------
    view
        The run.
    now
        Epoch seconds, for elapsed time.
    log
        The lines of its log, of which the last are shown.
    beside
        What is known of the run that is not in the view.
    """
    header = header_state(view, now, None, None, beside)
    lines = [one_line("   ".join([f"● {header['status']}", *_head(header)]), _LONGEST_LINE)]
    if error := header["error"]:
        said = f"{error['code']}: {error['message']}".rstrip(": \n")
        lines += [f"  {one_line(line, _LONGEST_LINE)}" for line in said.splitlines()]
    rows = _rows(view)
    if rows:
        lines.append("")
        table = [("metric", "last", "min", "max", "count", "", "")]
        table += [
            (row_name(r), *row_numbers(r), number(r["count"]),
             sparkline(r["spark"]), f"⚠ {marks}" if (marks := row_marks(r)) else "")
            for r in rows
        ]  # fmt: skip
        lines += aligned(table, left=(0, 5, 6))
    columns, children = told_children(view, now)
    if children:
        lines.append("")
        child_table = [("#", "child run", "status", *columns)]
        child_table += [
            (number(c["number"]), c["name"], c["status"], *(number(v) for v in c["values"]))
            for c in children[:_MAX_ROWS]
        ]
        lines += aligned(child_table, left=(1, 2))
        if len(view.children) > _MAX_ROWS:
            lines.append(f"  … {len(view.children)} child runs in all")
    if log_lines := last_lines(log):
        lines += ["", "  the end of its log", *(f"  │ {line}" for line in log_lines)]
    return "\n".join(line.rstrip() for line in lines)


def last_lines(log: Sequence[str], count: int = MAX_LOG_LINES) -> list[str]:
    """Give the last lines of a log, each clean and not too long, without the empty ones at its end."""
    lines = [one_line(line, _LONGEST_LINE) for line in log]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines[-count:]


def aligned(table: Sequence[Sequence[str]], left: tuple[int, ...]) -> list[str]:
    """Give the lines of a table of texts; the columns whose numbers are ``left`` begin at one place, others end so."""
    clean = [[one_line(cell) for cell in row] for row in table]
    widths = [max(len(row[i]) for row in clean) for i in range(len(clean[0]))]
    return [
        "  " + "  ".join(cell.ljust(widths[i]) if i in left else cell.rjust(widths[i]) for i, cell in enumerate(row))
        for row in clean
    ]


def one_line(text: str, limit: int = _LONGEST_NAME) -> str:
    """Keep what a terminal would obey (escapes, line ends) out of a text that stands in one line."""
    clean = "".join(ch if ch.isprintable() else " " if ch.isspace() else "�" for ch in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def as_html(view: RunView, now: float, log: Sequence[str] = (), beside: Beside = NOTHING_BESIDE) -> str:
    """Give a run as static HTML with no script: what a notebook shows that is read without its widgets.

    Every string of a user is escaped.

    Parameters
    ----------
    view
        The run.
    now
        Epoch seconds, for elapsed time. Of a run that goes on it is told: the picture may be read much later.
    log
        The lines of its log, of which the last are shown.
    beside
        What is known of the run that is not in the view.
    """
    header = header_state(view, now, None, None, beside)
    words = _head(header)
    if header["ended_at"] is None and header["started_at"] is not None:
        words.append(f"as of {datetime.fromtimestamp(now, UTC).astimezone():%Y-%m-%d %H:%M:%S}")
    whole = escape(f"{header['experiment']} / {header['run_name']}")
    color = DOT[header["status_group"]]
    parts = [
        f'<div style="{BOX_STYLE}"><div title="{whole}"><span style="color: {color}">●</span> ',
        f"<b>{escape(header['status'])}</b> &nbsp; {' &nbsp; '.join(map(escape, words))}</div>",
    ]
    if error := header["error"]:
        parts.append(f'<div style="color: {_BAD}"><b>{escape(error["code"])}</b> {escape(error["message"])}</div>')
    rows = [
        (escape(row_name(row)), *map(escape, row_numbers(row)), number(row["count"]),
         _svg(row["spark"]), _html_marks(row_marks(row)))
        for row in _rows(view)
    ]  # fmt: skip
    parts.append(html_table(("metric", "last", "min", "max", "count", "", ""), rows, left=(0, 5, 6)))
    parts.append(_charts(view))
    names, children = told_children(view, now)
    columns = [escape(one_line(column)) for column in names]
    child_rows = [
        (escape(number(c["number"])), escape(c["name"]),
         f'<span style="color: {DOT[c["status_group"]]}">●</span> {escape(c["status"])}',
         *(escape(one_line(number(value))) for value in c["values"]))
        for c in children[:_MAX_ROWS]
    ]  # fmt: skip
    parts.append(html_table(("#", "child run", "status", *columns), child_rows, left=(1, 2)))
    if len(view.children) > _MAX_ROWS:
        parts.append(f"<div>… {len(view.children)} child runs in all</div>")
    if log_lines := last_lines(log):
        text = "\n".join(map(escape, log_lines))
        parts.append(f'<div style="margin-top: 6px">the end of its log</div><pre style="{_LOG_STYLE}">{text}</pre>')
    parts.append("</div>")
    return "".join(parts)


def _charts(view: RunView) -> str:
    """Draw the first charts, small: the picture is saved with each notebook, and drawn anew as the run goes on."""
    names = charted(view)
    if not names:
        return ""
    started_at = view.record.started_at if view.record else None
    cards = []
    for name in names[:_MAX_CHARTS]:
        chart = draw(view.metrics[name], DEFAULT_CONTROLS, started_at)
        labels = [f"{swatch(place)} {escape(one_line(line.label))}" for place, line in enumerate(chart.lines)]
        words = [*(labels if len(labels) > 1 else ()), *map(escape, chart.notes)]
        legend = f'<div style="font-size: 11px">{" &nbsp; ".join(words)}</div>' if words else ""
        picture = chart_svg(replace(chart, x_label=one_line(chart.x_label)), name, max_points=_MAX_POINTS)
        cards.append(f'<div style="flex: 1 1 260px; max-width: 420px"><b>{escape(name)}</b>{legend}{picture}</div>')
    more = len(names) - len(cards)
    left_out = f"<div>… {number(more)} more chart{'s' * (more > 1)}</div>" if more else ""
    return (
        f'<div style="display: flex; flex-wrap: wrap; gap: 10px 18px; margin-top: 8px">{"".join(cards)}</div>{left_out}'
    )


def _html_marks(marks: str) -> str:
    return f'<span style="color: {_WARN}">⚠ {escape(marks)}</span>' if marks else ""


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: tuple[int, ...]) -> str:
    """Draw a table of cells in HTML; nothing where there are no rows."""
    if not rows:
        return ""
    # Some readers drop styles and some pages set their own: the attribute is for the ones, the style for the others.
    sides = ["left" if i in left else "right" for i in range(len(headings))]
    cells = [f'align="{side}" style="text-align: {side}; padding: 2px 10px 2px 0"' for side in sides]
    lines = [f"<tr>{''.join(f'<{tag} {c}>{word}</{tag}>' for c, word in zip(cells, line, strict=True))}</tr>"
             for tag, line in (("th", headings), *(("td", row) for row in rows))]  # fmt: skip
    return (
        '<table style="margin-top: 6px; border-collapse: collapse; font: inherit; overflow-wrap: normal">'
        f"<thead>{lines[0]}</thead><tbody>{''.join(lines[1:])}</tbody></table>"
    )


def _svg(heights: list[int | None]) -> str:
    last = max(1, len(heights) - 1)
    path, pen_down = [], False
    for i, height in enumerate(heights):
        if height is not None:
            path.append(f"{'L' if pen_down else 'M'}{i / last * 84:.1f},{17 - height * 0.16:.1f}")
        pen_down = height is not None
    return (
        '<svg width="84" height="18" viewBox="0 0 84 18" aria-hidden="true"><path fill="none" stroke="#3b76d6" '
        f'stroke-width="1.5" d="{"".join(path)}"/></svg>'
    )
