"""Experiments in the tables of the SQLite store; each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runwidgets.records import ExperimentRecord
from runwidgets.store.deletion import delete_with_keys

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence


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
    run_keys = [key for (key,) in db.execute("SELECT run_key FROM runs WHERE experiment_key = ?", found)]
    deleted = delete_with_keys(
        db, run_keys, at, f"the experiment {name!r} cannot be deleted while runs of it are going on"
    )
    for table in ("experiment_tags", "experiments"):
        db.execute(f"DELETE FROM {table} WHERE experiment_key = ?", found)  # noqa: S608 (our tables)
    _raise_version(db)
    return deleted


def _made(db: sqlite3.Connection, name: str, at: float) -> int:
    db.execute("INSERT INTO experiments (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, at))
    row = db.execute("SELECT experiment_key FROM experiments WHERE name = ?", (name,)).fetchone()
    return int(row[0])


def _raise_version(db: sqlite3.Connection) -> None:
    db.execute("UPDATE workspace SET version = version + 1")
