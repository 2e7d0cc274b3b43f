"""The embedded store: one SQLite file per workspace, in write-ahead mode.

Runs, tags, properties and files are rows of their tables; how rows of metrics lie is told in `runwidgets.store.series`.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from runwidgets.errors import SchemaError, StoreError
from runwidgets.events import RunCreated, StatusSet
from runwidgets.records import ChildRecord, Cursor, FileRecord, Owner, RunDelta, RunError, RunStatus, StatusChange
from runwidgets.store import deletion, experiments
from runwidgets.store.folding import Fold
from runwidgets.store.listing import RUN, described, metric_heads, news_of, record_of
from runwidgets.store.locks import lock_at
from runwidgets.store.safety import IMMUTABLE, pragmas_for, reader_mode_for, unwritable_mode_for
from runwidgets.store.schema import apply_steps, check_steps
from runwidgets.store.search import count, find
from runwidgets.store.series import changed_metrics, last_values, whole_metrics, window_of_metric
from runwidgets.system import may_be_written
from runwidgets.values import stored_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from runwidgets.events import Event
    from runwidgets.records import ExperimentRecord, FoundRun, MetricDelta, MetricHead, RunQuery, RunRecord, RunsNews
    from runwidgets.store.series import Gathered

_BUSY_SECONDS: Final = 30
PAGE_BYTES: Final = 1024
"""Of a new file. A fold changes a handful of small rows, and SQLite writes whole pages: with small ones a run that logs
slowly writes half as much as with the usual 4096 bytes, for a third more time to read long series."""
_WAL_PAGES: Final = 4096
"""So long the write-ahead log grows before its pages are written back: 4 MiB, as is SQLite's own default."""
_NOBODY: Final = ""
"""The journal of runs that come from elsewhere."""
_MOST_GATHERED: Final = 4096
"""Of so many runs it is remembered what they have."""


class SqliteStore:
    """A `Store` in one SQLite file.

    Parameters
    ----------
    path
        The file; it is made where it is missing. Where this user may read but not write it, it can be read all the
        same, and nothing is made beside it.

    Raises
    ------
    SchemaError
        If a newer version wrote the file, or an older one a file that this user may not write.
    StoreError
        If it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._gathered: dict[int, Gathered] = {}
        self.is_read_only = False
        """Whether this user may only read the file."""
        self._is_frozen = False
        self._make()

    def _make(self) -> None:
        try:
            # SQLite answers "locked" at once where two processes switch a new file to write-ahead mode.
            lock = lock_at(self._path.with_suffix(".schema.lock"))
            with lock.acquire(timeout=_BUSY_SECONDS), self._driver_errors():
                apply_steps(self._write_connection())
        except TimeoutError as error:
            raise StoreError(f"another process has been opening {self._path} for {_BUSY_SECONDS} s") from error
        except OSError as error:
            if not self._path.exists() or may_be_written(self._path.parent):
                raise StoreError(f"the workspace's folder {self._path.parent} cannot be written: {error}") from error
            self.is_read_only = True
        except SchemaError as error:
            self.close()
            raise SchemaError(f"{self._path}: {error}") from None
        except StoreError:
            self.close()
            raise
        if self.is_read_only:
            self._check()

    def _check(self) -> None:
        """Look whether a file that cannot be written is one that this version can read."""
        try:
            with self._snapshot() as db:
                check_steps(db)
        except SchemaError as error:
            self.close()
            raise SchemaError(f"{self._path}: {error}") from None
        except StoreError:
            self.close()
            raise

    def _write_connection(self) -> sqlite3.Connection:
        if self._writer is None:
            db = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                for pragma in pragmas_for(self._path):
                    db.execute(pragma)
                db.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
            except BaseException:
                db.close()
                raise
            self._writer = db
        return self._writer

    def _read_connection(self) -> sqlite3.Connection:
        if self._reader is None:
            self._reader = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?{self._reader_mode()}",
                uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False,
            )  # fmt: skip
            self._reader.execute("PRAGMA query_only = 1")
        return self._reader

    def _reader_mode(self) -> str:
        if not self.is_read_only:
            return f"mode={reader_mode_for(self._path)}"
        try:
            mode = unwritable_mode_for(self._path)
        except OSError as error:
            raise StoreError(f"the store {self._path} cannot be read: {error}") from error
        self._is_frozen = mode == IMMUTABLE
        return mode

    @contextmanager
    def _driver_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"the store {self._path} does not answer: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self.is_read_only:
            raise StoreError(f"the store {self._path} can only be read: this user may not write {self._path.parent}")
        with self._writing, self._driver_errors():
            db = self._write_connection()
            db.execute("BEGIN IMMEDIATE")
            if len(self._gathered) > _MOST_GATHERED:
                self._gathered.clear()
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                self._gathered.clear()
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
                if self._is_frozen:  # as far as this connection is concerned; somebody else may write at any time
                    db.close()
                    self._reader = None

    # ---- writing

    def fold(self, journal_id: str, start: int, end: int, events: Sequence[Event]) -> bool:  # noqa: D102 (Store)
        with self._transaction() as db:
            row = db.execute("SELECT folded_bytes FROM journals WHERE journal_id = ?", (journal_id,)).fetchone()
            if (row[0] if row else 0) != start:
                return False
            Fold(db, journal_id, self._gathered).apply(events)
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
            Fold(db, journal_id, self._gathered).apply(
                [StatusSet(run_id, at, RunStatus.FAILED, lost) for (run_id,) in left]
            )
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

    def journal_owner(self, journal_id: str) -> Owner | None:  # noqa: D102
        with self._snapshot() as db:
            row = db.execute(
                "SELECT journal_id, host, boot_id, pid, process_started_at, beat_at FROM journals WHERE journal_id = ?",
                (journal_id,),
            ).fetchone()
        return Owner(*row) if row else None

    def run(self, run_id: str) -> RunRecord | None:  # noqa: D102
        with self._snapshot() as db:
            row = db.execute(f"{RUN} WHERE r.run_id = ?", (run_id,)).fetchone()
        return record_of(row) if row else None

    def runs(self, *, experiment: str | None = None, parent_id: str | None = None) -> list[RunRecord]:  # noqa: D102
        with self._snapshot() as db:
            if parent_id is not None:
                rows = db.execute(f"{RUN} WHERE r.parent_id = ? ORDER BY r.run_key DESC", (parent_id,)).fetchall()
            else:
                rows = db.execute(
                    f"{RUN} WHERE e.name = ? AND r.parent_id IS NULL ORDER BY r.number DESC", (experiment,)
                ).fetchall()
        return [record_of(row) for row in rows]

    def find(self, query: RunQuery) -> list[str]:  # noqa: D102
        with self._snapshot() as db:
            return find(db, query)

    def count(self, query: RunQuery) -> int:  # noqa: D102
        with self._snapshot() as db:
            return count(db, query)

    def described(self, run_ids: Sequence[str]) -> list[FoundRun]:  # noqa: D102
        with self._snapshot() as db:
            found = described(db, run_ids)
        return [found[run_id] for run_id in run_ids if run_id in found]

    def news(self, query: RunQuery, since: int) -> RunsNews:  # noqa: D102
        with self._snapshot() as db:
            return news_of(db, query, since)

    def heads(self, run_id: str) -> list[MetricHead]:  # noqa: D102
        with self._snapshot() as db:
            return metric_heads(db, run_id)

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
        name = name and stored_text(name)
        with self._snapshot() as db:
            run = db.execute("SELECT run_key FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            return whole_metrics(db, run[0], name) if run else []

    def window(  # noqa: D102
        self, run_id: str, name: str, start: int, stop: int, width: int = 1
    ) -> MetricDelta | None:
        with self._snapshot() as db:
            run = db.execute("SELECT run_key FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            return window_of_metric(db, run[0], stored_text(name), start, stop, width) if run else None

    def changes(self, run_id: str, cursor: Cursor) -> RunDelta:  # noqa: D102
        with self._snapshot() as db:
            (version,) = db.execute("SELECT version FROM workspace").fetchone()
            if version == cursor.version:
                return RunDelta(cursor=cursor)
            row = db.execute(f"{RUN} WHERE r.run_id = ?", (run_id,)).fetchone()
            children = tuple(_children(db, run_id, cursor.version))  # they may be there before the run is
            if row is None or row[12] <= cursor.version:
                return RunDelta(cursor=Cursor(version, cursor.rows), children=children)
            metrics = tuple(changed_metrics(db, row[13], cursor))
            rows = {**cursor.rows, **{m.name: m.row_count for m in metrics}}
            return RunDelta(
                cursor=Cursor(version, rows),
                run=record_of(row),
                tags=_pairs(db, "tags", run_id),
                properties=_pairs(db, "properties", run_id),
                history=_history(db, row[13]),
                metrics=metrics,
                children=children,
                files=tuple(_files(db, run_id, cursor.version)),
            )

    # ---- experiments

    def experiments(self, name: str | None = None) -> list[ExperimentRecord]:  # noqa: D102
        with self._snapshot() as db:
            return experiments.listed(db, name)

    def tag_experiment(self, name: str, tags: Mapping[str, str | None], at: float) -> None:  # noqa: D102
        with self._transaction() as db:
            experiments.tag(db, name, tags, at)

    def untag_experiment(self, name: str, keys: Sequence[str]) -> None:  # noqa: D102
        with self._transaction() as db:
            experiments.untag(db, name, keys)

    def archive_experiment(self, name: str, at: float) -> None:  # noqa: D102
        with self._transaction() as db:
            experiments.set_archived(db, name, at, archived=True)

    def reactivate_experiment(self, name: str, at: float) -> None:  # noqa: D102
        with self._transaction() as db:
            experiments.set_archived(db, name, at, archived=False)

    def delete_experiment(self, name: str, at: float) -> list[str]:  # noqa: D102
        with self._transaction() as db:
            return experiments.delete(db, name, at)

    def delete_runs(self, run_ids: Sequence[str], at: float) -> list[str]:  # noqa: D102
        with self._transaction() as db:
            return deletion.delete_runs(db, run_ids, at)

    def adopt(self, events: Sequence[Event]) -> None:  # noqa: D102
        created = [event.run_id for event in events if isinstance(event, RunCreated)]
        with self._transaction() as db:
            deletion.admit(db, created)
            Fold(db, _NOBODY, self._gathered).apply(events)
            db.executemany("UPDATE runs SET journal_id = NULL WHERE run_id = ?", [(run_id,) for run_id in created])

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


def _history(db: sqlite3.Connection, run_key: int) -> tuple[StatusChange, ...]:
    rows = db.execute("SELECT status, at FROM statuses WHERE run_key = ? ORDER BY at", (run_key,))
    return tuple(StatusChange(RunStatus(status), at) for status, at in rows)


def _files(db: sqlite3.Connection, run_id: str, since: int) -> list[FileRecord]:
    rows = db.execute(
        "SELECT path, size, stored_at FROM files JOIN runs USING (run_key)"
        " WHERE run_id = ? AND files.version > ? ORDER BY path",
        (run_id, since),
    )
    return [FileRecord(*row) for row in rows]


def _children(db: sqlite3.Connection, run_id: str, since: int) -> Iterator[ChildRecord]:
    rows = db.execute(f"{RUN} WHERE r.parent_id = ? AND r.version > ? ORDER BY r.run_key", (run_id, since)).fetchall()
    if not rows:
        return
    tags, properties = (_pairs_of_children(db, table, run_id, since) for table in ("tags", "properties"))
    # Thousands of children of one process say much the same: each text of them, and their owner, is kept once.
    same: dict[Any, Any] = {}
    for row in rows:
        key = row[13]
        found = last_values(db, key, since)
        record = record_of([same.setdefault(part, part) if isinstance(part, str) else part for part in row])
        yield ChildRecord(
            structs.replace(record, owner=same.setdefault(record.owner, record.owner)),
            {same.setdefault(name, name): last for name, (last, _) in found.items()},
            frozenset(name for name, (_, count) in found.items() if count > 1),
            tags.get(key, {}),
            properties.get(key, {}),
        )


def _pairs_of_children(db: sqlite3.Connection, table: str, run_id: str, since: int) -> dict[int, dict[str, Any]]:
    """Give the tags or properties of the children that changed, by key of the run, with one text for equal ones."""
    found: dict[int, dict[str, Any]] = {}
    texts: dict[str | None, str | None] = {}
    pairs = db.execute(
        f"SELECT run_key, key, value FROM runs r JOIN {table} USING (run_key)"  # noqa: S608 (our tables)
        " WHERE r.parent_id = ? AND r.version > ?",
        (run_id, since),
    )
    for run_key, key, value in pairs:
        found.setdefault(run_key, {})[texts.setdefault(key, key)] = texts.setdefault(value, value)  # type: ignore[index]
    return found
