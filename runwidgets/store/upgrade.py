"""Steps of the SQLite store's schema that statements alone cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runwidgets.columns import Column, pack_column
from runwidgets.records import VECTOR_COLUMN, Block, MetricKind
from runwidgets.store.series import Metric, append_rows, number_of
from runwidgets.values import pack, unpack

if TYPE_CHECKING:
    import sqlite3

_SERIES: Final = """
    ALTER TABLE metrics ADD COLUMN last_number REAL;
    ALTER TABLE blocks RENAME TO old_blocks;
    CREATE INDEX metrics_by_last ON metrics (name, last_number) WHERE last_number IS NOT NULL;
    CREATE TABLE recent (
        run_key INTEGER NOT NULL REFERENCES runs, version INTEGER NOT NULL, rows BLOB NOT NULL,
        PRIMARY KEY (run_key, version)
    ) WITHOUT ROWID;
    CREATE TABLE blocks (
        metric_key INTEGER NOT NULL REFERENCES metrics, first_index INTEGER NOT NULL,
        row_count INTEGER NOT NULL, rows BLOB NOT NULL, PRIMARY KEY (metric_key, first_index)
    ) WITHOUT ROWID;
    CREATE TABLE summaries (
        metric_key INTEGER NOT NULL REFERENCES metrics, level INTEGER NOT NULL, first_index INTEGER NOT NULL,
        row_count INTEGER NOT NULL, rows BLOB NOT NULL, PRIMARY KEY (metric_key, level, first_index)
    ) WITHOUT ROWID;
"""


def run_script(db: sqlite3.Connection, script: str) -> None:
    """Execute statements that have no semicolon within them, in the open transaction."""
    for statement in script.split(";"):
        if statement.strip():
            db.execute(statement)


def to_series(db: sqlite3.Connection) -> None:
    """Move rows of metrics from the blocks of the first schema into those of `runwidgets.store.series`."""
    run_script(db, _SERIES)
    metrics = db.execute("SELECT metric_key, kind, columns, row_count, last FROM metrics").fetchall()
    for key, kind, columns, row_count, last in metrics:
        metric = Metric(key, MetricKind(kind), unpack(columns), 0, row_count)
        rows = db.execute(
            "SELECT first_index, rows FROM old_blocks WHERE metric_key = ? ORDER BY first_index", (key,)
        ).fetchall()
        if rows:
            append_rows(db, metric, [_old_block(first_index, data) for first_index, data in rows])
        value = unpack(last).get(VECTOR_COLUMN) if last is not None and metric.kind is MetricKind.VECTOR else None
        db.execute(
            "UPDATE metrics SET last = ?, last_number = ? WHERE metric_key = ?",
            (None if value is None else pack(value), number_of(value), key),
        )
    db.execute("DROP TABLE old_blocks")


def _old_block(first_index: int, data: bytes) -> Block:
    steps, times, columns = unpack(data)
    microseconds = [round(at * 1_000_000) for at in _old_column(times).to_list()]  # type: ignore[operator,arg-type]
    return Block(
        first_index,
        _old_column(steps),
        Column(pack_column(microseconds)),
        {name: _old_column(packed) for name, packed in columns.items()},
    )


def _old_column(packed: list[Any]) -> Column:
    """Read a column as the first schema had it: ``["f" | "i", bytes]``, ``["n", count]`` or ``["v", values]``."""
    kind, content = packed
    if kind == "v":
        return Column(pack_column(content))
    return Column(pack_column(Column({"q": content}).to_list()) if kind == "i" else {kind: content})
