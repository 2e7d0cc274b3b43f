"""Rows of a metric, read when somebody asks to see them: a display holds none of the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import StoreError
from runwidgets.watch.wire import shortened

if TYPE_CHECKING:
    from runwidgets.records import MetricDelta
    from runwidgets.store.recorder import Recorder
    from runwidgets.watch.wire import RowsMessage

ROWS_A_PAGE: Final = 10


class RowPages:
    """Gives the rows of one run's metrics, page by page.

    Parameters
    ----------
    recorder
        The workspace's.
    run_id
        The run.
    """

    def __init__(self, recorder: Recorder, run_id: str) -> None:
        self._recorder = recorder
        self._run_id = run_id

    def answer(self, request: Any) -> RowsMessage | None:
        """Give the rows that a browser asks for by a ``RowsRequest``; None to what is no such request."""
        if not isinstance(request, dict) or request.get("kind") != "rows":
            return None
        name, start = request.get("name"), request.get("start")
        if not isinstance(name, str) or type(start) is not int or not 0 <= start < 2**53:
            return None
        try:
            self._recorder.flush()
            found = self._recorder.store.window(self._run_id, name, start, start + ROWS_A_PAGE)
        except StoreError as error:
            return {**rows_message(name, start, None), "trouble": str(error)}
        return rows_message(name, start, found)


def rows_message(name: str, start: int, found: MetricDelta | None) -> RowsMessage:
    """Give rows of a metric as they were logged, in answer to a ``RowsRequest``.

    Parameters
    ----------
    name
        The metric.
    start
        Index of the first row.
    found
        The rows, read whole; None where there is no such metric.
    """
    columns = list(found.columns) if found else []
    rows: list[list[Any]] = []
    for block in found.blocks if found else ():
        values = [block.columns[c].to_list() if c in block.columns else [None] * len(block) for c in columns]
        rows += [[shortened(value) for value in row] for row in zip(*values, strict=True)]
    return {
        "kind": "rows",
        "name": name,
        "columns": [column or "value" for column in columns],
        "start": start,
        "total": found.row_count if found else 0,
        "rows": rows,
        "trouble": None,
    }
