"""What crosses the wire to the panels in ``js/src``: a run view as JSON states.

Each class mirrors the interface of its name in ``js/src/wire.ts``, key for key; ``tests/golden/wire.json`` holds one
example of each and is read by the tests of both sides. All functions here are pure.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

import numpy as np

from runwidgets.records import MetricKind, RunStatus
from runwidgets.values import wire_value
from runwidgets.watch.beside import NOTHING_BESIDE, is_script
from runwidgets.watch.lines import charted, label_of, matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runwidgets.records import Progress, RunError, RunRecord
    from runwidgets.store.thinning import Thinned
    from runwidgets.watch.bars import Bar
    from runwidgets.watch.beside import Beside
    from runwidgets.watch.lines import Chart
    from runwidgets.watch.view import ColumnView, MetricView, RunView

MAX_ROWS: Final = 500
MAX_FILES: Final = 500
MAX_TEXT: Final = 1000
PAGE_SIZE: Final = 12
SPARK_POINTS: Final = 48
TabId = Literal["metrics", "children", "images", "details", "logs", "system", "evaluation"]
TABS: Final[tuple[tuple[TabId, str], ...]] = (
    ("metrics", "Metrics"), ("children", "Child runs"), ("images", "Images"), ("details", "Details"), ("logs", "Logs"),
    ("system", "System"), ("evaluation", "Evaluation"),
)  # fmt: skip
"""All tabs, always in this order. Those that not every run has are last: one that came up later would else move the
others under the pointer."""
MAX_UNIT: Final = 32
PALETTE: Final = tuple(
    f"var(--rw-series-{number}, {color})"
    for number, color in enumerate((
        "#3b76d6", "#d9772b", "#2f9e6b", "#b4519e", "#7a5a2b", "#17a2b8", "#c8383f", "#6a3fb5",
        "#8a9a1b", "#66707c", "#c9a400", "#0b5d57",
    ))
)  # fmt: skip
"""Colours of the lines of one chart: the stylesheet has those of the theme, these are the light one's."""


class ProgressState(TypedDict):
    """``Progress``."""

    done: float
    total: float | None
    unit: str
    seconds_left: float | None
    is_from_output: bool


class ErrorState(TypedDict):
    """``RunError``."""

    code: str
    message: str
    traceback: str | None


class Tab(TypedDict):
    """``Tab``."""

    id: TabId
    title: str
    count: int | None
    is_shown: bool


class HeaderState(TypedDict):
    """``HeaderState``."""

    run_id: str
    run_name: str
    run_number: int | None
    experiment: str
    status: str
    status_group: str
    queue: str | None
    started_at: float | None
    ended_at: float | None
    sent_at: float
    next_refresh_at: float | None
    progress: ProgressState | None
    error: ErrorState | None
    banner: str | None
    can_cancel: bool
    open_children: int
    cancel_trouble: str | None
    tabs: list[Tab]


class MetricRow(TypedDict):
    """``MetricRow``."""

    name: str
    column: str | None
    kind: Literal["numeric", "text"]
    last: Any
    min: Any
    max: Any
    count: int
    nan_count: int
    inf_count: int
    spark: list[int | None]


class MetricsState(TypedDict):
    """``MetricsState``."""

    rows: list[MetricRow]
    total: int
    matching: int
    chart_count: int
    page: int
    page_count: int
    page_size: int


class MetricsControls(TypedDict):
    """``MetricsControls``."""

    filter: str
    smoothing: float
    x_axis: Literal["step", "index", "time", "relative"]
    y_scale: Literal["linear", "log"]
    columns: Literal[1, 2, 3]
    page: int


class LegendEntry(TypedDict):
    """One line of ``HeadingState.legend``."""

    label: str
    color: str


class RowsMessage(TypedDict):
    """``RowsMessage``."""

    kind: Literal["rows"]
    name: str
    columns: list[str]
    start: int
    total: int
    rows: list[list[Any]]
    trouble: str | None


class HeadingState(TypedDict):
    """``HeadingState``."""

    title: str
    subtitle: str | None
    last: Any
    last_digits: int
    legend: list[LegendEntry]
    notes: list[str]


class ImageItem(TypedDict):
    """``ImageItem``."""

    name: str
    number: int | None
    path: str
    size: int
    logged_at: float
    mime: str
    note: str | None


class ImagesState(TypedDict):
    """``ImagesState``."""

    images: list[ImageItem]
    total: int


class LogsState(TypedDict):
    """``LogsState``."""

    logs: list[str]
    is_open: bool


class LogsControls(TypedDict):
    """``LogsControls``."""

    name: str | None
    wrap: bool


class LogMessage(TypedDict):
    """``LogMessage``."""

    kind: Literal["log", "download"]
    name: str
    content: int
    start: int
    end: int
    size: int
    trouble: str | None


DEFAULT_CONTROLS: Final[MetricsControls] = {
    "filter": "", "smoothing": 0.0, "x_axis": "step", "y_scale": "linear", "columns": 2, "page": 0,
}  # fmt: skip

DEFAULT_LOGS_CONTROLS: Final[LogsControls] = {"name": None, "wrap": False}


def checked_controls(sent: Mapping[str, Any]) -> MetricsControls:
    """Take controls as a browser sent them; what is not of the contract becomes the default."""
    controls: MetricsControls = {**DEFAULT_CONTROLS}
    if isinstance(text := sent.get("filter"), str):
        controls["filter"] = text[:MAX_TEXT]
    if isinstance(weight := sent.get("smoothing"), (int, float)) and 0 <= weight < 1:
        controls["smoothing"] = float(weight)
    if (x_axis := sent.get("x_axis")) in ("step", "index", "time", "relative"):
        controls["x_axis"] = x_axis
    if (y_scale := sent.get("y_scale")) in ("linear", "log"):
        controls["y_scale"] = y_scale
    if (columns := sent.get("columns")) in (1, 2, 3):
        controls["columns"] = columns
    if isinstance(page := sent.get("page"), int) and page >= 0:
        controls["page"] = page
    return controls


# ---- states


def run_name(record: RunRecord) -> str:
    """Give the name that a run is shown by."""
    return record.name or f"run_{record.run_id}"


def header_state(
    view: RunView, now: float, next_refresh_at: float | None, trouble: str | None, beside: Beside = NOTHING_BESIDE
) -> HeaderState:
    """Give the header of a run.

    Parameters
    ----------
    view
        The run.
    now
        The time at this side, so that the browser can correct its clock.
    next_refresh_at
        When the next look is due.
    trouble
        Why the last look failed, or None.
    beside
        What is known of the run that is not in the view.
    """
    record = view.record
    status = view.status
    if beside.is_canceling and not status.is_final:
        status = RunStatus.CANCEL_REQUESTED
    evaluations = sum(bool(metric.documents) for metric in view.metrics.values())
    counts: dict[TabId, int | None] = {
        "metrics": len(_shown_metrics(view)),
        "children": len(view.children),
        "images": sum(len(metric.images) for metric in view.metrics.values()),
        "details": None,
        "logs": beside.log_count,
        "system": None,
        "evaluation": evaluations,
    }
    shown = {
        "logs": beside.log_count > 0 or is_script(record),
        "system": any(metric.is_system for metric in view.metrics.values()),
        "evaluation": evaluations > 0,
    }
    return {
        "run_id": record.run_id if record else "",
        "run_name": run_name(record) if record else "",
        "run_number": record.number if record else None,
        "experiment": record.experiment if record else "",
        "status": status.value,
        "status_group": status.group,
        "queue": beside.queue if status is RunStatus.QUEUED else None,
        "started_at": record.started_at if record else None,
        "ended_at": record.ended_at if record else None,
        "sent_at": now,
        "next_refresh_at": next_refresh_at,
        "progress": _progress(record, beside.bar, now, is_final=status.is_final) if record else None,
        "error": _error_state(record.error) if record and record.error else None,
        "banner": trouble,
        "can_cancel": record is not None and not status.is_final and status is not RunStatus.CANCEL_REQUESTED,
        "open_children": sum(not view.status_of(child.run).is_final for child in view.children.values()),
        "cancel_trouble": None if status.is_final else beside.cancel_trouble,
        "tabs": [
            {"id": name, "title": title, "count": counts[name] or None, "is_shown": shown.get(name, True)}
            for name, title in TABS
        ],
    }


def _progress(record: RunRecord, bar: tuple[Bar, float] | None, now: float, *, is_final: bool) -> ProgressState | None:
    """Give what the run has reported of its progress; where it has not, what it prints of it until it ends."""
    if record.progress is not None:
        return progress_state(record.progress, now, is_final=is_final)
    return None if bar is None or is_final else _bar_state(*bar, now)


def _bar_state(bar: Bar, at: float, now: float) -> ProgressState:
    left = None if bar.seconds_left is None else bar.seconds_left - max(0.0, now - at)
    if left is not None and left < 1:
        left = None
    return {
        "done": bar.done, "total": bar.total, "unit": _short(bar.unit), "seconds_left": left, "is_from_output": True,
    }  # fmt: skip


def _short(unit: str) -> str:
    return unit if len(unit) <= MAX_UNIT else unit[: MAX_UNIT - 1] + "…"


def progress_state(progress: Progress, now: float, *, is_final: bool) -> ProgressState | None:
    """Give what a run has reported of its progress, and for how long it will go on at this pace."""
    if not math.isfinite(progress.done):
        return None
    left = None
    total = progress.total if progress.total is not None and math.isfinite(progress.total) else None
    gained = progress.done - progress.first_done
    if total is not None and gained > 0 and not is_final:
        at_report = (total - progress.done) / gained * (progress.at - progress.first_at)
        left = at_report - max(0.0, now - progress.at)
    if left is not None and left < 1:  # the estimate has run out, and the run has not
        left = None
    return {
        "done": progress.done, "total": total, "unit": _short(progress.unit), "seconds_left": left,
        "is_from_output": False,
    }  # fmt: skip


def _error_state(error: RunError) -> ErrorState:
    # What was never raised has a traceback of one line, which says code and message again.
    told = error.traceback is not None and error.traceback.strip() in {
        error.code,
        f"{error.code}: {error.message}".strip(),
    }
    return {"code": error.code, "message": error.message, "traceback": None if told else error.traceback}


def _shown_metrics(view: RunView) -> list[MetricView]:
    return [metric for metric in view.metrics.values() if metric.kind is not MetricKind.IMAGE and not metric.is_system]


def metrics_state(view: RunView, controls: MetricsControls) -> MetricsState:
    """Give the metric table, filtered, and the place of the page of charts."""
    rows: list[MetricRow] = []
    total = matching = 0
    for metric in sorted(_shown_metrics(view), key=lambda metric: metric.name.casefold()):
        columns = [c for c in metric.columns.values() if matches(label_of(metric, c), controls["filter"])]
        total += len(metric.columns)
        matching += len(columns)
        is_table = metric.kind is MetricKind.TABLE
        if len(rows) < MAX_ROWS:
            rows += [_metric_row(metric, c.name or (metric.name if is_table else None), c) for c in columns]
    charts = len(charted(view, controls["filter"]))
    pages = max(1, -(-charts // PAGE_SIZE))
    return {
        "rows": rows[:MAX_ROWS],
        "total": total,
        "matching": matching,
        "chart_count": charts,
        "page": min(controls["page"], pages - 1),
        "page_count": pages,
        "page_size": PAGE_SIZE,
    }


def _metric_row(metric: MetricView, column_name: str | None, column: ColumnView) -> MetricRow:
    return {
        "name": metric.name,
        "column": column_name,
        "kind": "text" if column.is_text else "numeric",
        "last": shortened(column.last),
        "min": None if column.is_text else column.minimum,
        "max": None if column.is_text else column.maximum,
        "count": metric.row_count if metric.kind is MetricKind.VECTOR else column.count,
        "nan_count": column.nan_count,
        "inf_count": column.inf_count,
        "spark": [] if column.is_text else spark(column.series),
    }


def shortened(value: Any) -> Any:
    """Give a value in wire form, a very long text cut."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[:MAX_TEXT] + "…"
    return wire_value(value)


def spark(series: Thinned, points: int = SPARK_POINTS) -> list[int | None]:
    """Give a series as a few heights from 0 to 100, None where a value is not finite."""
    y = series.y
    if len(y) > points:
        y = y[np.linspace(0, len(y) - 1, points).round().astype(int)]
    finite = np.isfinite(y)
    if not finite.any():
        return [None] * len(y)
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = y[finite].min(), y[finite].max()
        heights = (y / 2 - low / 2) / (high / 2 - low / 2) * 100 if high > low else np.full(len(y), 50.0)
    return [round(h) if ok else None for h, ok in zip(heights.tolist(), finite.tolist(), strict=True)]


def heading_state(chart: Chart, title: str) -> HeadingState:
    """Give the heading of one chart."""
    several = len(chart.lines) > 1
    return {
        "title": title,
        "subtitle": chart.subtitle,
        "last": shortened(chart.last),
        "last_digits": chart.last_digits,
        "legend": [
            {"label": line.label or title, "color": PALETTE[i % len(PALETTE)]}
            for i, line in enumerate(chart.lines)
            if several
        ],
        "notes": list(chart.notes),
    }


def logs_state(names: list[str], *, is_open: bool) -> LogsState:
    """Give the logs that a run has.

    Parameters
    ----------
    names
        Their names, in the order in which they are offered.
    is_open
        Whether their tab is the open one.
    """
    return {"logs": names[:MAX_FILES], "is_open": is_open}
