"""What a person sees of a run, as a pure fold: `fold` takes a view and a delta and gives the next view.

Views are never changed in place, so that any thread may show one while the next is being made.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from runwidgets.records import VECTOR_COLUMN, FileRecord, MetricKind, RunStatus
from runwidgets.store.thinning import Thinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from runwidgets.records import Block, ChildRecord, MetricDelta, RunDelta, RunRecord
    from runwidgets.values import Column, Value

BESIDE: Final = ("step", "time", "over")
"""Rows of `Thinned.beside` in a column's series: its step, its time, and the table's first numeric column."""


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


def fold(view: RunView, delta: RunDelta, silent: frozenset[str] = frozenset()) -> RunView:
    """Give the view after a change.

    Parameters
    ----------
    view
        The view before; ``RunView()`` at first.
    delta
        What changed since.
    silent
        Ids of the runs whose process is gone, as of now.
    """
    metrics = dict(view.metrics) if delta.metrics else view.metrics
    for change in delta.metrics:
        metrics[change.name] = _fold_metric(view.metrics.get(change.name), change)  # type: ignore[index]
    return replace(
        view,
        record=delta.run or view.record,
        tags=view.tags if delta.tags is None else delta.tags,
        properties=view.properties if delta.properties is None else delta.properties,
        metrics=metrics,
        children=_fold_children(view.children, delta.children),
        files={**view.files, **{file.path: file for file in delta.files}} if delta.files else view.files,
        silent=silent,
    )


def _fold_children(children: Mapping[str, ChildRecord], changes: Iterable[ChildRecord]) -> Mapping[str, ChildRecord]:
    changed = {
        child.run.run_id: type(child)(
            child.run, {**(children[child.run.run_id].last if child.run.run_id in children else {}), **child.last}
        )
        for child in changes
    }
    return {**children, **changed} if changed else children


def _fold_metric(before: MetricView | None, change: MetricDelta) -> MetricView:
    view = before or MetricView(change.name, change.kind, {})
    columns = {name: view.columns.get(name, ColumnView(name)) for name in change.columns}
    images = view.images
    over_name = next((name for name in change.columns if not _is_text(columns[name], change.blocks)), None)
    for block in change.blocks:
        if change.kind is MetricKind.IMAGE:
            images += _images(block)
            continue
        over = _floats(block, over_name)
        for name, column in columns.items():
            packed = block.columns.get(name)
            if packed is not None:
                columns[name] = _fold_column(column, packed, block, over)
    return MetricView(change.name, change.kind, columns, images)


def _is_text(column: ColumnView, blocks: Iterable[Block]) -> bool:
    return column.is_text or any(b.columns[column.name].is_text for b in blocks if column.name in b.columns)


def _images(block: Block) -> tuple[tuple[float, str], ...]:
    if VECTOR_COLUMN not in block.columns:  # a row was logged under an image's name
        return ()
    times = block.times.to_floats().tolist()
    paths = block.columns[VECTOR_COLUMN].to_list()
    return tuple((at, str(path)) for at, path in zip(times, paths, strict=True) if path is not None)


def _floats(block: Block, name: str | None) -> NDArray[np.float64]:
    packed = block.columns.get(name) if name is not None else None
    return packed.to_floats() if packed is not None else np.full(len(block), np.nan)


def _fold_column(column: ColumnView, packed: Column, block: Block, over: NDArray[np.float64]) -> ColumnView:
    present = ~packed.missing()
    y = packed.to_floats()[present]
    steps = block.steps.to_floats()
    beside = np.stack([steps, block.times.to_floats(), over])[:, present]
    index = np.arange(block.first_index, block.first_index + len(block), dtype=np.int64)[present]
    finite = y[np.isfinite(y)]
    return ColumnView(
        name=column.name,
        count=column.count + packed.count_present(),
        last=packed.last() if packed.count_present() else column.last,
        minimum=_extreme(min, column.minimum, finite),
        maximum=_extreme(max, column.maximum, finite),
        nan_count=column.nan_count + int(np.isnan(y).sum()),
        inf_count=column.inf_count + int(np.isinf(y).sum()),
        has_steps=column.has_steps or bool(np.isfinite(beside[0]).any()),
        is_text=column.is_text or packed.is_text,
        series=column.series.extended(index, y, beside),
    )


def _extreme(
    better: Callable[[float, float], float], before: float | None, values: NDArray[np.float64]
) -> float | None:
    if not len(values):
        return before
    here = float(values.min() if better is min else values.max())
    return here if before is None else better(before, here)
