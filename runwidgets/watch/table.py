"""The table of metrics, and which of them have charts: worked out once for each metric, and again when it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict

from runwidgets.records import MetricKind
from runwidgets.watch.lines import has_chart, label_of, matches
from runwidgets.watch.wire import MAX_ROWS, PAGE_SIZE, MetricRow, metric_row

if TYPE_CHECKING:
    from runwidgets.watch.view import MetricView, RunView
    from runwidgets.watch.wire import MetricsControls, MetricsState


class MetricsPatch(TypedDict):
    """``MetricsPatch``."""

    kind: Literal["patch"]
    version: int
    rows: list[tuple[int, MetricRow]]
    total: int
    matching: int
    chart_count: int
    page: int
    page_count: int


@dataclass
class _Entry:
    metric: MetricView
    labels: list[str]
    has_chart: bool
    rows: list[MetricRow] | None = None
    """One for each column, in their order; None until they are asked for."""


class MetricTable:
    """What is listed and drawn of the metrics of one run. A look that changes few of many metrics costs little."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._order: list[str] = []
        self._column_count = 0

    def state(self, view: RunView, controls: MetricsControls) -> MetricsState:
        """Give what `metrics_state` gives."""
        self._take(view)
        rows: list[MetricRow] = []
        matching = charts = 0
        wanted = controls["filter"].strip()
        for name in self._order:
            entry = self._entries[name]
            if wanted:
                shown = [i for i, label in enumerate(entry.labels) if matches(label, wanted)]
                if not shown:
                    continue
                matching += len(shown)
                if len(rows) < MAX_ROWS:
                    found = _rows(entry)
                    rows += [found[i] for i in shown]
            elif len(rows) < MAX_ROWS:
                rows += _rows(entry)
            charts += entry.has_chart
        pages = max(1, -(-charts // PAGE_SIZE))
        return {
            "version": 0,
            "rows": rows[:MAX_ROWS],
            "total": self._column_count,
            "matching": matching if wanted else self._column_count,
            "chart_count": charts,
            "page": min(controls["page"], pages - 1),
            "page_count": pages,
            "page_size": PAGE_SIZE,
        }

    def charted(self, view: RunView, matching: str = "") -> list[str]:
        """List the metrics that have a chart, by name, those of which a label passes the filter.

        Those that were sampled of the script's processes have theirs elsewhere: `runwidgets.watch.gauges`.
        """
        self._take(view)
        charts = [name for name in self._order if self._entries[name].has_chart]
        if not matching.strip():
            return charts
        return [name for name in charts if any(matches(label, matching) for label in self._entries[name].labels)]

    def _take(self, view: RunView) -> None:
        entries = self._entries
        is_longer = False
        for name, metric in view.metrics.items():
            entry = entries.get(name)
            if entry is not None and entry.metric is metric:
                continue
            if metric.kind is MetricKind.IMAGE or metric.is_system:
                continue
            is_longer |= entry is None
            labels = [label_of(metric, column) for column in metric.columns.values()]
            self._column_count += len(labels) - (len(entry.labels) if entry else 0)
            entries[name] = _Entry(metric, labels, has_chart(metric))
        if is_longer:
            self._order = sorted(entries, key=str.casefold)


def _rows(entry: _Entry) -> list[MetricRow]:
    if entry.rows is None:
        metric = entry.metric
        alone = metric.name if metric.kind is MetricKind.TABLE else None
        entry.rows = [metric_row(metric, column.name or alone, column) for column in metric.columns.values()]
    return entry.rows


def patch_between(before: MetricsState, after: MetricsState) -> MetricsPatch | None:
    """Give what turns one state into the next; None where rows came, went or moved: then that is sent whole."""
    old, new = before["rows"], after["rows"]
    if len(old) != len(new):
        return None
    rows: list[tuple[int, MetricRow]] = []
    for place, (a, b) in enumerate(zip(old, new, strict=True)):
        if a is b:
            continue
        if (a["name"], a["column"]) != (b["name"], b["column"]):
            return None
        if a != b:
            rows.append((place, b))
    if len(rows) > len(new) // 2:
        return None
    return {
        "kind": "patch",
        "version": after["version"],
        "rows": rows,
        "total": after["total"],
        "matching": after["matching"],
        "chart_count": after["chart_count"],
        "page": after["page"],
        "page_count": after["page_count"],
    }
