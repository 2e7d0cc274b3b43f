"""Metrics in the shapes that `Run.get_metrics` gives, those of SDK v1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runwidgets.records import VECTOR_COLUMN, MetricKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runwidgets.records import MetricDelta
    from runwidgets.values import Value


def column_values(metric: MetricDelta, column: str) -> list[Value]:
    """Give all values of one column, None where a row has no such column."""
    values: list[Value] = []
    for block in metric.blocks:
        packed = block.columns.get(column)
        values.extend(packed.to_list() if packed is not None else [None] * len(block))
    return values


def sdk_shape(metric: MetricDelta, run_id: str) -> Any:
    """Give a metric as SDK v1 does.

    Returns
    -------
    object
        A vector as a list in order of logging, as a bare value where it has just one; a table as a dict of columns,
        each likewise; an image as the identifier of its (first) file.
    """
    if metric.kind is MetricKind.TABLE:
        names = {name: name or metric.name for name in metric.columns}
        return {shown: _unwrapped(column_values(metric, name)) for name, shown in names.items()}
    values = column_values(metric, VECTOR_COLUMN)
    if metric.kind is MetricKind.IMAGE:
        return f"aml://artifactId/ExperimentRun/dcid.{run_id}/{values[0]}"
    return _unwrapped(values)


def _unwrapped(values: list[Value]) -> Any:
    return values[0] if len(values) == 1 else values


def sdk_metrics(metrics: Iterable[MetricDelta], run_id: str) -> dict[str, Any]:
    """Give metrics by name, each in the shape of `sdk_shape`."""
    return {metric.name: sdk_shape(metric, run_id) for metric in metrics}
