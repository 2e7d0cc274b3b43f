"""Rows of a metric, read when somebody asks to see them: a display holds none of the history."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypedDict

from runwidgets.errors import NotFoundError, UserError
from runwidgets.exports import write_csv
from runwidgets.metrics import column_values
from runwidgets.records import VECTOR_COLUMN, MetricKind
from runwidgets.values import wire_value
from runwidgets.watch.downloads import Offer
from runwidgets.watch.requests import Answer
from runwidgets.watch.wire import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from runwidgets.records import MetricDelta
    from runwidgets.store.recorder import Recorder
    from runwidgets.values import Value
    from runwidgets.watch.requests import Request

ROWS_A_PAGE: Final = 10
MAX_COUNTED: Final = 200_000
"""Of so many words it is counted how often each was said."""
MAX_WORDS: Final = 8
MAX_CSV_VALUES: Final = 3_000_000
"""So many values are made a file for a browser; that takes some twenty seconds."""
HISTORY_POINTS: Final = 240
_MICROSECONDS: Final = 1e6


class Word(TypedDict):
    """``Word``: how often a metric was this."""

    value: Any
    count: int


class History(TypedDict):
    """``History``: what a vector of words or booleans has been."""

    words: list[Word]
    others: int
    truth: list[float | None]


class RowsReply(TypedDict):
    """``RowsReply``, without what all replies have."""

    name: str
    columns: list[str]
    start: int
    total: int
    rows: list[list[Any]]
    steps: list[Any]
    times: list[float]
    history: History | None


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
        self._told: tuple[str, int, History | None] | None = None

    def answer(self, request: Request) -> Answer:
        """Give the rows that a ``RowsRequest`` asks for: from a place on, or the last page.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        name, start = request.text("name"), request.optional_number("start")
        self._recorder.flush()
        found = self._window(name, start or 0)
        if found is not None and start is None:
            start = max(0, (found.row_count - 1) // ROWS_A_PAGE * ROWS_A_PAGE)
            found = self._window(name, start)
        return Answer(rows_reply(name, start or 0, found, self._history(found)))

    def _window(self, name: str, start: int) -> MetricDelta | None:
        return self._recorder.store.window(self._run_id, name, start, start + ROWS_A_PAGE)

    def _history(self, page: MetricDelta | None) -> History | None:
        """Tell what a vector of words has been; what was counted once is not counted again."""
        if page is None or page.kind is not MetricKind.VECTOR or not 1 < page.row_count <= MAX_COUNTED:
            return None
        if not any(block.columns[VECTOR_COLUMN].is_text for block in page.blocks if VECTOR_COLUMN in block.columns):
            return None
        if self._told is None or self._told[:2] != (page.name, page.row_count):
            whole = self._recorder.store.metrics(self._run_id, page.name)
            self._told = page.name, page.row_count, history_of(column_values(whole[0], VECTOR_COLUMN))
        return self._told[2]

    def offer(self, name: str, scratch: Path) -> Offer:
        """Make a CSV file of all that a metric was.

        Raises
        ------
        NotFoundError
            If there is no such metric.
        UserError
            If it has too many values.
        """
        self._recorder.flush()
        page = self._window(name, 0)
        if page is None:
            raise NotFoundError(f"there is no metric {name!r}")
        instead = f"run.to_csv('metrics.csv', {name!r}) writes them"
        if page.row_count * max(1, len(page.columns)) > MAX_CSV_VALUES:
            raise UserError(f"more than {MAX_CSV_VALUES:,} values, too many for a notebook: {instead}")
        path = scratch / "metric.csv"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            write_csv(self._recorder.store.metrics(self._run_id, name), file)
        return Offer(path, instead)


def rows_reply(name: str, start: int, found: MetricDelta | None, history: History | None = None) -> RowsReply:
    """Give rows of a metric as they were logged.

    Parameters
    ----------
    name
        The metric.
    start
        Index of the first row.
    found
        The rows, read whole; None where there is no such metric.
    history
        What it has been, if it is one of words.
    """
    columns = list(found.columns) if found else []
    rows: list[list[Any]] = []
    steps: list[Any] = []
    times: list[float] = []
    for block in found.blocks if found else ():
        values = [block.columns[c].to_list() if c in block.columns else [None] * len(block) for c in columns]
        rows += [[shortened(value) for value in row] for row in zip(*values, strict=True)]
        steps += [wire_value(step) for step in block.steps.to_list()]
        times += (block.times.to_floats() / _MICROSECONDS).tolist()
    return {
        "name": name,
        "columns": [column or "value" for column in columns],
        "start": start,
        "total": found.row_count if found else 0,
        "rows": rows,
        "steps": steps,
        "times": times,
        "history": history,
    }


def history_of(values: Sequence[Value]) -> History:
    """Tell how often each word was said, and of booleans alone how true they were along the way.

    ``truth`` has up to `HISTORY_POINTS` parts of equal length: which share of the booleans in it was True, None where
    there is none.
    """
    counts = Counter((type(value).__name__, value if value == value else None) for value in values)  # noqa: PLR0124 (NaN)
    most = counts.most_common(MAX_WORDS)
    words: list[Word] = [
        {"value": shortened(float("nan") if kind == "float" and value is None else value), "count": count}
        for (kind, value), count in most
    ]
    return {
        "words": words,
        "others": len(values) - sum(word["count"] for word in words),
        "truth": _truth(values) if all(value is None or isinstance(value, bool) for value in values) else [],
    }


def _truth(values: Sequence[Value]) -> list[float | None]:
    parts = min(len(values), HISTORY_POINTS)
    shares: list[float | None] = []
    for part in range(parts):
        told = [v for v in values[part * len(values) // parts : (part + 1) * len(values) // parts] if v is not None]
        shares.append(round(sum(map(bool, told)) / len(told), 3) if told else None)
    return shares
