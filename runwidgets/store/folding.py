"""Applying events to the tables of the SQLite store, within one transaction and under one version number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.records import (
    VECTOR_COLUMN,
    FileStored,
    JournalOpened,
    MetricKind,
    PointLogged,
    Progress,
    ProgressMade,
    PropertiesAdded,
    RowsLogged,
    RunCreated,
    RunDescribed,
    RunStatus,
    StatusSet,
    TagsRemoved,
    TagsSet,
)
from runwidgets.values import pack, pack_column, unpack

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from runwidgets.records import Event

_BLOCK_ROWS: Final = 16_384
to_progress: Final = msgspec.msgpack.Decoder(Progress).decode
"""Read a progress that a fold packed."""


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


class Fold:
    """Applies events within one open transaction, under one new version number."""

    def __init__(self, db: sqlite3.Connection, journal_id: str) -> None:
        self._db = db
        self._journal_id = journal_id
        self._keys: dict[str, int] = {}
        self._rows: dict[tuple[int, str], _Rows] = {}
        self._touched: set[int] = set()
        self._version = 0

    def apply(self, events: Sequence[Event]) -> None:
        """Apply events in their order; rows of metrics are gathered and come last."""
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
            before = to_progress(old)
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
