"""Whether the rows of a run's metrics are all there, readable, and summarised as they are."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from runwidgets.columns import Column
from runwidgets.records import VECTOR_COLUMN, MetricKind, Summary
from runwidgets.store.blocks import BLOCK_ROWS, unpack_block, unpack_recent
from runwidgets.store.health.findings import Finding, Severity, Trouble, some_of
from runwidgets.store.series import GROUP, number_of, to_summary, width_of
from runwidgets.store.summaries import summary_of_block, summary_of_summaries
from runwidgets.values import pack, unpack

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from runwidgets.records import Block
    from runwidgets.values import Value

_MOST_RECENT: Final = 2**24
"""Rows of one metric that may be recent: a length that is more than this is garbage, and nothing to unpack."""
_VALUES: Final[frozenset[type]] = frozenset({float, int, str, bool, type(None)})
_STEPS: Final[frozenset[type]] = frozenset({float, int, type(None)})


class UnreadableError(Exception):
    """Bytes that hold no rows."""


def readable_block(first_index: int, data: object) -> Block:
    """Unpack a row of ``blocks``, and make sure that all of it can be read.

    Raises
    ------
    UnreadableError
        If not.
    """
    try:
        return _sound(unpack_block(first_index, data), BLOCK_ROWS)  # type: ignore[arg-type]
    except Exception as error:  # garbage fails in every way there is
        raise UnreadableError(str(error)) from error


def readable_recent(data: object) -> list[tuple[int, Block]]:
    """Unpack a row of ``recent``, and make sure that all of it can be read.

    Raises
    ------
    UnreadableError
        If not.
    """
    try:
        return [(int(key), _sound(block, _MOST_RECENT)) for key, block in unpack_recent(data)]  # type: ignore[arg-type]
    except Exception as error:
        raise UnreadableError(str(error)) from error


def _sound(block: Block, most: int) -> Block:
    count = len(block)
    if not 0 < count <= most or not isinstance(block.first_index, int):
        raise ValueError(f"{count} rows")
    for name, column in {"the steps": block.steps, "the times": block.times, **block.columns}.items():
        if not isinstance(name, str) or len(column) != count:
            raise ValueError(f"{len(column)} values of {name!r} in {count} rows")
    _check_values(block.steps, _STEPS)
    _check_values(block.times, frozenset({int}))
    for column in block.columns.values():
        _check_values(column, _VALUES)
    return block


def _check_values(column: Column, kinds: frozenset[type]) -> None:
    packed = column.packed()
    found = set(map(type, packed)) if isinstance(packed, list) else set()
    if not found <= kinds:
        raise ValueError(f"values of {found - kinds}")
    if isinstance(packed, dict):
        column.to_numpy()


def readable_columns(data: object) -> list[str] | None:
    """Unpack the names of a metric's columns; None where that is not what the bytes are."""
    try:
        names = unpack(data)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001
        return None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def metrics_of(db: sqlite3.Connection, run_key: int) -> list[tuple[Any, ...]]:
    """Read the metrics of a run as they are: key, name, kind, columns, row_count, last, last_number."""
    return db.execute(
        "SELECT metric_key, name, kind, columns, row_count, last, last_number FROM metrics WHERE run_key = ?"
        " ORDER BY metric_key",
        (run_key,),
    ).fetchall()


def blocks_of(db: sqlite3.Connection, metric_key: int) -> Iterator[tuple[int, int, object]]:
    """Read the blocks of a metric, one at a time: first index, row count, bytes."""
    begins = db.execute("SELECT first_index FROM blocks WHERE metric_key = ? ORDER BY first_index", (metric_key,))
    for (first_index,) in begins.fetchall():
        yield db.execute(
            "SELECT first_index, row_count, rows FROM blocks WHERE metric_key = ? AND first_index = ?",
            (metric_key, first_index),
        ).fetchone()


def check_rows(db: sqlite3.Connection, run_key: int, run_id: str) -> list[Finding]:
    """Check all that a run has logged; one block is in memory at a time."""
    found, ends = [], {}
    for metric in metrics_of(db, run_key):
        check = MetricCheck(db, metric)
        check.look()
        ends[metric[0]] = check.end
        if check.complaints:
            found.append(_finding(f"metric {metric[1]!r} of run {run_id}", run_key, check.complaints, check.is_worse))
    complaints = _recent_complaints(db, run_key, ends)
    if complaints:
        found.append(_finding(f"newest rows of run {run_id}", run_key, complaints, is_error=True))
    return found


def _finding(where: str, run_key: int, complaints: dict[str, str], is_error: bool) -> Finding:
    mends = list(dict.fromkeys(complaints.values()))
    return Finding(
        trouble=Trouble.ROWS, severity=Severity.ERROR if is_error else Severity.WARNING, where=where,
        what=some_of(list(complaints), 4), mend="; ".join(mends), place=(run_key,),
    )  # fmt: skip


_DROP: Final = "drops what cannot be read, and numbers the rows after it anew"
_PLACE: Final = "numbers the rows anew"
_COUNT: Final = "counts anew"
_SUMMARISE: Final = "summarises the rows anew"


class MetricCheck:
    """Looks at one metric."""

    def __init__(self, db: sqlite3.Connection, metric: Sequence[Any]) -> None:
        self._db = db
        self._key, _, self._kind, columns, self._row_count, self._last, self._last_number = metric
        self.complaints: dict[str, str] = {}
        """What is wrong, and what mends it."""
        self.is_worse = False
        self._columns = readable_columns(columns)
        if self._columns is None:
            self._complain("the names of its columns cannot be read", "takes them from its rows", is_worse=True)
        if self._kind not in set(MetricKind):
            self._complain(f"it is of no kind that there is: {self._kind!r}", "finds its kind", is_worse=True)
        self.end = 0
        self._newest: Value = None

    def _complain(self, what: str, mend: str, *, is_worse: bool = False) -> None:
        self.complaints[what] = mend
        self.is_worse |= is_worse

    def look(self) -> None:
        """Look at all of it."""
        summaries = self._level(0)
        waiting = next(summaries, None)
        lacks_one = False
        for first_index, row_count, data in blocks_of(self._db, self._key):
            block = self._look_at_block(first_index, row_count, data)
            while waiting is not None and waiting[0] < first_index:
                self._complain("summaries of no rows", _SUMMARISE)
                waiting = next(summaries, None)
            if waiting is None or waiting[0] != first_index:
                lacks_one = True
                if block is not None and len(block) == BLOCK_ROWS:
                    self._complain("full blocks without a summary", _SUMMARISE)
                continue
            if lacks_one:
                self._complain("rows before others that have one lack a summary", _SUMMARISE)
            if block is not None and self._columns is not None:
                self._compare(0, waiting, summary_of_block(block, self._columns, width_of(0)))
            waiting = next(summaries, None)
        if waiting is not None:
            self._complain("summaries of no rows", _SUMMARISE)
        self._look_at_levels()
        self._compare_counts()

    def _look_at_block(self, first_index: int, row_count: int, data: object) -> Block | None:
        if first_index != self.end:
            gap = first_index - self.end
            rows = f"rows {first_index - max(gap, 0):,} to {max(first_index, self.end) - 1:,}"
            self._complain(f"{rows} {'are missing' if gap > 0 else 'are there twice'}", _PLACE, is_worse=True)
        try:
            block = readable_block(first_index, data)
        except UnreadableError:
            self.end = first_index + row_count
            self._complain(f"rows {first_index:,} to {self.end - 1:,} cannot be read", _DROP, is_worse=True)
            return None
        if len(block) != row_count:
            self._complain(f"a block at row {first_index:,} has {len(block):,} rows, not {row_count:,}", _COUNT)
        unknown = set(block.columns) - set(self._columns or ())
        if unknown and self._columns is not None:
            self._complain(f"rows have columns that it has not: {sorted(unknown)}", "adds them")
        self.end = block.end
        newest = block.columns[VECTOR_COLUMN].last() if VECTOR_COLUMN in block.columns else None
        self._newest = newest if newest is not None else self._newest
        return block

    def _compare_counts(self) -> None:
        last = self._newest
        if self._row_count != self.end:
            what = f"it is said to have {self._row_count:,} rows in blocks, and has {self.end:,}"
            self._complain(what, _COUNT, is_worse=self._row_count > self.end)
        is_vector = not self.is_worse and self._kind == MetricKind.VECTOR
        if is_vector and (self._last, self._last_number) != (None if last is None else pack(last), number_of(last)):
            self._complain("its last value is noted wrongly", "notes it anew")

    def _level(self, level: int) -> Iterator[tuple[int, int, object]]:
        keys = self._db.execute(
            "SELECT first_index FROM summaries WHERE metric_key = ? AND level = ? ORDER BY first_index",
            (self._key, level),
        )
        for (first_index,) in keys.fetchall():
            yield self._db.execute(
                "SELECT first_index, row_count, rows FROM summaries WHERE metric_key = ? AND level = ?"
                " AND first_index = ?",
                (self._key, level, first_index),
            ).fetchone()

    def _look_at_levels(self) -> None:
        levels = [
            level
            for (level,) in self._db.execute(
                "SELECT DISTINCT level FROM summaries WHERE metric_key = ? ORDER BY level", (self._key,)
            )
        ]
        for level in levels:
            fine, coarse = self._level(level), self._level(level + 1)
            while len(group := list(islice(fine, GROUP))) == GROUP:
                above = next(coarse, None)
                if above is None:
                    self._complain("sixteen summaries without one of them all", _SUMMARISE)
                    break
                parts = [self._decoded(level, row) for row in group]
                if all(parts):
                    whole = summary_of_summaries([part for part in parts if part], width_of(level + 1))
                    self._compare(level + 1, above, whole)
            else:
                if next(coarse, None) is not None:
                    self._complain("summaries of no summaries", _SUMMARISE)

    def _decoded(self, level: int, row: tuple[int, int, object]) -> Summary | None:
        try:
            summary = Summary(row[0], row[1], width_of(level), to_summary(row[2]))  # type: ignore[arg-type]
            _check_summary(summary)
        except Exception:  # noqa: BLE001
            self._complain("a summary cannot be read", _SUMMARISE)
            return None
        return summary

    def _compare(self, level: int, row: tuple[int, int, object], made: Summary) -> None:
        if (row[0], row[1]) == (made.first_index, made.row_count) and row[2] == pack(made.columns):
            return
        kept = self._decoded(level, row)
        if kept is not None and (kept.first_index, kept.row_count, _exactly(kept)) != (
            made.first_index,
            made.row_count,
            _exactly(made),
        ):
            self._complain("a summary says something else than the rows", _SUMMARISE)


def _check_summary(summary: Summary) -> None:
    """Raise something where the rows that are kept of a column are not those of a summary."""
    for kept in summary.columns.values():
        parts = [Column(packed) for packed in (kept.index, kept.y, kept.steps, kept.times, kept.over)]
        lengths = set(map(len, parts))
        if len(lengths) != 1 or not 0 <= max(lengths) <= BLOCK_ROWS:
            raise ValueError(f"{lengths} rows are kept")
        for part in parts:
            part.to_floats()


def _exactly(summary: Summary) -> bytes:
    """Give what tells summaries apart, NaN and all."""
    return pack(dict(sorted(summary.columns.items())))


def _recent_complaints(db: sqlite3.Connection, run_key: int, ends: dict[int, int]) -> dict[str, str]:
    complaints = {}
    ends = dict(ends)
    for version, data in db.execute("SELECT version, rows FROM recent WHERE run_key = ? ORDER BY version", (run_key,)):
        try:
            blocks = readable_recent(data)
        except UnreadableError:
            complaints[f"those of version {version} cannot be read"] = _DROP
            continue
        for key, block in blocks:
            if key not in ends:
                complaints["some are of a metric that the run has not"] = "drops them"
            elif block.first_index != ends[key]:
                complaints["some do not continue those before them"] = _PLACE
            ends[key] = block.end
    return complaints
