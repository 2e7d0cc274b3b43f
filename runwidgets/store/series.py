"""The rows of metrics in the SQLite store: where new ones go, how they are kept, how they are read.

New rows of a run lie in ``recent``, one row of that table for each fold: a metric that gets a point a second costs a
few bytes a second. Where many have gathered they are *settled*: moved into ``blocks``, a row of which holds rows of one
metric, packed by column. Neighbouring small blocks are merged, eight to one, so that no row is written more than a few
times, until they are full. A full block never changes again; it gets a summary, sixteen summaries get a coarser one,
and so on (``summaries``, by level), so that a chart of any length is drawn from a few hundred rows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.records import VECTOR_COLUMN, ColumnSummary, MetricDelta, MetricKind, Summary
from runwidgets.store.blocks import (
    BLOCK_BYTES,
    cut_anew,
    full_row_count,
    join_blocks,
    pack_block,
    pack_recent,
    unpack_block,
    unpack_recent,
)
from runwidgets.values import long_integer, pack, unpack

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runwidgets.records import Block, Cursor
    from runwidgets.values import Value

SETTLE_ROWS: Final = 256
"""So many rows for each metric of a run may be recent."""
SETTLE_BYTES: Final = 4 * 2**20
"""So many bytes of a run may be recent."""
SUMMARY_WIDTH: Final = 1024
"""Rows in a bucket of the summary of a block."""
GROUP: Final = 16
"""So many summaries make one of the next level, of buckets so many times wider."""
_TIER: Final = 8
_METRIC: Final = "SELECT metric_key, name, kind, columns, row_count FROM metrics"
to_summary: Final = msgspec.msgpack.Decoder(dict[str, ColumnSummary], ext_hook=long_integer).decode


class Metric(msgspec.Struct):
    """A metric as the next fold finds it; ``settled`` of its ``rows`` are in blocks."""

    key: int
    kind: MetricKind
    columns: list[str]
    settled: int
    rows: int


class Gathered(msgspec.Struct):
    """What is known of the rows of one run as of a version of it, so that the next fold need not ask."""

    version: int
    metrics: dict[str, Metric] = msgspec.field(default_factory=dict)
    recent_rows: int = 0
    recent_bytes: int = 0


def gathered_of(db: sqlite3.Connection, run_key: int, version: int) -> Gathered:
    """Look up what a run has."""
    state = Gathered(version)
    by_key = {}
    for key, name, kind, columns, count in db.execute(f"{_METRIC} WHERE run_key = ?", (run_key,)):
        by_key[key] = state.metrics[name] = Metric(key, MetricKind(kind), unpack(columns), count, count)
    for data in _recent(db, run_key, -1):
        state.recent_bytes += len(data)
        for key, block in unpack_recent(data):
            state.recent_rows += len(block)
            by_key[key].rows = block.end
    return state


# ---- writing


def add_rows(
    db: sqlite3.Connection,
    run_key: int,
    version: int,
    state: Gathered,
    new: Mapping[str, Sequence[Block]],
    *,
    settle: bool,
) -> None:
    """Store new rows of a run.

    Parameters
    ----------
    db
        A connection within a transaction.
    run_key
        The run.
    version
        Of this transaction.
    state
        What the run has; it is brought up to date.
    new
        By name of a metric that the state has, blocks whose indices count from 0.
    settle
        Whether no more is expected soon: then all rows go into blocks.
    """
    placed: dict[int, list[Block]] = {}
    for name, blocks in new.items():
        metric = state.metrics[name]
        placed[metric.key] = [_moved(block, metric.rows) for block in blocks]
        metric.rows += sum(map(len, blocks))
        state.recent_rows += sum(map(len, blocks))
    if not placed and not settle:
        return
    if not settle and state.recent_rows < SETTLE_ROWS * len(state.metrics):
        data = pack_recent(placed)
        if state.recent_bytes + len(data) < SETTLE_BYTES:
            db.execute("INSERT INTO recent VALUES (?, ?, ?)", (run_key, version, data))
            state.recent_bytes += len(data)
            return
    if state.recent_rows:
        _settle(db, run_key, version, state, placed)


def _moved(block: Block, by: int) -> Block:
    return msgspec.structs.replace(block, first_index=block.first_index + by)


def _settle(
    db: sqlite3.Connection, run_key: int, version: int, state: Gathered, new: Mapping[int, Sequence[Block]]
) -> None:
    blocks: dict[int, list[Block]] = {}
    for data in _recent(db, run_key, -1):
        for key, block in unpack_recent(data):
            blocks.setdefault(key, []).append(block)
    for key, more in new.items():
        blocks.setdefault(key, []).extend(more)
    metrics = {metric.key: metric for metric in state.metrics.values()}
    for key, found in blocks.items():
        metric = metrics[key]
        append_rows(db, metric, found)
        metric.settled = metric.rows
        last = _last(found) if metric.kind is MetricKind.VECTOR else None
        db.execute(
            "UPDATE metrics SET row_count = ?, version = ?, last = coalesce(?, last),"
            " last_number = CASE WHEN ? THEN ? ELSE last_number END WHERE metric_key = ?",
            (metric.rows, version, None if last is None else pack(last), last is not None, number_of(last), key),
        )
    db.execute("DELETE FROM recent WHERE run_key = ?", (run_key,))
    state.recent_rows = state.recent_bytes = 0


def _last(blocks: Sequence[Block]) -> Value:
    columns = (block.columns.get(VECTOR_COLUMN) for block in reversed(blocks))
    return next((last for c in columns if c is not None and (last := c.last()) is not None), None)


def number_of(value: Value) -> float | None:
    """Give what a value counts for where runs are ranked: None for NaN, and for what is no number."""
    if value is None or isinstance(value, str):
        return None
    try:
        number = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    return None if math.isnan(number) else number


def append_rows(db: sqlite3.Connection, metric: Metric, new: Sequence[Block]) -> None:
    """Put rows behind the blocks of a metric, merged with small ones before them where it is time for that."""
    if metric.settled == 0 and len(new) == 1 and len(new[0]) < _TIER:
        data = pack_block(new[0])
        if len(data) < BLOCK_BYTES:  # the few values of a short run: there is nothing to merge
            db.execute("INSERT INTO blocks VALUES (?, 0, ?, ?)", (metric.key, len(new[0]), data))
            return
    small = db.execute(
        "SELECT first_index, row_count, rows FROM blocks WHERE metric_key = ? AND first_index >= ?"
        " ORDER BY first_index",
        (metric.key, _end_of_level(db, metric.key, 0)),
    ).fetchall()
    merged = _how_many_to_merge([count for _, count, _ in small], sum(map(len, new)), full_row_count(new))
    taken = [unpack_block(first_index, data) for first_index, _, data in small[len(small) - merged :]]
    if taken:
        db.execute("DELETE FROM blocks WHERE metric_key = ? AND first_index >= ?", (metric.key, taken[0].first_index))
    rows = [*taken, *new]
    # Full blocks follow each other without gaps: only where nothing small stays before them may there be one.
    full = full_row_count(rows) if merged == len(small) else sum(map(len, rows)) + 1
    has_full = False
    for block in cut_anew(rows, full):
        db.execute(
            "INSERT INTO blocks VALUES (?, ?, ?, ?)", (metric.key, block.first_index, len(block), pack_block(block))
        )
        if len(block) == full:
            from runwidgets.store.summaries import summary_of_block

            _add_summary(db, metric.key, 0, summary_of_block(block, metric.columns, width_of(0)))
            has_full = True
    if has_full:
        _group(db, metric.key, 0)


def _how_many_to_merge(sizes: Sequence[int], new: int, full: int) -> int:
    """Tell how many of the last blocks join the new rows: all where that fills one, else eight of a size."""
    if sum(sizes) + new >= full:
        return len(sizes)
    merged = 0
    while True:
        alike = 0
        for size in reversed(sizes[: len(sizes) - merged]):
            if _tier(size) > _tier(new):
                break
            alike += 1
        if alike + 1 < _TIER:
            return merged
        new += sum(sizes[len(sizes) - merged - alike : len(sizes) - merged])
        merged += alike


def _tier(row_count: int) -> int:
    return (row_count.bit_length() - 1) // 3  # powers of eight


def width_of(level: int) -> int:
    """Give how many rows a bucket of a summary has."""
    return SUMMARY_WIDTH * int(GROUP**level)


def _end_of_level(db: sqlite3.Connection, metric_key: int, level: int) -> int:
    """Give the index after the last row that a summary of this level covers."""
    row = db.execute(
        "SELECT first_index + row_count FROM summaries WHERE metric_key = ? AND level = ?"
        " ORDER BY first_index DESC LIMIT 1",
        (metric_key, level),
    ).fetchone()
    return int(row[0]) if row else 0


def _add_summary(db: sqlite3.Connection, metric_key: int, level: int, summary: Summary) -> None:
    db.execute(
        "INSERT INTO summaries VALUES (?, ?, ?, ?, ?)",
        (metric_key, level, summary.first_index, summary.row_count, pack(summary.columns)),
    )


def _group(db: sqlite3.Connection, metric_key: int, level: int) -> None:
    """Summarise the summaries of a level by sixteens, as far as there are so many that are not."""
    from runwidgets.store.summaries import summary_of_summaries

    fine = list(_summaries(db, metric_key, level, _end_of_level(db, metric_key, level + 1), None))
    groups = [fine[start : start + GROUP] for start in range(0, len(fine) - GROUP + 1, GROUP)]
    for group in groups:
        _add_summary(db, metric_key, level + 1, summary_of_summaries(group, width_of(level + 1)))
    if groups:
        _group(db, metric_key, level + 1)


def summarise_anew(db: sqlite3.Connection, metric_key: int, columns: Sequence[str], end: int) -> None:
    """Make all summaries of a metric with these columns anew, of its blocks that begin before a row."""
    from runwidgets.store.summaries import summary_of_block

    db.execute("DELETE FROM summaries WHERE metric_key = ?", (metric_key,))
    begins = db.execute(
        "SELECT first_index FROM blocks WHERE metric_key = ? AND first_index < ? ORDER BY first_index",
        (metric_key, end),
    ).fetchall()
    for (begin,) in begins:
        (data,) = db.execute(
            "SELECT rows FROM blocks WHERE metric_key = ? AND first_index = ?", (metric_key, begin)
        ).fetchone()
        _add_summary(db, metric_key, 0, summary_of_block(unpack_block(begin, data), columns, width_of(0)))
    _group(db, metric_key, 0)


# ---- reading


def whole_metrics(db: sqlite3.Connection, run_key: int, name: str | None = None) -> list[MetricDelta]:
    """Read all rows of all metrics of a run, or of one."""
    found = db.execute(
        f"{_METRIC} WHERE run_key = ? AND (? IS NULL OR name = ?) ORDER BY metric_key", (run_key, name, name)
    ).fetchall()
    recent = _recent_blocks(db, run_key, -1) if found else {}
    return [_delta(db, row, recent.get(row[0], []), 0, 1) for row in found]


def changed_metrics(db: sqlite3.Connection, run_key: int, cursor: Cursor) -> list[MetricDelta]:
    """Read what is new of the metrics of a run; of long ones, not more than is worth drawing."""
    recent = _recent_blocks(db, run_key, cursor.version)
    rows = {
        row[0]: row for row in db.execute(f"{_METRIC} WHERE run_key = ? AND version > ?", (run_key, cursor.version))
    }
    for key in recent.keys() - rows.keys():
        rows[key] = db.execute(f"{_METRIC} WHERE metric_key = ?", (key,)).fetchone()
    return [_delta(db, row, recent.get(key, []), cursor.rows.get(row[1], 0)) for key, row in sorted(rows.items())]


def _delta(
    db: sqlite3.Connection, row: Sequence[Any], recent: Sequence[Block], seen: int, width: int | None = None
) -> MetricDelta:
    key, name, kind, columns, settled = row
    # What was seen before may be neither settled nor among what is recent since.
    count = recent[-1].end if recent else max(settled, seen)
    parts: list[Block | Summary] = []
    if seen < settled:
        whole = kind == MetricKind.IMAGE or MetricKind(kind).is_document  # a summary has no paths
        parts += rows_between(db, key, seen, settled, width or (1 if whole else _natural_width(count)))
    unseen = [block.part(max(0, seen - block.first_index)) for block in recent if block.end > seen]
    if unseen:
        parts.append(join_blocks(unseen))
    return MetricDelta(name, MetricKind(kind), tuple(unpack(columns)), count, tuple(parts))


def _natural_width(row_count: int) -> int:
    from runwidgets.store.thinning import natural_width

    return natural_width(row_count)


def window_of_metric(  # noqa: PLR0917 (private to the store)
    db: sqlite3.Connection, run_key: int, name: str, start: int, stop: int, width: int
) -> MetricDelta | None:
    """Read the rows ``[start, stop)`` of a metric, with summaries of up to ``width`` rows a bucket; None without it."""
    row = db.execute(f"{_METRIC} WHERE run_key = ? AND name = ?", (run_key, name)).fetchone()
    if row is None:
        return None
    key, _, kind, columns, settled = row
    recent = _recent_blocks(db, run_key, -1).get(key, [])
    parts = rows_between(db, key, start, min(stop, settled), width) if start < min(stop, settled) else []
    for block in recent:
        if block.end > start and block.first_index < stop:
            parts.append(block.part(max(0, start - block.first_index), stop - block.first_index))
    return MetricDelta(
        name, MetricKind(kind), tuple(unpack(columns)), recent[-1].end if recent else settled, tuple(parts)
    )


def rows_between(db: sqlite3.Connection, metric_key: int, start: int, stop: int, width: int) -> list[Block | Summary]:
    """Read settled rows of a metric, in order; where summaries of buckets of at most ``width`` rows do, these."""
    level = -1
    while width_of(level + 1) <= width:
        level += 1
    return list(_cover(db, metric_key, level, start, stop))


def _cover(db: sqlite3.Connection, metric_key: int, level: int, start: int, stop: int) -> Iterator[Block | Summary]:
    if level < 0:
        yield from _blocks(db, metric_key, start, stop)
        return
    for summary in _summaries(db, metric_key, level, start, stop):
        if summary.first_index > start:
            yield from _cover(db, metric_key, level - 1, start, summary.first_index)
        yield summary
        start = summary.end
    if start < stop:
        yield from _cover(db, metric_key, level - 1, start, stop)


def _summaries(db: sqlite3.Connection, metric_key: int, level: int, start: int, stop: int | None) -> Iterator[Summary]:
    rows = db.execute(
        "SELECT first_index, row_count, rows FROM summaries WHERE metric_key = ? AND level = ? AND first_index >= ?"
        " AND (? IS NULL OR first_index + row_count <= ?) ORDER BY first_index",
        (metric_key, level, start, stop, stop),
    )
    for first_index, row_count, data in rows.fetchall():
        yield Summary(first_index, row_count, width_of(level), to_summary(data))


def _blocks(db: sqlite3.Connection, metric_key: int, start: int, stop: int) -> Iterator[Block]:
    rows = db.execute(
        "SELECT first_index, rows FROM blocks WHERE metric_key = ? AND first_index < ? AND first_index >="
        " coalesce((SELECT max(first_index) FROM blocks WHERE metric_key = ? AND first_index <= ?), 0)"
        " ORDER BY first_index",
        (metric_key, stop, metric_key, start),
    )
    for first_index, data in rows:
        block = unpack_block(first_index, data)
        if first_index < start or block.end > stop:
            block = block.part(max(0, start - first_index), stop - first_index)
        yield block


def _recent(db: sqlite3.Connection, run_key: int, since: int) -> list[bytes]:
    query = "SELECT rows FROM recent WHERE run_key = ? AND version > ? ORDER BY version"
    return [data for (data,) in db.execute(query, (run_key, since))]


def _recent_blocks(db: sqlite3.Connection, run_key: int, since: int) -> dict[int, list[Block]]:
    found: dict[int, list[Block]] = {}
    for data in _recent(db, run_key, since):
        for key, block in unpack_recent(data):
            found.setdefault(key, []).append(block)
    return found


def recent_numbers(db: sqlite3.Connection, names: Iterable[str]) -> dict[tuple[int, str], tuple[float | None, bytes]]:
    """Give the last values of vectors of these names of runs that have recent rows: as `number_of`, and packed."""
    marks = ", ".join("?" * len(names := list(names)))
    found = {}
    for (run_key,) in db.execute("SELECT DISTINCT run_key FROM recent").fetchall():
        metrics = db.execute(
            "SELECT metric_key, name, last_number, last FROM metrics"  # noqa: S608 (only marks)
            f" WHERE run_key = ? AND kind = ? AND name IN ({marks})",
            (run_key, MetricKind.VECTOR, *names),
        ).fetchall()
        recent = _recent_blocks(db, run_key, -1) if metrics else {}
        for key, name, number, packed in metrics:
            last = _last(recent.get(key, ()))
            if last is not None or packed is not None:
                found[run_key, name] = (number, packed) if last is None else (number_of(last), pack(last))
    return found


def last_values(db: sqlite3.Connection, run_key: int, since: int) -> dict[str, tuple[Value, int]]:
    """Give the vectors of a run that changed since a version, in order of appearance: last values, numbers of rows."""
    found = {
        key: (name, unpack(last) if last is not None else None, count)
        for key, name, last, count in db.execute(
            "SELECT metric_key, name, last, row_count FROM metrics WHERE run_key = ? AND version > ? AND kind = ?",
            (run_key, since, MetricKind.VECTOR),
        )
    }
    for key, blocks in _recent_blocks(db, run_key, since).items():
        if key not in found:
            name, kind = db.execute("SELECT name, kind FROM metrics WHERE metric_key = ?", (key,)).fetchone()
            if kind != MetricKind.VECTOR:
                continue
            found[key] = (name, None, 0)
        name, settled, _ = found[key]
        last = _last(blocks)
        found[key] = (name, settled if last is None else last, blocks[-1].end)
    return {name: (last, count) for _, (name, last, count) in sorted(found.items()) if last is not None}


def heads_of(db: sqlite3.Connection, run_key: int) -> list[tuple[str, str, bytes, int, Value]]:
    """Give name, kind, packed columns, row count and last value of each metric of a run, in order of appearance."""
    found = db.execute(
        "SELECT metric_key, name, kind, columns, row_count, last FROM metrics WHERE run_key = ? ORDER BY metric_key",
        (run_key,),
    ).fetchall()
    recent = _recent_blocks(db, run_key, -1) if found else {}
    heads = []
    for key, name, kind, columns, count, packed in found:
        blocks = recent.get(key, ())
        last = _last(blocks) if blocks and kind == MetricKind.VECTOR else None
        if last is None and packed is not None:
            last = unpack(packed)
        heads.append((name, kind, columns, blocks[-1].end if blocks else count, last))
    return heads
