"""Putting the rows of a run in order again: what can be read follows one another, counted and summarised.

What cannot be read is dropped, and the rows after it take its place: a metric that has 100 rows has rows 0 to 99, as
every reader expects. Steps and times are kept with their rows, so a chart over them shows what is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.records import VECTOR_COLUMN, MetricKind
from runwidgets.store.blocks import BLOCK_BYTES, BLOCK_ROWS, pack_recent
from runwidgets.store.health.findings import counted, some_of
from runwidgets.store.health.rows import (
    MetricCheck,
    UnreadableError,
    blocks_of,
    metrics_of,
    readable_block,
    readable_columns,
    readable_recent,
)
from runwidgets.store.series import number_of, summarise_anew
from runwidgets.values import pack

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from runwidgets.records import Block
    from runwidgets.values import Value

_MUCH_BYTES: Final = BLOCK_BYTES // 2
"""A block of as many is taken for full, where rows are long."""


def place_rows(db: sqlite3.Connection, run_key: int, version: int) -> list[str]:
    """Put the rows of a run in order.

    Parameters
    ----------
    db
        A connection within a transaction.
    run_key
        The run.
    version
        Of this transaction.

    Returns
    -------
    list of str
        What was done, metric by metric.
    """
    (run_id,) = db.execute("SELECT run_id FROM runs WHERE run_key = ?", (run_key,)).fetchone()
    deeds, ends, emptied = [], {}, {}
    for metric in metrics_of(db, run_key):
        check = MetricCheck(db, metric)
        check.look()
        ends[metric[0]] = check.end
        if check.complaints:
            placing = _Placing(db, metric, version)
            ends[metric[0]] = placing.end
            what = f"metric {metric[1]!r} of run {run_id}"
            deeds.append(f"{what}: {placing.told()}")
            if metric[4] and not placing.end:
                emptied[metric[0]] = what
    left, told = _place_recent(db, run_key, version, ends)
    if told:
        deeds.append(f"newest rows of run {run_id}: {told}")
    for key, what in emptied.items():
        if key not in left:
            for table in ("summaries", "metrics"):
                db.execute(f"DELETE FROM {table} WHERE metric_key = ?", (key,))  # noqa: S608 (our tables)
            deeds.append(f"{what}: deleted, since none of its rows is left")
    db.execute("UPDATE runs SET version = ? WHERE run_key = ?", (version, run_key))
    return deeds


class _Placing:
    """Puts the blocks of one metric in order."""

    def __init__(self, db: sqlite3.Connection, metric: Sequence[Any], version: int) -> None:
        self._db = db
        self._key, _, self._kind, packed_columns, self._row_count, *_ = metric
        self._columns = readable_columns(packed_columns) or []
        self.end = 0
        self.lost: list[str] = []
        self._lost_rows = 0
        self._last: Value = None
        self._full_end = 0
        self._moves: list[tuple[int, int]] = []
        for first_index, row_count, data in blocks_of(db, self._key):
            self._take(first_index, row_count, data)
        self._move()
        summarise_anew(db, self._key, self._columns, self._full_end)
        self._describe(version)

    def _take(self, first_index: int, row_count: int, data: object) -> None:
        place = (self._key, first_index)
        try:
            block = readable_block(first_index, data)
        except UnreadableError:
            self._db.execute("DELETE FROM blocks WHERE metric_key = ? AND first_index = ?", place)
            self._lost_rows += row_count
            self.lost.append(f"{first_index:,} to {first_index + row_count - 1:,}")
            return
        if len(block) != row_count:
            self._db.execute(
                "UPDATE blocks SET row_count = ? WHERE metric_key = ? AND first_index = ?", (len(block), *place)
            )
        self._columns += [name for name in block.columns if name not in self._columns]
        self._moves.append((first_index, self.end))
        self.end += len(block)
        if len(block) == BLOCK_ROWS or len(data) >= _MUCH_BYTES:  # type: ignore[arg-type]
            self._full_end = self.end
        newest = block.columns[VECTOR_COLUMN].last() if VECTOR_COLUMN in block.columns else None
        self._last = newest if newest is not None else self._last

    def _move(self) -> None:
        """Give the blocks their new places: no two ever have one, since those that go up go from the last."""
        down = [move for move in self._moves if move[1] < move[0]]
        up = [move for move in self._moves if move[1] > move[0]]
        for old, new in [*down, *reversed(up)]:
            self._db.execute(
                "UPDATE blocks SET first_index = ? WHERE metric_key = ? AND first_index = ?", (new, self._key, old)
            )

    def _describe(self, version: int) -> None:
        kind = self._kind
        if kind not in set(MetricKind):
            kind = MetricKind.VECTOR if set(self._columns) <= {VECTOR_COLUMN} else MetricKind.TABLE
        last = self._last if kind == MetricKind.VECTOR else None
        self._db.execute(
            "UPDATE metrics SET kind = ?, columns = ?, row_count = ?, last = ?, last_number = ?, version = ?"
            " WHERE metric_key = ?",
            (kind, pack(self._columns), self.end, None if last is None else pack(last), number_of(last), version,
             self._key),
        )  # fmt: skip

    def told(self) -> str:
        """Say what was done."""
        told = [f"rows {some_of(self.lost)} could not be read and are lost"] if self.lost else []
        missing = self._row_count - self.end - self._lost_rows
        if missing > 0:
            told.append(f"{counted(missing, 'row')} that should be there {'is' if missing == 1 else 'are'} lost")
        return "; ".join([*told, f"{counted(self.end, 'row')} in blocks, counted and summarised anew"])


def _place_recent(
    db: sqlite3.Connection, run_key: int, version: int, ends: dict[int, int]
) -> tuple[dict[int, list[Block]], str]:
    """Have the recent rows continue the blocks; give them, and what was done."""
    placed: dict[int, list[Block]] = {}
    lost_bytes = dropped = moved = 0
    for (data,) in db.execute("SELECT rows FROM recent WHERE run_key = ? ORDER BY version", (run_key,)).fetchall():
        try:
            blocks = readable_recent(data)
        except UnreadableError:
            lost_bytes += len(data or b"")
            continue
        for key, block in blocks:
            if key not in ends:
                dropped += len(block)
                continue
            moved += block.first_index != ends[key]
            placed.setdefault(key, []).append(msgspec.structs.replace(block, first_index=ends[key]))
            ends[key] += len(block)
    told = []
    if lost_bytes:
        told.append(f"{counted(lost_bytes, 'byte')} of them could not be read and are lost")
    if dropped:
        told.append(f"{counted(dropped, 'row')} of no metric of the run dropped")
    if moved:
        told.append("numbered anew")
    if told:
        db.execute("DELETE FROM recent WHERE run_key = ?", (run_key,))
        if placed:
            db.execute("INSERT INTO recent VALUES (?, ?, ?)", (run_key, version, pack_recent(placed)))
    return placed, "; ".join(told)
