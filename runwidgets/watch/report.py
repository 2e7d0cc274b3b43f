"""A run as one static page that can be sent to somebody: no script, nothing from elsewhere, no paths of the machine.

All here is pure; `runwidgets.watch.saving` reads what it needs and writes the file.
"""

from __future__ import annotations

import base64
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from runwidgets.watch.children import told_children
from runwidgets.watch.gauges import draw_gauge, gauges
from runwidgets.watch.lines import charted, draw
from runwidgets.watch.numbers import number
from runwidgets.watch.plates import legend_html, plates
from runwidgets.watch.scrubbing import Scrubber
from runwidgets.watch.static import elapsed_words, progress_words, row_marks, row_name, row_numbers
from runwidgets.watch.stylesheet import POLICY, SHEET
from runwidgets.watch.svg import chart_svg, swatch
from runwidgets.watch.wire import DEFAULT_CONTROLS, MAX_FILES, header_state, metrics_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from runwidgets.watch.lines import Chart
    from runwidgets.watch.view import RunView
    from runwidgets.watch.wire import MetricsControls

MAX_CHARTS: Final = 150
MAX_CHART_BYTES: Final = 4 * 2**20
MAX_IMAGES: Final = 24
MAX_IMAGE_BYTES: Final = 6 * 2**20
"""Of all images together, before they are written as text, which makes them a third longer."""
MAX_CHILDREN: Final = 500
MAX_LOG_LINES: Final = 400
_OPEN_LOG_LINES: Final = 30
_OPEN_ROWS: Final = 24
MAX_LOG_TEXT: Final = 64 * 1024
MAX_VALUE: Final = 2000
"""Characters of one value; a traceback has `MAX_LOG_TEXT`."""


class Image(NamedTuple):
    """An image that was logged: its bytes and media type, or a note why it is not shown."""

    name: str
    number: int | None
    logged_at: float
    mime: str = ""
    data: bytes = b""
    note: str | None = None


@dataclass(frozen=True)
class Contents:
    """What goes into a page beside the view of the run.

    Attributes
    ----------
    images, images_total
        The newest images, newest first, and how many there are in all.
    figures
        What its documents are drawn as, with the names of their metrics; see `runwidgets.watch.plates`.
    log
        The lines of its log; the last are shown.
    controls
        How the viewer has charts drawn. Smoothing is left out.
    scrub
        What takes from texts that which is not to leave the machine.
    zone
        Of the clock by which times are written; by default this process's.
    """

    images: Sequence[Image] = ()
    images_total: int = 0
    log: Sequence[str] = ()
    controls: MetricsControls = field(default_factory=lambda: DEFAULT_CONTROLS)
    figures: Sequence[tuple[str, Mapping[str, Any]]] = ()
    scrub: Callable[[str], str] = field(default_factory=Scrubber)
    zone: tzinfo | None = None


def report_html(view: RunView, now: float, contents: Contents) -> str:
    """Give a run as a page: at most some 20 MB, and it says what was left out.

    Parameters
    ----------
    view
        The run.
    now
        Epoch seconds, when the page is made.
    contents
        What else is in it.
    """
    return _Report(view, now, contents).page()


class _Report:
    def __init__(self, view: RunView, now: float, contents: Contents) -> None:
        self._view = view
        self._now = now
        self._contents = contents
        self._header = header_state(view, now, None, None)

    def page(self) -> str:
        title = f"{self._title()} · {self._header['status']}"
        sections = (
            self._head, self._error, self._metrics, self._charts, self._evaluation, self._children, self._images,
            self._system, self._facts, self._log, self._files, self._foot,
        )  # fmt: skip
        body = "".join(part for section in sections for part in section())
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="referrer" content="no-referrer"><meta name="generator" content="runwidgets">'
            f"<title>{self._text(title)}</title><style>{SHEET}</style></head><body><main>{body}</main></body></html>\n"
        )

    def _text(self, value: str, limit: int = MAX_VALUE) -> str:
        """Give a text that may be anybody's as it stands in the page."""
        cut = value if len(value) <= limit else value[:limit] + "…"
        return escape(self._clean(cut))

    def _clean(self, value: str) -> str:
        return "".join(map(_shown, self._contents.scrub(value)))

    def _number(self, value: Any) -> str:
        return self._text(number(value))

    def _time(self, at: float) -> str:
        local = datetime.fromtimestamp(at, UTC).astimezone(self._contents.zone)
        return f'<time datetime="{local.isoformat(timespec="seconds")}">{local:%Y-%m-%d %H:%M:%S} UTC{local:%z}</time>'

    def _title(self) -> str:
        run_number = f" #{self._header['run_number']}" if self._header["run_number"] else ""
        return f"{self._header['experiment']} / {self._header['run_name']}{run_number}"

    def _head(self) -> Iterator[str]:
        header = self._header
        run_number = f' <span class="of">#{header["run_number"]}</span>' if header["run_number"] else ""
        yield f'<h1><span class="of">{self._text(header["experiment"])} / </span>{self._text(header["run_name"])}'
        yield f'{run_number}</h1><div class="state">'
        yield f"<span>{_dot(header['status_group'])}<b>{header['status']}</b></span>"
        if header["started_at"] is not None:
            yield f"<span>started {self._time(header['started_at'])}</span>"
        if header["ended_at"] is not None:
            yield f"<span>ended {self._time(header['ended_at'])}</span>"
        if words := elapsed_words(header):
            yield f"<span>{words}</span>"
        if header["progress"] is not None:
            yield f"<span>{self._text(' · '.join(progress_words(header['progress'])))}</span>"
        yield "</div>"
        if header["ended_at"] is None:
            yield f'<p class="note">As of {self._time(self._now)}: this page does not follow the run.</p>'
        record = self._view.record
        if record is not None and record.description:
            yield f"<p>{self._text(record.description)}</p>"

    def _error(self) -> Iterator[str]:
        if (error := self._header["error"]) is None:
            return
        message = self._text(error["message"], MAX_LOG_TEXT)
        yield f'<div class="error"><b>{self._text(error["code"])}</b> {message}</div>'
        if trace := error["traceback"]:
            text = self._text(trace[-MAX_LOG_TEXT:], MAX_LOG_TEXT)
            yield f"<details><summary>Traceback</summary><pre>{text}</pre></details>"

    def _metrics(self) -> Iterator[str]:
        # Of a document the table would have its path: it is drawn below.
        metrics = {name: metric for name, metric in self._view.metrics.items() if not metric.documents}
        state = metrics_state(replace(self._view, metrics=metrics), DEFAULT_CONTROLS)
        if not state["rows"]:
            return
        yield _heading("Metrics", state["total"])
        rows = []
        for row in state["rows"]:
            marks = row_marks(row)
            last, lowest, highest = (self._text(words) for words in row_numbers(row))
            values = (
                f'<td class="l words" colspan="3">{last}</td>' if row["kind"] == "text"
                else f"<td>{last}</td><td>{lowest}</td><td>{highest}</td>"
            )  # fmt: skip
            warning = f'<span class="warn">⚠ {marks}</span>' if marks else ""
            rows.append(
                f'<tr><th scope="row" class="l words">{self._text(row_name(row))}</th>{values}'
                f'<td>{number(row["count"])}</td><td class="l">{warning}</td></tr>'
            )
        yield _table(('<th class="l">metric', "<th>last", "<th>min", "<th>max", "<th>count", "<th>"), rows)
        yield _left_out(len(state["rows"]), state["total"], "rows of this table")

    def _charts(self) -> Iterator[str]:
        names = charted(self._view)
        started_at = self._header["started_at"]
        controls: MetricsControls = {**self._contents.controls, "smoothing": 0.0}
        drawn = ((name, draw(self._view.metrics[name], controls, started_at)) for name in names)
        yield from self._grid("Charts", drawn, len(names))

    def _system(self) -> Iterator[str]:
        found = gauges(self._view)
        drawn = (draw_gauge(metric, self._header["started_at"]) for metric in found)
        yield from self._grid("System", ((title, chart) for chart, title in drawn), len(found))

    def _grid(self, words: str, charts: Iterator[tuple[str, Chart]], total: int) -> Iterator[str]:
        if not total:
            return
        yield f'{_heading(words, total)}<div class="charts">'
        shown = size = 0
        while shown < min(total, MAX_CHARTS) and size < MAX_CHART_BYTES:
            title, chart = next(charts)
            card = self._chart(chart, title)
            yield card
            shown, size = shown + 1, size + len(card)
        yield f"</div>{_left_out(shown, total, 'charts')}"

    def _chart(self, chart: Chart, title: str) -> str:
        subtitle = f"<span>{self._text(chart.subtitle)}</span>" if chart.subtitle else ""
        last = f'<span class="last">{self._text(number(chart.last, chart.last_digits))}</span>' if chart.lines else ""
        legend = ""
        if len(chart.lines) > 1:
            last = ""
            entries = [
                f"<span>{swatch(place)}{self._text(line.label or title)}</span>"
                for place, line in enumerate(chart.lines)
            ]
            legend = f'<div class="legend">{"".join(entries)}</div>'
        notes = "".join(f'<span class="warn">{self._text(note)}</span>' for note in chart.notes)
        notes = f'<div class="legend">{notes}</div>' if notes else ""
        labelled = replace(chart, x_label=self._clean(chart.x_label))
        picture = chart_svg(labelled, self._clean(title), zone=self._contents.zone)
        return f'<div class="chart"><h3>{last}{self._text(title)}{subtitle}</h3>{legend}{notes}{picture}</div>'

    def _evaluation(self) -> Iterator[str]:
        figures = self._contents.figures
        if not figures:
            return
        yield f'{_heading("Evaluation", len(figures))}<div class="charts">'
        shown = size = 0
        for name, figure in figures[:MAX_CHARTS]:
            if size > MAX_CHART_BYTES:
                break
            for plate in plates(self._clean(name), figure, self._clean):
                card = (
                    f'<div class="chart"><h3>{escape(plate.title)}</h3><p class="note">{self._text(plate.words)}</p>'
                    f'<div class="legend">{legend_html(plate)}</div>{plate.svg}</div>'
                )
                yield card
                size += len(card)
            shown += 1
        yield f"</div>{_left_out(shown, len(figures), 'documents')}"

    def _children(self) -> Iterator[str]:
        names, children = told_children(self._view, self._now)
        rows = children[-MAX_CHILDREN:]
        if not rows:
            return
        total = len(self._view.children)
        yield _heading("Child runs", total)
        columns = list(zip(*(row["values"] for row in rows), strict=True))
        ends = [_ends(column) for column in columns]
        lines = []
        for row in rows:
            cells = "".join(
                f"<td{_marked(value, low, high)}>{self._number(value)}</td>"
                for value, (low, high) in zip(row["values"], ends, strict=True)
            )
            lines.append(
                f'<tr><td>{number(row["number"])}</td><th scope="row" class="l words">{self._text(row["name"])}</th>'
                f'<td class="l">{_dot(row["status_group"])}{row["status"]}</td>{cells}</tr>'
            )
        foot = ""
        if any(low is not None for low, _ in ends) and len(rows) > 1:
            foot = "".join(
                f'<tr><td></td><td class="l">{word}</td><td></td>'
                f"{''.join(f'<td>{self._number(end[i])}</td>' for end in ends)}</tr>"
                for i, word in enumerate(("lowest", "highest"))
            )
        heads = (
            "<th>#",
            '<th class="l">child run',
            '<th class="l">status',
            *(f"<th>{self._text(c)}" for c in names),
        )
        yield _table(heads, lines, foot)
        yield _left_out(len(rows), total, "child runs, the latest")

    def _images(self) -> Iterator[str]:
        total = self._contents.images_total
        if not total:
            return
        yield f'{_heading("Images", total)}<div class="gallery">'
        size = shown = 0
        for image in self._contents.images[:MAX_IMAGES]:
            size += len(image.data)
            if size > MAX_IMAGE_BYTES:
                break
            shown += 1
            yield self._image(image)
        yield f"</div>{_left_out(shown, total, 'images, the newest')}"

    def _image(self, image: Image) -> str:
        name = self._text(image.name + (f" #{image.number}" if image.number else ""))
        caption = f'<figcaption>{name} <span class="muted">{self._time(image.logged_at)}</span></figcaption>'
        if not image.data:
            return f'<figure><p class="note">{self._text(image.note or "not shown")}</p>{caption}</figure>'
        text = base64.b64encode(image.data).decode()
        return f'<figure><img alt="{name}" src="data:{escape(image.mime)};base64,{text}">{caption}</figure>'

    def _facts(self) -> Iterator[str]:
        record, view = self._view.record, self._view
        if view.tags:
            entries = [key if value is None else f"{key} = {value}" for key, value in sorted(view.tags.items())]
            yield f'{_heading("Tags")}<ul class="tags">{"".join(f"<li>{self._text(e)}</li>" for e in entries)}</ul>'
        # Neither the process nor the name of its machine is of use elsewhere.
        facts = [("Run id", record.run_id), ("Experiment", record.experiment)] if record else []
        if record and record.parent_id:
            facts.append(("Parent run", record.parent_id))
        facts += sorted(view.properties.items())
        if facts:
            rows = [
                f'<tr><th scope="row" class="l words">{self._text(label)}</th>'
                f'<td class="l words">{self._text(value)}</td></tr>'
                for label, value in facts
            ]
            yield f"{_heading('Details')}{_table((), rows)}"

    def _log(self) -> Iterator[str]:
        lines = [line.rstrip() for line in self._contents.log]
        while lines and not lines[-1]:
            lines.pop()
        if not lines:
            return
        lines = "\n".join(lines[-MAX_LOG_LINES:])[-MAX_LOG_TEXT:].split("\n")
        before, last = ("\n".join(part) for part in (lines[:-_OPEN_LOG_LINES], lines[-_OPEN_LOG_LINES:]))
        yield f"<h2>Log<span>its end</span></h2><pre>{self._text(last, MAX_LOG_TEXT)}</pre>"
        if before:
            yield f"<details><summary>{number(len(lines) - _OPEN_LOG_LINES)} lines before these</summary>"
            yield f"<pre>{self._text(before, MAX_LOG_TEXT)}</pre></details>"

    def _files(self) -> Iterator[str]:
        files = sorted(self._view.files.values(), key=lambda file: file.path)
        if not files:
            return
        yield _heading("Files", len(files))
        rows = [
            f'<tr><td class="l words">{self._text(file.path)}</td><td>{_size(file.size)}</td></tr>'
            for file in files[:MAX_FILES]
        ]
        yield '<p class="note">Their names; the files are not in this page.</p>'
        yield _table(('<th class="l">file', "<th>size"), rows)
        yield _left_out(len(rows), len(files), "files")

    def _foot(self) -> Iterator[str]:
        yield f"<footer>Made by runwidgets, {self._time(self._now)}. Paths of the machine are shortened to their ends, "
        yield "and what looks like a secret is •••; other words are as they were logged.</footer>"


def _shown(character: str) -> str:
    """Give a character, but for those that would turn the line around or do other things that cannot be seen."""
    if (
        character in "\n\t"
        or not unicodedata.category(character).startswith("C")
        or character == "\N{ZERO WIDTH JOINER}"
    ):
        return character
    return "�"


def _dot(group: str) -> str:
    return f'<span class="dot {group}" aria-hidden="true">●</span>'


def _heading(words: str, count: int = 0) -> str:
    return f"<h2>{words}{f'<span>{number(count)}</span>' if count else ''}</h2>"


def _table(heads: Sequence[str], rows: Sequence[str], foot: str = "") -> str:
    """Draw a table; of a long one only the first rows are unfolded."""
    shown = rows if len(rows) <= _OPEN_ROWS + _OPEN_ROWS // 4 else rows[:_OPEN_ROWS]
    more = rows[len(shown) :]
    head = f"<thead><tr>{''.join(f'{cell}</th>' for cell in heads)}</tr></thead>" if heads else ""
    foot = f"<tfoot>{foot}</tfoot>" if foot else ""
    parts = [f'<div class="wide"><table>{head}<tbody>{"".join(shown)}</tbody>{foot}</table></div>']
    if more:
        parts.append(f"<details><summary>{number(len(more))} more</summary>")
        parts.append(f'<div class="wide"><table>{head}<tbody>{"".join(more)}</tbody></table></div></details>')
    return "".join(parts)


def _left_out(shown: int, total: int, of_what: str) -> str:
    return f'<p class="note">{number(shown)} of {number(total)} {of_what}.</p>' if shown < total else ""


def _ends(values: Sequence[Any]) -> tuple[float | None, float | None]:
    """Give the lowest and the highest of values in wire form that are finite numbers."""
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return (min(numbers), max(numbers)) if numbers else (None, None)


def _marked(value: Any, low: float | None, high: float | None) -> str:
    """Give the attributes of a cell that has the lowest or the highest of its column."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or low == high:
        return ""
    return ' class="best"' if value in (low, high) else ""


def _size(count: int) -> str:
    """Give a number of bytes as people say it."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":  # noqa: PLR2004 (decimal units)
            break
        size /= 1000
    return f"{number(round(size, 1))} {unit}"
