"""What a run logged as a Parquet table, a row for each value, from which every value comes back as it was.

=================  ===============================================================================================
``metric``         its name
``column``         the column's name; empty for that of a vector
``row``            the number of the row in the metric, from 0
``time``           when it was logged (UTC, to the microsecond)
``step``           as float64, null where none was given
``step_type``      ``int``, ``float``, ``bool``, or null
``step_text``      all digits of an integer that float64 does not hold, in hexadecimal
``value``          numbers and booleans as float64, null for others
``value_type``     ``int``, ``float``, ``bool``, ``str``, or null for None
``value_text``     the string, or all digits of an integer as above
=================  ===============================================================================================
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from runwidgets.archive.layout import LATEST
from runwidgets.columns import pack_column
from runwidgets.errors import ArchiveError, MissingDependencyError
from runwidgets.events import PointLogged, RowsLogged
from runwidgets.frames import fits_float
from runwidgets.metrics import column_values
from runwidgets.records import VECTOR_COLUMN, MetricKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from runwidgets.archive.layout import ArchivedMetric
    from runwidgets.events import Event
    from runwidgets.records import MetricDelta
    from runwidgets.values import Value

_MICROSECONDS: Final = 1e6
_ROWS_AT_ONCE: Final = 65_536
_ROWS_A_BYTE: Final = 1000
_ROWS_OF_ANY: Final = 1_000_000
"""So many rows may be in any file, and so many more for each of its bytes: more is a trap, not what somebody logged."""
_LIST: Final = 8
"""So many values of one time are rather a list than values that came one by one."""
_LONGEST_DIGITS: Final = 100_000
_COLUMNS: Final = (
    "metric", "column", "row", "time", "step", "step_type", "step_text", "value", "value_type", "value_text",
)  # fmt: skip


def parquet() -> tuple[Any, Any]:
    """Give pyarrow, and the part of it that reads and writes Parquet.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingDependencyError(
            "the metrics in an archive are Parquet, which needs pyarrow: install it, or runwidgets with the extra: "
            "pip install 'runwidgets[frames]'"
        ) from error
    return pa, pq


def write_values(metrics: Iterable[MetricDelta], path: Path) -> None:
    """Write metrics that were read whole."""
    pa, pq = parquet()
    schema = _schema(pa)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for metric in metrics:
            times = [time for block in metric.blocks for time in block.times.to_list()]
            steps = [step for block in metric.blocks for step in block.steps.to_list()]
            for name in metric.columns:
                values = column_values(metric, name)
                for start in range(0, len(values), _ROWS_AT_ONCE):
                    part = slice(start, start + _ROWS_AT_ONCE)
                    count = len(values[part])
                    cells = (
                        [metric.name] * count, [name] * count, list(range(start, start + count)), times[part],
                        *_coded(steps[part]), *_coded(values[part]),
                    )  # fmt: skip
                    arrays = [
                        pa.array(cell, type=kind, from_pandas=False)
                        for cell, kind in zip(cells, schema.types, strict=True)
                    ]
                    writer.write_table(pa.table(arrays, schema=schema))


def _schema(pa: Any) -> Any:
    word = pa.dictionary(pa.int32(), pa.string())
    types = (
        word, word, pa.int64(), pa.timestamp("us", tz="UTC"), pa.float64(), word, pa.string(), pa.float64(), word,
        pa.string(),
    )  # fmt: skip
    return pa.schema(list(zip(_COLUMNS, types, strict=True)))


def _coded(values: Sequence[Value]) -> tuple[list[float | None], list[str | None], list[str | None]]:
    numbers = [None if value is None or _is_long(value) or isinstance(value, str) else float(value) for value in values]
    types = [None if value is None else type(value).__name__ for value in values]
    texts = [value if isinstance(value, str) else hex(value) if _is_long(value) else None for value in values]  # type: ignore[arg-type]
    return numbers, types, texts


def _is_long(value: Value) -> bool:
    return isinstance(value, int) and not fits_float(value)


def _decoded(number: float | None, kind: str | None, text: str | None) -> Value:
    """Give back a value; raise `ValueError` or `TypeError` for what is none."""
    match kind:
        case None:
            if number is not None or text is not None:
                raise ValueError("a value without a type")
            return None
        case "float":
            return float(number)  # type: ignore[arg-type]
        case "bool":
            return {0.0: False, 1.0: True}[number]  # type: ignore[index]
        case "int":
            if text is None:
                return int(number)  # type: ignore[arg-type]
            if len(text) > _LONGEST_DIGITS:
                raise ValueError("an integer of too many digits")
            return int(text, 16)
        case "str":
            if text is None:
                raise ValueError("a string without its text")
            return text
    raise ValueError(f"a value of the type {kind!r}")


def read_events(path: Path, run_id: str, metrics: Sequence[ArchivedMetric], size: int) -> list[Event]:
    """Read the values of a run, as the events that log them again.

    Parameters
    ----------
    path
        The Parquet file.
    run_id
        The run that they shall be of.
    metrics
        What there is to be: all of it, and nothing else.
    size
        How many bytes the file has.

    Raises
    ------
    ArchiveError
        If it is no such table, or has other rows than it should.
    """
    pa, pq = parquet()
    try:
        file = pq.ParquetFile(path)
        with file:
            count = file.metadata.num_rows
            if count > _ROWS_OF_ANY + _ROWS_A_BYTE * size:
                raise ArchiveError(f"the metrics of run {run_id} claim {count:,} rows in {size:,} bytes")
            if count != sum(metric.row_count * len(metric.columns) for metric in metrics):
                raise ArchiveError(f"the metrics of run {run_id} have another number of rows than runs.json says")
            if not file.schema_arrow.equals(_schema(pa)):
                raise ArchiveError(f"the metrics of run {run_id} are another table than they should be")
            rows = _Rows(file)
            events = [event for metric in metrics for event in _events(run_id, metric, rows)]
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise ArchiveError(f"the metrics of run {run_id} cannot be read: {error}") from error
    return events


class _Rows:
    """Rows of the table, read as they are wanted."""

    def __init__(self, file: Any) -> None:
        self._batches = file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(_COLUMNS))
        self._rest: Any = None

    def take(self, count: int) -> Iterator[dict[str, Any]]:
        """Give the next rows, in parts: arrays by column."""
        while count > 0:
            if not self._rest:
                self._rest = next(self._batches, None)
                if self._rest is None:
                    raise ValueError("it has fewer rows than it should")
            part, self._rest = self._rest.slice(0, count), self._rest.slice(min(count, len(self._rest)))
            count -= len(part)
            yield {name: part.column(name) for name in _COLUMNS}


def _is_all(array: Any, text: str) -> bool:
    import pyarrow.compute as pc

    return array.null_count == 0 and bool(pc.all(pc.equal(array.dictionary_decode(), text)).as_py())


def _decoded_all(part: dict[str, Any], what: str) -> list[Value]:
    """Give back values that are all of one kind at once, others one by one."""
    numbers, kinds, texts = part[what], part[f"{what}_type"], part[f"{what}_text"]
    if numbers.null_count == 0 and texts.null_count == len(texts):
        if _is_all(kinds, "float"):
            return numbers.to_numpy().tolist()  # type: ignore[no-any-return]
        if _is_all(kinds, "int"):
            return [int(number) for number in numbers.to_numpy().tolist()]
    if kinds.null_count == numbers.null_count == texts.null_count == len(kinds):
        return [None] * len(kinds)
    columns = (column.to_pylist() for column in (numbers, kinds, texts))
    return [_decoded(*cell) for cell in zip(*columns, strict=True)]


def _column_of(metric: ArchivedMetric, name: str, rows: _Rows) -> tuple[list[int], list[Value], list[Value]]:
    """Read one column of a metric: times in microseconds, steps, values."""
    import pyarrow as pa

    times: list[int] = []
    steps: list[Value] = []
    values: list[Value] = []
    for part in rows.take(metric.row_count):
        expected = list(range(len(values), len(values) + len(part["row"])))
        if not (_is_all(part["metric"], metric.name) and _is_all(part["column"], name)) or (
            part["row"].to_pylist() != expected
        ):
            raise ValueError(f"a row of {metric.name!r}, column {name!r}, is not where it should be")
        times += part["time"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
        steps += _decoded_all(part, "step")
        values += _decoded_all(part, "value")
    if None in times or (times and not 0 <= min(times) <= max(times) < LATEST * _MICROSECONDS):
        raise ValueError(f"a row of {metric.name!r} has no time, or an impossible one")
    if any(isinstance(step, str) for step in steps):
        raise ValueError(f"a row of {metric.name!r} has a step that is no number")
    return times, steps, values


def _events(run_id: str, metric: ArchivedMetric, rows: _Rows) -> Iterator[Event]:
    columns: dict[str, list[Value]] = {}
    times: list[int] = []
    steps: list[Value] = []
    for name in metric.columns:
        found = _column_of(metric, name, rows)
        if columns and (found[0] != times or repr(found[1]) != repr(steps)):
            raise ValueError(f"the columns of {metric.name!r} have different times or steps")
        times, steps, columns[name] = found
    if metric.row_count == 0:
        yield RowsLogged(run_id, 0.0, metric.name, metric.kind, {name: pack_column([]) for name in metric.columns})
    is_vector = metric.kind is MetricKind.VECTOR and columns.keys() == {VECTOR_COLUMN}
    if is_vector and len(set(times)) > len(times) // _LIST:
        for time, step, value in zip(times, steps, columns[VECTOR_COLUMN], strict=True):
            yield PointLogged(run_id, metric.name, time / _MICROSECONDS, value, step)
        return
    start = 0
    for time, group in groupby(times):
        end = start + len(list(group))
        for first in range(start, end, _ROWS_AT_ONCE):
            part = slice(first, min(end, first + _ROWS_AT_ONCE))
            packed = {name: pack_column(cells[part]) for name, cells in columns.items()}
            yield RowsLogged(
                run_id, time / _MICROSECONDS, metric.name, metric.kind, packed, pack_column(steps[part])
            )  # fmt: skip
        start = end
