"""The embedded store: one SQLite file per workspace, in write-ahead mode.

Rows of a metric are stored as blocks: what one fold brought of a metric is one row of the table ``blocks``, columns
packed. So a metric of which a thousand points arrive between two folds costs one insert, and one that gets a point a
minute costs one small row.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.errors import SchemaError, StoreError
from runwidgets.records import (
    VECTOR_COLUMN,
    Block,
    ChildRecord,
    Cursor,
    FileRecord,
    FileStored,
    JournalOpened,
    MetricDelta,
    MetricKind,
    Owner,
    PointLogged,
    Progress,
    ProgressMade,
    PropertiesAdded,
    RowsLogged,
    RunCreated,
    RunDelta,
    RunError,
    RunRecord,
    RunStatus,
    StatusSet,
    TagsSet,
)
from runwidgets.store.schema import apply_steps
from runwidgets.values import Column, pack, pack_column, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from runwidgets.records import Event

_BUSY_SECONDS: Final = 30
_BLOCK_ROWS: Final = 16_384
_RUN: Final = """
    SELECT r.run_id, e.name, r.parent_id, r.number, r.name, r.type, r.status, r.created_at, r.started_at, r.ended_at,
        r.error, r.progress, r.version, r.run_key,
        j.journal_id, j.host, j.boot_id, j.pid, j.process_started_at, j.beat_at
    FROM runs r LEFT JOIN experiments e USING (experiment_key) LEFT JOIN journals j USING (journal_id)
"""
_to_error: Final = msgspec.msgpack.Decoder(RunError).decode
_to_progress: Final = msgspec.msgpack.Decoder(Progress).decode


def _record(row: Sequence[Any]) -> RunRecord:
    return RunRecord(
        run_id=row[0], experiment=row[1] or "", parent_id=row[2], number=row[3], name=row[4], type=row[5],
        status=RunStatus(row[6]), created_at=row[7], started_at=row[8], ended_at=row[9],
        error=_to_error(row[10]) if row[10] else None, progress=_to_progress(row[11]) if row[11] else None,
        version=row[12], owner=Owner(*row[14:20]) if row[14] else None,
    )  # fmt: skip


class SqliteStore:
    """A `Store` in one SQLite file.

    Parameters
    ----------
    path
        The file; it is made where it is missing.

    Raises
    ------
    SchemaError
        If a newer version wrote the file.
    StoreError
        If it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._make()

    def _make(self) -> None:
        from filelock import FileLock, Timeout

        try:
            # SQLite answers "locked" at once where two processes switch a new file to write-ahead mode.
            with FileLock(self._path.with_suffix(".schema.lock"), timeout=_BUSY_SECONDS), self._driver_errors():
                apply_steps(self._write_connection())
        except Timeout as error:
            raise StoreError(f"another process has been opening {self._path} for {_BUSY_SECONDS} s") from error
        except OSError as error:
            raise StoreError(f"the workspace's folder {self._path.parent} cannot be written: {error}") from error
        except SchemaError as error:
            self.close()
            raise SchemaError(f"{self._path}: {error}") from None

    def _write_connection(self) -> sqlite3.Connection:
        if self._writer is None:
            db = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            self._writer = db
        return self._writer

    def _read_connection(self) -> sqlite3.Connection:
        if self._reader is None:
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            self._reader = sqlite3.connect(
                uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        return self._reader

    @contextmanager
    def _driver_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"the store {self._path} does not answer: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing, self._driver_errors():
            db = self._write_connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # a full disk, for one, has ended it already
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        with self._reading, self._driver_errors():
            db = self._read_connection()
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("COMMIT")

    # ---- writing

    def fold(self, journal_id: str, start: int, end: int, events: Sequence[Event]) -> bool:  # noqa: D102 (Store)
        with self._transaction() as db:
            row = db.execute("SELECT folded_bytes FROM journals WHERE journal_id = ?", (journal_id,)).fetchone()
            if (row[0] if row else 0) != start:
                return False
            _Fold(db, journal_id).apply(events)
            db.execute(  # inserts only where damage has taken the journal's first event
                "INSERT INTO journals VALUES (?, '', '', 0, 0, ?, 0, NULL)"
                " ON CONFLICT DO UPDATE SET folded_bytes = excluded.folded_bytes",
                (journal_id, end),
            )
        return True

    def beat(self, journal_id: str, at: float) -> None:  # noqa: D102
        with self._transaction() as db:
            db.execute("UPDATE journals SET beat_at = ? WHERE journal_id = ?", (at, journal_id))

    def end_journal(self, journal_id: str, at: float) -> list[str]:  # noqa: D102
        lost = RunError(
            "ProcessEnded",
            "The process that ran this run ended without run.complete() or run.fail(): it was killed, or crashed.",
        )
        with self._transaction() as db:
            final = tuple(s.value for s in RunStatus if s.is_final)
            marks = ", ".join("?" * len(final))
            left = db.execute(
                f"SELECT run_id FROM runs WHERE journal_id = ? AND status NOT IN ({marks})",  # noqa: S608 (only marks)
                (journal_id, *final),
            ).fetchall()
            _Fold(db, journal_id).apply([StatusSet(run_id, at, RunStatus.FAILED, lost) for (run_id,) in left])
            db.execute("UPDATE journals SET ended_at = ? WHERE journal_id = ?", (at, journal_id))
        return [run_id for (run_id,) in left]

    # ---- reading

    def folded_bytes(self, journal_id: str) -> int:  # noqa: D102
        with self._snapshot() as db:
            row = db.execute("SELECT folded_bytes FROM journals WHERE journal_id = ?", (journal_id,)).fetchone()
        return row[0] if row else 0

    def version(self) -> int:  # noqa: D102
        with self._snapshot() as db:
            return int(db.execute("SELECT version FROM workspace").fetchone()[0])

    def owner(self, run_id: str) -> Owner | None:  # noqa: D102
        with self._snapshot() as db:
            row = db.execute(
                "SELECT j.journal_id, j.host, j.boot_id, j.pid, j.process_started_at, j.beat_at"
                " FROM runs r JOIN journals j USING (journal_id) WHERE r.run_id = ?",
                (run_id,),
            ).fetchone()
        return Owner(*row) if row else None

    def run(self, run_id: str) -> RunRecord | None:  # noqa: D102
        with self._snapshot() as db:
            row = db.execute(f"{_RUN} WHERE r.run_id = ?", (run_id,)).fetchone()
        return _record(row) if row else None

    def runs(self, *, experiment: str | None = None, parent_id: str | None = None) -> list[RunRecord]:  # noqa: D102
        with self._snapshot() as db:
            if parent_id is not None:
                rows = db.execute(f"{_RUN} WHERE r.parent_id = ? ORDER BY r.run_key DESC", (parent_id,)).fetchall()
            else:
                rows = db.execute(
                    f"{_RUN} WHERE e.name = ? AND r.parent_id IS NULL ORDER BY r.number DESC", (experiment,)
                ).fetchall()
        return [_record(row) for row in rows]

    def tags(self, run_id: str) -> dict[str, str | None]:  # noqa: D102
        with self._snapshot() as db:
            return _pairs(db, "tags", run_id)

    def properties(self, run_id: str) -> dict[str, str]:  # noqa: D102
        with self._snapshot() as db:
            return _pairs(db, "properties", run_id)

    def files(self, run_id: str) -> list[FileRecord]:  # noqa: D102
        with self._snapshot() as db:
            return _files(db, run_id, -1)

    def metrics(self, run_id: str, name: str | None = None) -> list[MetricDelta]:  # noqa: D102
        name = name and name.encode("utf-8", "replace").decode()  # as `pack` has written it
        with self._snapshot() as db:
            found = db.execute(
                "SELECT metric_key, m.name, kind, columns, row_count FROM metrics m JOIN runs USING (run_key)"
                " WHERE run_id = ? AND (? IS NULL OR m.name = ?) ORDER BY metric_key",
                (run_id, name, name),
            ).fetchall()
            return [_metric_delta(db, row, 0) for row in found]

    def changes(self, run_id: str, cursor: Cursor) -> RunDelta:  # noqa: D102
        with self._snapshot() as db:
            (version,) = db.execute("SELECT version FROM workspace").fetchone()
            if version == cursor.version:
                return RunDelta(cursor=cursor)
            row = db.execute(f"{_RUN} WHERE r.run_id = ?", (run_id,)).fetchone()
            if row is None:
                return RunDelta(cursor=Cursor(version, cursor.rows))
            children = tuple(_children(db, run_id, cursor.version))
            if row[12] <= cursor.version:
                return RunDelta(cursor=Cursor(version, cursor.rows), children=children)
            metrics = tuple(_metric_deltas(db, row[13], cursor))
            rows = {**cursor.rows, **{m.name: m.row_count for m in metrics}}
            return RunDelta(
                cursor=Cursor(version, rows),
                run=_record(row),
                tags=_pairs(db, "tags", run_id),
                properties=_pairs(db, "properties", run_id),
                metrics=metrics,
                children=children,
                files=tuple(_files(db, run_id, cursor.version)),
            )

    # ---- life

    def suspend(self) -> None:
        """Close the connections and hold back other threads: SQLite's state must not cross a fork."""
        self._writing.acquire()
        self._reading.acquire()
        self.close()

    def resume(self, *, in_child: bool) -> None:
        """Go on after a fork. In the child the locks belong to threads that are not there."""
        if in_child:
            self._writing, self._reading = threading.RLock(), threading.RLock()
        else:
            self._reading.release()
            self._writing.release()

    def close(self) -> None:  # noqa: D102
        with self._writing, self._reading:
            for db in (self._reader, self._writer):
                if db is not None:
                    db.close()
            self._reader = self._writer = None


def _pairs(db: sqlite3.Connection, table: str, run_id: str) -> dict[str, Any]:
    query = f"SELECT key, value FROM {table} JOIN runs USING (run_key) WHERE run_id = ?"  # noqa: S608 (our tables)
    return dict(db.execute(query, (run_id,)).fetchall())


def _files(db: sqlite3.Connection, run_id: str, since: int) -> list[FileRecord]:
    rows = db.execute(
        "SELECT path, size, stored_at FROM files JOIN runs USING (run_key)"
        " WHERE run_id = ? AND files.version > ? ORDER BY path",
        (run_id, since),
    )
    return [FileRecord(*row) for row in rows]


def _blocks(db: sqlite3.Connection, metric_key: int, first: int) -> list[Block]:
    """Read the blocks that hold rows from ``first`` on; a block that begins before is cut."""
    rows = db.execute(
        "SELECT first_index, row_count, rows FROM blocks WHERE metric_key = ? AND first_index >="
        " coalesce((SELECT max(first_index) FROM blocks WHERE metric_key = ? AND first_index <= ?), 0)"
        " ORDER BY first_index",
        (metric_key, metric_key, first),
    )
    blocks = []
    for first_index, count, data in rows:
        cut = max(0, first - first_index)
        if cut >= count:
            continue
        steps, times, columns = unpack(data)
        blocks.append(
            Block(
                first_index + cut,
                Column(steps, cut),
                Column(times, cut),
                {name: Column(column, cut) for name, column in columns.items()},
            )
        )
    return blocks


def _metric_deltas(db: sqlite3.Connection, run_key: int, cursor: Cursor) -> Iterator[MetricDelta]:
    changed = db.execute(
        "SELECT metric_key, name, kind, columns, row_count FROM metrics WHERE run_key = ? AND version > ?"
        " ORDER BY metric_key",
        (run_key, cursor.version),
    ).fetchall()
    for row in changed:
        yield _metric_delta(db, row, cursor.rows.get(row[1], 0))


def _metric_delta(db: sqlite3.Connection, row: Sequence[Any], first: int) -> MetricDelta:
    key, name, kind, columns, count = row
    return MetricDelta(name, MetricKind(kind), tuple(unpack(columns)), count, tuple(_blocks(db, key, first)))


def _children(db: sqlite3.Connection, run_id: str, since: int) -> Iterator[ChildRecord]:
    rows = db.execute(f"{_RUN} WHERE r.parent_id = ? AND r.version > ? ORDER BY r.run_key", (run_id, since)).fetchall()
    for row in rows:
        last = db.execute(
            "SELECT name, last FROM metrics WHERE run_key = ? AND version > ? AND kind = ? AND last IS NOT NULL"
            " ORDER BY metric_key",
            (row[13], since, MetricKind.VECTOR),
        )
        yield ChildRecord(_record(row), {name: unpack(value).get(VECTOR_COLUMN) for name, value in last})


class _Rows:
    """Rows of one metric that arrived in one fold, gathered by column."""

    __slots__ = ("columns", "count", "kind", "steps", "times")

    def __init__(self) -> None:
        self.kind: MetricKind | None = None
        self.columns: dict[str, list[Any]] = {}
        self.steps: list[Any] = []
        self.times: list[float] = []
        self.count = 0

    def add(self, kind: MetricKind, columns: dict[str, list[Any]], steps: list[Any] | None, at: float) -> None:
        self.kind = self.kind or kind
        length = max((len(values) for values in columns.values()), default=0)
        for name, values in columns.items():
            column = self.columns.setdefault(name, [])
            column.extend([None] * (self.count - len(column)))
            column.extend(values)
        self.steps.extend(steps if steps is not None else [None] * length)
        self.times.extend([at] * length)
        self.count += length

    def add_point(self, point: PointLogged) -> None:
        """Do what `add` does for one value of a vector, which is nearly all that ever comes."""
        self.kind = self.kind or MetricKind.VECTOR
        values = self.columns.get(VECTOR_COLUMN)
        if values is None or len(values) != self.count:
            values = self.columns.setdefault(VECTOR_COLUMN, [])
            values.extend([None] * (self.count - len(values)))
        values.append(point.value)
        self.steps.append(point.step)
        self.times.append(point.at)
        self.count += 1

    def close(self) -> None:
        for column in self.columns.values():
            column.extend([None] * (self.count - len(column)))

    def last(self) -> dict[str, Any]:
        found = {name: next((v for v in reversed(c) if v is not None), None) for name, c in self.columns.items()}
        return {name: value for name, value in found.items() if value is not None}


class _Fold:
    """Applies events within one open transaction, under one new version number."""

    def __init__(self, db: sqlite3.Connection, journal_id: str) -> None:
        self._db = db
        self._journal_id = journal_id
        self._keys: dict[str, int] = {}
        self._rows: dict[tuple[int, str], _Rows] = {}
        self._touched: set[int] = set()
        self._version = 0

    def apply(self, events: Sequence[Event]) -> None:
        if not events:
            return
        self._db.execute("UPDATE workspace SET version = version + 1")
        (self._version,) = self._db.execute("SELECT version FROM workspace").fetchone()
        found: dict[tuple[str, str], _Rows] = {}
        for event in events:
            if isinstance(event, PointLogged):
                rows = found.get((event.run_id, event.name))
                if rows is None:
                    rows = found[event.run_id, event.name] = self._gather(event.run_id, event.name)
                rows.add_point(event)
            elif isinstance(event, RowsLogged):
                self._gather(event.run_id, event.name).add(event.kind, event.columns, event.steps, event.at)
            else:
                self._apply_one(event)
        for (run_key, name), rows in self._rows.items():
            rows.close()
            self._store_rows(run_key, name, rows)
        self._db.executemany(
            "UPDATE runs SET version = ? WHERE run_key = ?", [(self._version, key) for key in self._touched]
        )

    def _gather(self, run_id: str, name: str) -> _Rows:
        key = (self._key(run_id), name)
        if key not in self._rows:
            self._rows[key] = _Rows()
        return self._rows[key]

    def _key(self, run_id: str) -> int:
        """Find a run's key. A run whose creation is still in another journal gets its row now."""
        key = self._keys.get(run_id)
        if key is None:
            row = self._db.execute("SELECT run_key FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if row is None:
                row = self._db.execute(
                    "INSERT INTO runs (run_id, status, version) VALUES (?, ?, ?) RETURNING run_key",
                    (run_id, RunStatus.NOT_STARTED, self._version),
                ).fetchone()
            key = self._keys[run_id] = int(row[0])
        self._touched.add(key)
        return key

    def _apply_one(self, event: Event) -> None:
        match event:
            case JournalOpened():
                self._db.execute(
                    "INSERT INTO journals VALUES (?, ?, ?, ?, ?, 0, ?, NULL) ON CONFLICT DO NOTHING",
                    (event.journal_id, event.host, event.boot_id, event.pid, event.process_started_at, event.at),
                )
            case RunCreated():
                self._create_run(event)
            case StatusSet():
                self._set_status(event)
            case TagsSet():
                self._set_pairs("tags", "DO UPDATE SET value = excluded.value", event.run_id, event.tags)
            case PropertiesAdded():
                self._set_pairs("properties", "DO NOTHING", event.run_id, event.properties)
            case FileStored():
                self._db.execute(
                    "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
                    (self._key(event.run_id), event.path, event.size, event.at, self._version),
                )
            case ProgressMade():
                self._set_progress(event)

    def _create_run(self, event: RunCreated) -> None:
        self._db.execute(
            "INSERT INTO experiments (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (event.experiment, event.at),
        )
        experiment_key, number = self._db.execute(
            "UPDATE experiments SET last_number = last_number + 1 WHERE name = ? RETURNING experiment_key, last_number",
            (event.experiment,),
        ).fetchone()
        self._db.execute(
            "UPDATE runs SET experiment_key = ?, parent_id = ?, number = ?, name = ?, type = ?, created_at = ?,"
            " journal_id = ? WHERE run_key = ?",
            (experiment_key, event.parent_id, number, event.name, event.type, event.at, self._journal_id,
             self._key(event.run_id)),
        )  # fmt: skip

    def _set_status(self, event: StatusSet) -> None:
        """Set a status; a final one stays, whatever an older journal says later."""
        key = self._key(event.run_id)
        (status,) = self._db.execute("SELECT status FROM runs WHERE run_key = ?", (key,)).fetchone()
        if RunStatus(status).is_final:
            return
        self._db.execute("UPDATE runs SET status = ? WHERE run_key = ?", (event.status, key))
        if event.status is RunStatus.RUNNING:
            self._db.execute("UPDATE runs SET started_at = coalesce(started_at, ?) WHERE run_key = ?", (event.at, key))
        if event.status.is_final:
            error = pack(event.error) if event.error else None
            self._db.execute("UPDATE runs SET ended_at = ?, error = ? WHERE run_key = ?", (event.at, error, key))

    def _set_pairs(self, table: str, conflict: str, run_id: str, pairs: dict[str, Any]) -> None:
        key = self._key(run_id)
        self._db.executemany(
            f"INSERT INTO {table} VALUES (?, ?, ?) ON CONFLICT {conflict}",  # noqa: S608 (our own words)
            [(key, name, value) for name, value in pairs.items()],
        )

    def _set_progress(self, event: ProgressMade) -> None:
        key = self._key(event.run_id)
        (old,) = self._db.execute("SELECT progress FROM runs WHERE run_key = ?", (key,)).fetchone()
        first_done, first_at = event.done, event.at
        if old:
            before = _to_progress(old)
            if before.total == event.total and before.unit == event.unit and before.done <= event.done:
                first_done, first_at = before.first_done, before.first_at
        progress = Progress(event.done, event.total, event.unit, event.at, first_done, first_at)
        self._db.execute("UPDATE runs SET progress = ? WHERE run_key = ?", (pack(progress), key))

    def _store_rows(self, run_key: int, name: str, rows: _Rows) -> None:
        kind = rows.kind or MetricKind.VECTOR
        found = self._db.execute(
            "SELECT metric_key, kind, columns, row_count, last FROM metrics WHERE run_key = ? AND name = ?",
            (run_key, name),
        ).fetchone()
        if found is None:
            found = self._db.execute(
                "INSERT INTO metrics (run_key, name, kind, columns, row_count, version) VALUES (?, ?, ?, ?, 0, ?)"
                " RETURNING metric_key, kind, columns, row_count, last",
                (run_key, name, kind, pack([]), self._version),
            ).fetchone()
        metric_key, old_kind, packed_columns, first, packed_last = found
        columns = unpack(packed_columns)
        columns += [column for column in rows.columns if column not in columns]
        if set(columns) - {VECTOR_COLUMN} and old_kind == MetricKind.VECTOR:
            old_kind = MetricKind.TABLE
        last = {**unpack(packed_last), **rows.last()} if packed_last else rows.last()
        self._db.execute(
            "UPDATE metrics SET kind = ?, columns = ?, row_count = ?, last = ?, version = ? WHERE metric_key = ?",
            (old_kind, pack(columns), first + rows.count, pack(last), self._version, metric_key),
        )
        self._db.executemany(
            "INSERT INTO blocks VALUES (?, ?, ?, ?)",
            [
                (metric_key, first + start, min(_BLOCK_ROWS, rows.count - start), _pack_rows(rows, start))
                for start in range(0, rows.count, _BLOCK_ROWS)
            ],
        )


def _pack_rows(rows: _Rows, start: int) -> bytes:
    part = slice(start, start + _BLOCK_ROWS)
    columns = {name: pack_column(column[part]) for name, column in rows.columns.items()}
    return pack([pack_column(rows.steps[part]), pack_column(rows.times[part]), columns])
