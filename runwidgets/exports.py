"""Metrics as files of other formats: Parquet, CSV and JSON. Every value comes back from each as it was logged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import MissingDependencyError
from runwidgets.frames import STEP, TIME, VALUE, fits_float, shown_name
from runwidgets.metrics import column_values
from runwidgets.values import exact_wire_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import TextIO

    from runwidgets.records import MetricDelta
    from runwidgets.values import Value

_MICROSECONDS: Final = 1e6
CSV_HEAD: Final = "metric,column,row,step,time,value\n"


def write_parquet(metrics: Iterable[MetricDelta], path: Path) -> None:
    """Write metrics that were read whole as one Parquet file.

    A row for each value, with the columns ``metric``, ``column`` (null for a vector), ``row``, ``_step``, ``_time``
    (UTC), ``value`` (float64), and ``text``: the JSON of a value that a float64 does not hold, such as a string.

    Raises
    ------
    MissingDependencyError
        If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingDependencyError(
            "Parquet needs pyarrow: install it, or runwidgets with the extra: pip install 'runwidgets[frames]'"
        ) from error
    fields = (
        ("metric", pa.dictionary(pa.int32(), pa.string())), ("column", pa.dictionary(pa.int32(), pa.string())),
        ("row", pa.int64()), (STEP, pa.float64()), (TIME, pa.timestamp("us", tz="UTC")), (VALUE, pa.float64()),
        ("text", pa.string()),
    )  # fmt: skip
    schema = pa.schema(fields)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for metric in metrics:
            for name in metric.columns:
                columns = _long_columns(metric, name)
                arrays = [
                    pa.array(values, type=kind, from_pandas=False)
                    for values, (_, kind) in zip(columns, fields, strict=True)
                ]
                writer.write_table(pa.table(arrays, schema=schema))


def _long_columns(metric: MetricDelta, name: str) -> tuple[list[Any], ...]:
    values = column_values(metric, name)
    numbers = [float(v) if _is_number(v) else None for v in values]  # type: ignore[arg-type]
    texts = [None if v is None or _is_number(v) else json.dumps(exact_wire_value(v)) for v in values]
    steps, times = _steps(metric), _times(metric)
    count = len(values)
    return (
        [metric.name] * count, [_column_name(metric, name)] * count, list(range(count)),
        [None if step is None else float(step) for step in steps], times, numbers, texts,
    )  # fmt: skip


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and fits_float(value)


def _column_name(metric: MetricDelta, name: str) -> str | None:
    shown = shown_name(metric, name)
    return None if shown == VALUE and not name else shown


def _steps(metric: MetricDelta) -> list[Any]:
    return [step for block in metric.blocks for step in block.steps.to_list()]


def _times(metric: MetricDelta) -> list[Any]:
    return [time for block in metric.blocks for time in block.times.to_list()]


def write_csv(metrics: Iterable[MetricDelta], file: TextIO) -> None:
    """Write metrics that were read whole as CSV, a line for each value.

    The columns are ``metric``, ``column`` (empty for a vector), ``row``, ``step``, ``time`` (UTC epoch seconds) and
    ``value``. Strings are in quotes and nothing else is; NaN, Infinity, -Infinity, true and false are these words, and
    None is nothing.
    """
    file.write(CSV_HEAD)
    for metric in metrics:
        steps, times = _steps(metric), _times(metric)
        for name in metric.columns:
            column = _column_name(metric, name)
            for row, (step, time, value) in enumerate(zip(steps, times, column_values(metric, name), strict=True)):
                cells = (metric.name, column, row, step, time / _MICROSECONDS, value)
                file.write(",".join(map(_cell, cells)) + "\n")


def _cell(value: Value) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    exact = exact_wire_value(value)
    return str(next(iter(exact.values()))) if isinstance(exact, dict) else repr(exact)


def write_json(metrics: Iterable[MetricDelta], file: TextIO) -> None:
    """Write metrics that were read whole as one JSON object, by name.

    Each is ``{"kind", "columns": {name: [values]}, "steps", "times"}``, the column of a vector ``value``, times in UTC
    epoch seconds. What JSON lacks is wrapped, as `runwidgets.values.exact_wire_value` does.
    """
    file.write("{")
    for place, metric in enumerate(metrics):
        described = {
            "kind": metric.kind.value,
            "columns": {shown_name(metric, name): list(_wired(column_values(metric, name))) for name in metric.columns},
            "steps": list(_wired(_steps(metric))),
            "times": [time / _MICROSECONDS for time in _times(metric)],
        }
        file.write(f"{',' if place else ''}\n{json.dumps(metric.name)}: {json.dumps(described, allow_nan=False)}")
    file.write("\n}\n")


def _wired(values: Iterable[Value]) -> Iterator[Any]:
    return (exact_wire_value(value) for value in values)
