"""Applying events to the tables of the SQLite store, within one transaction and under one version number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.columns import Column, constant, pack_column
from runwidgets.events import (
    FileStored,
    JournalOpened,
    PointLogged,
    ProgressMade,
    PropertiesAdded,
    RowsLogged,
    RunCreated,
    RunDescribed,
    StatusSet,
    TagsRemoved,
    TagsSet,
)
from runwidgets.records import VECTOR_COLUMN, Block, MetricKind, Progress, RunStatus
from runwidgets.store.blocks import BLOCK_ROWS
from runwidgets.store.series import Gathered, Metric, add_rows, gathered_of
from runwidgets.values import pack

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from runwidgets.events import Event

to_progress: Final = msgspec.msgpack.Decoder(Progress).decode
"""Read a progress that a fold packed."""


class _Rows:
    """Rows of one metric that arrived in one fold, as blocks whose indices count from 0."""

    __slots__ = ("blocks", "count", "kind", "names", "points")

    def __init__(self) -> None:
        self.kind: MetricKind | None = None
        self.names: dict[str, None] = {}
        self.blocks: list[Block] = []
        self.count = 0
        self.points: list[PointLogged] = []
        """Values of a vector that came one by one, nearly all that ever comes: they become blocks when others come."""

    def add(self, event: RowsLogged) -> None:
        """Take rows that came at once."""
        self.close()
        self.kind = self.kind or event.kind
        columns = {name: Column(packed) for name, packed in event.columns.items()}
        count = max(map(len, columns.values()), default=0)
        steps = Column({"n": count} if event.steps is None else event.steps)
        self._take(Block(self.count, steps, constant(_microseconds(event.at), count), columns))

    def close(self) -> None:
        """Make blocks of the points; only then all rows are in blocks."""
        if self.points:
            self.kind = self.kind or MetricKind.VECTOR
        for start in range(0, len(self.points), BLOCK_ROWS):
            part = self.points[start : start + BLOCK_ROWS]
            steps, times = [point.step for point in part], [int(point.at * 1e6 + 0.5) for point in part]
            values = Column(pack_column([point.value for point in part]))
            self._take(
                Block(self.count, Column(pack_column(steps)), Column(pack_column(times)), {VECTOR_COLUMN: values})
            )
        self.points = []

    def _take(self, block: Block) -> None:
        self.names.update(dict.fromkeys(block.columns))
        if len(block):
            self.blocks.append(block)
            self.count += len(block)


def _microseconds(at: float) -> int:
    return round(at * 1_000_000)


class Fold:
    """Applies events within one open transaction, under one new version number.

    Parameters
    ----------
    db
        A connection within a transaction.
    journal_id
        The journal that the events come from.
    known
        What folds of this process before know of the runs, by key. It is used where nobody else has changed a run
        since, and brought up to date; after a transaction that failed it is no good any more.
    """

    def __init__(self, db: sqlite3.Connection, journal_id: str, known: dict[int, Gathered]) -> None:
        self._db = db
        self._journal_id = journal_id
        self._known = known
        self._keys: dict[str, int | None] = {}
        self._before: dict[int, int] = {}
        self._rows: dict[int, dict[str, _Rows]] = {}
        self._version = 0

    def apply(self, events: Sequence[Event]) -> None:
        """Apply events in their order; rows of metrics are gathered and come last."""
        if not events:
            return
        (self._version,) = self._db.execute("UPDATE workspace SET version = version + 1 RETURNING version").fetchone()
        found: dict[tuple[str, str], _Rows] = {}
        for event in events:
            if isinstance(event, PointLogged):
                place = (event.run_id, event.name)
                rows = found.get(place)
                if rows is None:
                    rows = found[place] = self._gather(event.run_id, event.name)
                rows.points.append(event)
            elif isinstance(event, RowsLogged):
                self._gather(event.run_id, event.name).add(event)
            elif isinstance(event, JournalOpened):
                self._open_journal(event)
            elif self._find(event.run_id, event.at if isinstance(event, RunCreated) else None) is not None:
                self._apply_one(event)
                if isinstance(event, RunCreated):
                    found.clear()  # where it was deleted before, what came until now is of nobody
        self._db.executemany(
            "UPDATE runs SET version = ? WHERE run_key = ?", [(self._version, key) for key in self._before]
        )
        for run_key in self._before:
            self._store_rows(run_key, self._rows.get(run_key, {}))

    def _gather(self, run_id: str, name: str) -> _Rows:
        key = self._find(run_id)
        return _Rows() if key is None else self._rows.setdefault(key, {}).setdefault(name, _Rows())

    def _key(self, run_id: str) -> int:
        return self._keys[run_id] or 0  # `apply` has found it

    def _find(self, run_id: str, created_at: float | None = None) -> int | None:
        """Find a run's key; None for one that was deleted, unless it is created after that.

        A run whose creation is still in another journal gets its row now.
        """
        if self._keys.get(run_id) is None and (run_id not in self._keys or created_at is not None):
            row = self._db.execute("SELECT run_key, version FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if row is None:
                deleted = self._db.execute("SELECT deleted_at FROM deleted_runs WHERE run_id = ?", (run_id,)).fetchone()
                if deleted and (created_at is None or created_at <= deleted[0]):
                    self._keys[run_id] = None
                    return None
                row = self._db.execute(
                    "INSERT INTO runs (run_id, status, version) VALUES (?, ?, ?) RETURNING run_key, version",
                    (run_id, RunStatus.NOT_STARTED, self._version),
                ).fetchone()
                self._known[row[0]] = Gathered(self._version)
            self._keys[run_id], self._before[row[0]] = row
        return self._keys[run_id]

    def _apply_one(self, event: Event) -> None:
        match event:
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
            case RunDescribed():
                self._db.execute(
                    "UPDATE runs SET name = coalesce(?, name), description = coalesce(?, description)"
                    " WHERE run_key = ?",
                    (event.name, event.description, self._key(event.run_id)),
                )
            case TagsRemoved():
                key = self._key(event.run_id)
                self._db.executemany(
                    "DELETE FROM tags WHERE run_key = ? AND key = ?", [(key, name) for name in event.keys]
                )

    def _open_journal(self, event: JournalOpened) -> None:
        self._db.execute(
            "INSERT INTO journals VALUES (?, ?, ?, ?, ?, 0, ?, NULL) ON CONFLICT DO UPDATE SET host = excluded.host,"
            " boot_id = excluded.boot_id, pid = excluded.pid, process_started_at = excluded.process_started_at,"
            " beat_at = excluded.beat_at",  # it passes from the process that began it to the one that it is for
            (event.journal_id, event.host, event.boot_id, event.pid, event.process_started_at, event.at),
        )

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
        if event.status != status:
            self._db.execute("INSERT OR IGNORE INTO statuses VALUES (?, ?, ?)", (key, event.at, event.status))
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
            before = to_progress(old)
            if before.total == event.total and before.unit == event.unit and before.done <= event.done:
                first_done, first_at = before.first_done, before.first_at
        progress = Progress(event.done, event.total, event.unit, event.at, first_done, first_at)
        self._db.execute("UPDATE runs SET progress = ? WHERE run_key = ?", (pack(progress), key))

    def _store_rows(self, run_key: int, new: dict[str, _Rows]) -> None:
        (status,) = self._db.execute("SELECT status FROM runs WHERE run_key = ?", (run_key,)).fetchone()
        is_over = RunStatus(status).is_final
        state = self._known.get(run_key)
        if state is None or state.version != self._before[run_key]:
            if not new and not is_over:
                self._known.pop(run_key, None)
                return
            state = gathered_of(self._db, run_key, self._version)
        state.version = self._version
        for name, rows in new.items():
            rows.close()
            self._describe(run_key, state, name, rows)
        add_rows(self._db, run_key, self._version, state, {n: rows.blocks for n, rows in new.items()}, settle=is_over)
        if is_over:
            self._known.pop(run_key, None)
        else:
            self._known[run_key] = state

    def _describe(self, run_key: int, state: Gathered, name: str, rows: _Rows) -> None:
        """Enter a metric, or what is new about its kind and its columns."""
        kind = rows.kind or MetricKind.VECTOR
        metric = state.metrics.get(name)
        if metric is None:
            (key,) = self._db.execute(
                "INSERT INTO metrics (run_key, name, kind, columns, row_count, version) VALUES (?, ?, ?, ?, 0, ?)"
                " RETURNING metric_key",
                (run_key, name, kind, pack(list(rows.names)), self._version),
            ).fetchone()
            metric = state.metrics[name] = Metric(key, kind, list(rows.names), 0, 0)
        more = [column for column in rows.names if column not in metric.columns]
        metric.columns += more
        is_table = metric.kind is MetricKind.VECTOR and set(metric.columns) - {VECTOR_COLUMN}
        if is_table:
            metric.kind = MetricKind.TABLE
        if more or is_table:
            self._db.execute(
                "UPDATE metrics SET kind = ?, columns = ?, version = ? WHERE metric_key = ?",
                (metric.kind, pack(metric.columns), self._version, metric.key),
            )
