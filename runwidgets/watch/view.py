"""What a person sees of a run, as a pure fold: `fold` takes a view and a delta and gives the next view.

Views are never changed in place, so that any thread may show one while the next is being made.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from runwidgets.records import VECTOR_COLUMN, Block, FileRecord, MetricKind, RunStatus
from runwidgets.store.summaries import MICROSECONDS, parts_of
from runwidgets.store.thinning import Thinned, natural_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runwidgets.records import ChildRecord, MetricDelta, RunDelta, RunRecord, StatusChange, Summary
    from runwidgets.store.summaries import Part
    from runwidgets.values import Value

SYSTEM_PREFIX: Final = "system/"
"""How the names of metrics begin that were sampled of a script's processes."""


@dataclass(frozen=True)
class ColumnView:
    """One column of one metric.

    Attributes
    ----------
    count
        How many values, NaN and the infinities included, None not.
    last
        The last value logged, whatever it is, but for None: that is also what a row without this column has.
    minimum, maximum
        Of the finite values; None where there are none.
    is_text
        Whether a string or boolean was among the values: then it is listed and not drawn.
    series
        The numbers, thinned.
    """

    name: str
    count: int = 0
    last: Value = None
    minimum: float | None = None
    maximum: float | None = None
    nan_count: int = 0
    inf_count: int = 0
    has_steps: bool = False
    is_text: bool = False
    series: Thinned = field(default_factory=Thinned)


@dataclass(frozen=True)
class MetricView:
    """One metric: its columns in order of appearance, or the pictures it names."""

    name: str
    kind: MetricKind
    columns: dict[str, ColumnView]
    images: tuple[tuple[float, str], ...] = ()
    """For an image metric: when each was logged, and its path."""
    row_count: int = 0
    """How many rows were logged, those of None included."""
    documents: tuple[tuple[float, str], ...] = ()
    """For a metric of JSON documents: when each was logged, and its path."""

    @property
    def is_system(self) -> bool:
        """Whether it was sampled of the script's processes, and not logged by it."""
        return self.name.startswith(SYSTEM_PREFIX)

    @property
    def numeric(self) -> list[ColumnView]:
        """The columns that can be drawn."""
        return [column for column in self.columns.values() if column.count and not column.is_text]


@dataclass(frozen=True)
class RunView:
    """All that is shown of one run."""

    record: RunRecord | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    history: tuple[StatusChange, ...] = ()
    """The states that the run has been in, by time."""
    metrics: Mapping[str, MetricView] = field(default_factory=dict)
    children: Mapping[str, ChildRecord] = field(default_factory=dict)
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    """Ids of runs, this one or children, that are recorded as unfinished but whose process is gone."""

    @property
    def status(self) -> RunStatus:
        """The status of the run as it is shown."""
        return self.status_of(self.record)

    def status_of(self, record: RunRecord | None) -> RunStatus:
        """Give the status of this run or a child as it is shown."""
        if record is None:
            return RunStatus.NOT_STARTED
        return RunStatus.NOT_RESPONDING if record.run_id in self.silent else record.status


def fold(
    view: RunView, delta: RunDelta, silent: frozenset[str] = frozenset(), *, buckets: int | None = None
) -> RunView:
    """Give the view after a change.

    Parameters
    ----------
    view
        The view before; ``RunView()`` at first.
    delta
        What changed since.
    silent
        Ids of the runs whose process is gone, as of now.
    buckets
        In how many a series is thinned, where there was nothing of it before; None for the usual number.
    """
    metrics = dict(view.metrics) if delta.metrics else view.metrics
    for change in delta.metrics:
        metrics[change.name] = _fold_metric(view.metrics.get(change.name), change, buckets)  # type: ignore[index]
    return replace(
        view,
        record=delta.run or view.record,
        tags=view.tags if delta.tags is None else delta.tags,
        properties=view.properties if delta.properties is None else delta.properties,
        history=view.history if delta.history is None else delta.history,
        metrics=metrics,
        children=_fold_children(view.children, delta.children),
        files={**view.files, **{file.path: file for file in delta.files}} if delta.files else view.files,
        silent=silent,
    )


def _fold_children(children: Mapping[str, ChildRecord], changes: Iterable[ChildRecord]) -> Mapping[str, ChildRecord]:
    changed = {child.run.run_id: _fold_child(children.get(child.run.run_id), child) for child in changes}
    return {**children, **changed} if changed else children


def _fold_child(before: ChildRecord | None, change: ChildRecord) -> ChildRecord:
    if before is None:
        return change
    return type(change)(
        change.run, {**before.last, **change.last}, before.repeated | change.repeated, change.tags, change.properties
    )


def _fold_metric(before: MetricView | None, change: MetricDelta, buckets: int | None) -> MetricView:
    view = before or MetricView(change.name, change.kind, {})
    columns = {
        name: view.columns.get(name) or ColumnView(name, series=Thinned(buckets=buckets)) for name in change.columns
    }
    if change.kind is MetricKind.IMAGE:
        images = view.images + _paths(change)
        return MetricView(change.name, change.kind, columns, images, change.row_count)
    over_name = next((name for name in change.columns if not _is_text(columns[name], change.parts)), None)
    found: dict[str, list[Part]] = {}
    for rows in change.parts:
        for name, part in parts_of(rows, over_name):
            found.setdefault(name, []).append(part)
    for name, parts in found.items():
        columns[name] = _fold_column(columns[name], parts)
    # Also where the last rows lack a value: one who comes late reads them all in buckets of this width.
    width = natural_width(change.row_count, buckets)
    for name, column in columns.items():
        if column.series.width < width:
            columns[name] = replace(column, series=column.series.widened(width))
    documents = view.documents + _paths(change) if change.kind.is_document else view.documents
    return MetricView(change.name, change.kind, columns, view.images, change.row_count, documents)


def _is_text(column: ColumnView, parts: Iterable[Block | Summary]) -> bool:
    return column.is_text or any(p.columns[column.name].is_text for p in parts if column.name in p.columns)


def _paths(change: MetricDelta) -> tuple[tuple[float, str], ...]:
    return tuple(path for block in change.blocks for path in _paths_in(block))


def _paths_in(block: Block) -> tuple[tuple[float, str], ...]:
    if VECTOR_COLUMN not in block.columns:  # a row was logged under the name of one with files
        return ()
    times = (block.times.to_floats() / MICROSECONDS).tolist()
    paths = block.columns[VECTOR_COLUMN].to_list()
    return tuple((at, str(path)) for at, path in zip(times, paths, strict=True) if path is not None)


def _fold_column(column: ColumnView, parts: list[Part]) -> ColumnView:
    index, y, beside = parts[0].index, parts[0].y, parts[0].beside
    if len(parts) > 1:  # thinned together: it gives the same as one after the other
        index = np.concatenate([part.index for part in parts])
        y = np.concatenate([part.y for part in parts])
        beside = np.concatenate([part.beside for part in parts], axis=1)
    minimum, maximum = column.minimum, column.maximum
    for part in parts:
        minimum, maximum = _best(min, minimum, part.minimum), _best(max, maximum, part.maximum)
    return ColumnView(
        name=column.name,
        count=column.count + sum(part.count for part in parts),
        last=next((part.last for part in reversed(parts) if part.count), column.last),
        minimum=minimum,
        maximum=maximum,
        nan_count=column.nan_count + sum(part.nan_count for part in parts),
        inf_count=column.inf_count + sum(part.inf_count for part in parts),
        has_steps=column.has_steps or bool(np.isfinite(beside[0]).any()),
        is_text=column.is_text or any(part.is_text for part in parts),
        series=column.series.extended(index, y, beside, width=max(part.width for part in parts)),
    )


def _best(better: Callable[[float, float], float], before: float | None, here: float | None) -> float | None:
    if before is None or here is None:
        return here if before is None else before
    return better(before, here)
