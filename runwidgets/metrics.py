"""Metrics in the shapes that `Run.get_metrics` gives, those of SDK v1."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from runwidgets.artifacts import ImageArtifact, JsonArtifact, identifier
from runwidgets.errors import NotFoundError, UserError
from runwidgets.records import VECTOR_COLUMN, MetricKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from runwidgets.artifacts import Artifact
    from runwidgets.records import MetricDelta
    from runwidgets.values import Value

_log = logging.getLogger(__name__)


def column_values(metric: MetricDelta, column: str) -> list[Value]:
    """Give all values of one column, None where a row has no such column."""
    values: list[Value] = []
    for block in metric.blocks:
        packed = block.columns.get(column)
        values.extend(packed.to_list() if packed is not None else [None] * len(block))
    return values


def column_name(metric: MetricDelta, column: str) -> str:
    """Give the name of a table's column: that of the metric for the values of a vector, if no column is called so."""
    return column or ("" if metric.name in metric.columns else metric.name)


def sdk_shape(metric: MetricDelta, run_id: str) -> Any:
    """Give a metric as SDK v1 does.

    Returns
    -------
    object
        A vector as a list in order of logging, as a bare value where it has just one; a table as a dict of columns,
        each likewise; an image or a JSON document as the identifier of its (first) file.
    """
    if metric.kind is MetricKind.TABLE:
        return {column_name(metric, name): _unwrapped(column_values(metric, name)) for name in metric.columns}
    values = column_values(metric, VECTOR_COLUMN)
    if metric.kind is MetricKind.IMAGE or metric.kind.is_document:
        return identifier(run_id, str(values[0]))
    return _unwrapped(values)


def _unwrapped(values: list[Value]) -> Any:
    return values[0] if len(values) == 1 else values


class Files(Protocol):
    """Where the files of runs lie."""

    def path(self, run_id: str, name: str) -> Path:
        """Give where a file of a run lies."""
        ...


def sdk_metrics(metrics: Iterable[MetricDelta], run_id: str, files: Files | None = None) -> dict[str, Any]:
    """Give metrics by name, each in the shape of `sdk_shape`; with ``files``, those that are files as their content."""
    found = {}
    for metric in metrics:
        artifact = _artifact(metric, run_id, files) if files is not None else None
        found[metric.name] = artifact or sdk_shape(metric, run_id)
    return found


def _artifact(metric: MetricDelta, run_id: str, files: Files) -> Artifact | None:
    kind = JsonArtifact if metric.kind.is_document else ImageArtifact if metric.kind is MetricKind.IMAGE else None
    if kind is None:
        return None
    path = str(column_values(metric, VECTOR_COLUMN)[0])
    try:
        data = files.path(run_id, path).read_bytes()
    except (NotFoundError, UserError, OSError) as error:  # one file that is gone hides no other metric
        _log.warning("the metric %r of run %s is given as its identifier: %s", metric.name, run_id, error)
        return None
    return kind(run_id, path, metric.kind.value, data, identifier(run_id, path))
