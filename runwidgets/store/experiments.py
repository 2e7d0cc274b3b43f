"""Experiments in the tables of the SQLite store; each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runwidgets.errors import UserError
from runwidgets.records import ExperimentRecord, Owner, RunStatus
from runwidgets.store.liveness import observed_status

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

OF_A_METRIC: Final = ("blocks", "summaries")
"""The tables that hold parts of a metric, by its ``metric_key``."""
OF_A_RUN: Final = ("tags", "properties", "files", "recent", "metrics")
"""The tables that hold parts of a run, by its ``run_key``."""
_NAMED: Final = 5


def listed(db: sqlite3.Connection, name: str | None = None) -> list[ExperimentRecord]:
    """Read all experiments, or the one of a name, in the order in which they began to exist.

    An archived one is active again when a run was created after it was archived: its runs must not be hidden.
    """
    tags: dict[int, dict[str, str | None]] = {}
    for experiment_key, key, value in db.execute("SELECT experiment_key, key, value FROM experiment_tags"):
        tags.setdefault(experiment_key, {})[key] = value
    rows = db.execute(
        "SELECT experiment_key, name, created_at, CASE WHEN archived_at IS NULL OR EXISTS"
        " (SELECT 1 FROM runs r WHERE r.experiment_key = e.experiment_key AND r.created_at > archived_at)"
        " THEN NULL ELSE archived_at END,"
        " (SELECT count(*) FROM runs r WHERE r.experiment_key = e.experiment_key)"
        " FROM experiments e WHERE ? IS NULL OR name = ? ORDER BY experiment_key",
        (name, name),
    )
    return [
        ExperimentRecord(found, created_at, archived_at, count, tags.get(experiment_key, {}))
        for experiment_key, found, created_at, archived_at, count in rows
    ]


def tag(db: sqlite3.Connection, name: str, tags: Mapping[str, str | None], at: float) -> None:
    """Set tags of an experiment; one that does not exist begins to."""
    experiment_key = _made(db, name, at)
    db.executemany(
        "INSERT INTO experiment_tags VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        [(experiment_key, key, value) for key, value in tags.items()],
    )
    _raise_version(db)


def untag(db: sqlite3.Connection, name: str, keys: Sequence[str]) -> None:
    """Take tags of an experiment away."""
    db.executemany(
        "DELETE FROM experiment_tags WHERE key = ?"
        " AND experiment_key = (SELECT experiment_key FROM experiments WHERE name = ?)",
        [(key, name) for key in keys],
    )
    _raise_version(db)


def set_archived(db: sqlite3.Connection, name: str, at: float, *, archived: bool) -> None:
    """Archive an experiment, or make it active; one that does not exist begins to."""
    since = at if archived else None
    db.execute("UPDATE experiments SET archived_at = ? WHERE experiment_key = ?", (since, _made(db, name, at)))
    _raise_version(db)


def delete(db: sqlite3.Connection, name: str, at: float) -> list[str]:
    """Delete an experiment with its runs, and give their ids.

    Raises
    ------
    UserError
        If a run of it has not ended and its process lives.
    """
    found = db.execute("SELECT experiment_key FROM experiments WHERE name = ?", (name,)).fetchone()
    if found is None:
        return []
    runs = db.execute(
        "SELECT run_id, status, j.journal_id, host, boot_id, pid, process_started_at, beat_at"
        " FROM runs LEFT JOIN journals j USING (journal_id) WHERE experiment_key = ? ORDER BY run_key",
        found,
    ).fetchall()
    running = [run_id for run_id, status, *owner in runs if _runs_still(status, owner)]
    if running:
        more = f" and {len(running) - _NAMED} more" if len(running) > _NAMED else ""
        raise UserError(
            f"the experiment {name!r} cannot be deleted while runs of it are going on "
            f"({', '.join(running[:_NAMED])}{more}): end them with complete(), fail() or cancel(), or end their process"
        )
    its_runs = "run_key IN (SELECT run_key FROM runs WHERE experiment_key = ?)"
    for table in OF_A_METRIC:
        db.execute(
            f"DELETE FROM {table} WHERE metric_key IN (SELECT metric_key FROM metrics WHERE {its_runs})",  # noqa: S608
            found,
        )
    for table in OF_A_RUN:
        db.execute(f"DELETE FROM {table} WHERE {its_runs}", found)  # noqa: S608 (our tables)
    # What a process that still knows one of them logs later is of no run any more.
    db.execute("INSERT OR REPLACE INTO deleted_runs SELECT run_id, ? FROM runs WHERE experiment_key = ?", (at, *found))
    for table in ("runs", "experiment_tags", "experiments"):
        db.execute(f"DELETE FROM {table} WHERE experiment_key = ?", found)  # noqa: S608
    _raise_version(db)
    return [run_id for run_id, *_ in runs]


def _runs_still(status: str, owner: Sequence[object]) -> bool:
    stored = RunStatus(status)
    known = Owner(*owner) if owner[0] is not None else None  # type: ignore[arg-type]
    return not stored.is_final and observed_status(stored, known) is not RunStatus.NOT_RESPONDING


def _made(db: sqlite3.Connection, name: str, at: float) -> int:
    db.execute("INSERT INTO experiments (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, at))
    row = db.execute("SELECT experiment_key FROM experiments WHERE name = ?", (name,)).fetchone()
    return int(row[0])


def _raise_version(db: sqlite3.Connection) -> None:
    db.execute("UPDATE workspace SET version = version + 1")
