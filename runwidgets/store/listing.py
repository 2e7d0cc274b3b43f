"""Runs as the SQLite store has them: one by one, many with their tags, and which of many are news."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.records import (
    ChildRecord,
    FoundRun,
    MetricHead,
    MetricKind,
    Owner,
    RunError,
    RunRecord,
    RunsNews,
    RunStatus,
)
from runwidgets.store.folding import to_progress
from runwidgets.store.search import count, find
from runwidgets.store.series import heads_of, last_values
from runwidgets.values import unpack

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from runwidgets.records import RunQuery

_AT_ONCE: Final = 500
"""So many runs are asked for in one query."""
RUN: Final = """
    SELECT r.run_id, e.name, r.parent_id, r.number, r.name, r.type, r.status, r.created_at, r.started_at, r.ended_at,
        r.error, r.progress, r.version, r.run_key,
        j.journal_id, j.host, j.boot_id, j.pid, j.process_started_at, j.beat_at, r.description
    FROM runs r LEFT JOIN experiments e USING (experiment_key) LEFT JOIN journals j USING (journal_id)
"""
_to_error: Final = msgspec.msgpack.Decoder(RunError).decode


def record_of(row: Sequence[Any]) -> RunRecord:
    """Make a record of a row of `RUN`."""
    return RunRecord(
        run_id=row[0], experiment=row[1] or "", parent_id=row[2], number=row[3], name=row[4], type=row[5],
        status=RunStatus(row[6]), created_at=row[7], started_at=row[8], ended_at=row[9],
        error=_to_error(row[10]) if row[10] else None, progress=to_progress(row[11]) if row[11] else None,
        version=row[12], owner=Owner(*row[14:20]) if row[14] else None, description=row[20],
    )  # fmt: skip


def described(db: sqlite3.Connection, run_ids: Sequence[str]) -> dict[str, FoundRun]:
    """Give runs with their tags and properties, by id; unknown ones are left out."""
    return {found.run.run_id: found for _, found in _described(db, run_ids)}


def _described(db: sqlite3.Connection, run_ids: Sequence[str]) -> list[tuple[int, FoundRun]]:
    found: dict[str, tuple[int, FoundRun]] = {}
    for start in range(0, len(run_ids), _AT_ONCE):
        part = run_ids[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(part))
        rows = db.execute(f"{RUN} WHERE r.run_id IN ({marks})", part).fetchall()
        found.update({row[0]: (row[13], FoundRun(record_of(row), {}, {})) for row in rows})
        for table in ("tags", "properties"):
            pairs = db.execute(
                f"SELECT run_id, key, value FROM {table} JOIN runs USING (run_key)"  # noqa: S608 (our tables)
                f" WHERE run_id IN ({marks})",
                part,
            )
            for run_id, key, value in pairs:
                getattr(found[run_id][1], table)[key] = value
    return [found[run_id] for run_id in run_ids if run_id in found]


def news_of(db: sqlite3.Connection, query: RunQuery, since: int) -> RunsNews:
    """Read which runs of a query changed since a version; with nothing known yet (-1) all of them."""
    (version,) = db.execute("SELECT version FROM workspace").fetchone()
    if version == since:
        return RunsNews(version)
    (deleted_at,) = db.execute("SELECT max(deleted_at) FROM deleted_runs").fetchone()
    total = None
    if since < 0:
        total = count(db, query)
    else:
        query = msgspec.structs.replace(query, since=since, limit=None)
    found = _described(db, find(db, query))
    runs = tuple(child_record(db, key, since, one) for key, one in found)
    return RunsNews(version, runs, total, deleted_at)


def child_record(db: sqlite3.Connection, run_key: int, since: int, found: FoundRun) -> ChildRecord:
    """Give a run with what its vectors brought since a version."""
    values = last_values(db, run_key, since)
    last = {name: value for name, (value, _) in values.items()}
    repeated = frozenset(name for name, (_, count) in values.items() if count > 1)
    return ChildRecord(found.run, last, repeated, found.tags, found.properties)


def metric_heads(db: sqlite3.Connection, run_id: str) -> list[MetricHead]:
    """Tell which metrics a run has, in the order in which they were first logged, without their rows."""
    run = db.execute("SELECT run_key FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    if run is None:
        return []
    return [
        MetricHead(name, MetricKind(kind), tuple(unpack(columns)), count, last)
        for name, kind, columns, count, last in heads_of(db, run[0])
    ]
