"""Metrics as DataFrames of pandas, with the types that their values have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from runwidgets.columns import constant
from runwidgets.errors import MissingDependencyError
from runwidgets.metrics import column_name
from runwidgets.records import VECTOR_COLUMN, MetricKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from runwidgets.columns import Column
    from runwidgets.records import MetricDelta
    from runwidgets.values import Value

STEP: Final = "_step"
TIME: Final = "_time"
VALUE: Final = "value"
_EXACT: Final = 2**53


def shown_name(metric: MetricDelta, column: str) -> str:
    """Give the name of a metric's column as a table has it: ``value`` for that of a vector."""
    is_vector = column == VECTOR_COLUMN and metric.kind is not MetricKind.TABLE
    return VALUE if is_vector else column_name(metric, column)


def metric_frame(metric: MetricDelta) -> pd.DataFrame:
    """Give a metric that was read whole as a DataFrame.

    Parameters
    ----------
    metric
        The metric.

    Returns
    -------
    pandas.DataFrame
        A row for each that was logged. Columns: ``_step`` where any was given, ``_time`` (UTC, to the microsecond), and
        the metric's own, ``value`` for a vector. Floats are float64 and integers int64; with None among them they are
        Float64, in which NaN stays a value, and Int64; booleans and strings likewise; the rest is ``object``.

    Raises
    ------
    MissingDependencyError
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingDependencyError(
            "a DataFrame needs pandas: install it, or runwidgets with the extra: pip install 'runwidgets[frames]'"
        ) from error
    blocks = metric.blocks
    columns: dict[str, Any] = {}
    if any(block.steps.count_present() for block in blocks):
        columns[STEP] = _array([block.steps for block in blocks])
    times = _array([block.times for block in blocks]).astype("int64").view("datetime64[us]")
    columns[TIME] = pd.DatetimeIndex(times, tz="UTC")
    for name in metric.columns:
        found = [block.columns.get(name) or constant(None, len(block)) for block in blocks]
        columns[shown_name(metric, name)] = _array(found)
    return pd.DataFrame(columns, copy=False)


def _array(columns: Sequence[Column]) -> Any:
    """Give columns, one after the other, as one array of a fitting type."""
    import numpy as np

    parts = [numbers for column in columns if (numbers := column.to_numpy()) is not None]
    if parts and len(parts) == len(columns) and len({part.dtype for part in parts}) == 1:
        return np.concatenate(parts)
    return _typed([value for column in columns for value in column.to_list()])


def _typed(values: Sequence[Value]) -> Any:
    import numpy as np
    import pandas as pd

    missing = np.array([value is None for value in values], dtype=np.bool_)
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {str}:
        return pd.array(list[Any](values), dtype="string")
    if kinds == {bool}:
        flags = np.array([value is True for value in values], dtype=np.bool_)
        return pd.arrays.BooleanArray(flags, missing) if missing.any() else flags
    if kinds == {int} and all(-(2**63) <= int(value or 0) < 2**63 for value in values):
        integers = np.array([value or 0 for value in values], dtype=np.int64)
        return pd.arrays.IntegerArray(integers, missing) if missing.any() else integers
    if kinds and kinds <= {int, float} and all(fits_float(value) for value in values):
        floats = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
        return pd.arrays.FloatingArray(floats, missing) if missing.any() else floats
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def fits_float(value: Value) -> bool:
    """Tell whether a float64 holds a number exactly."""
    return not isinstance(value, int) or abs(value) <= _EXACT
