"""The tables of the SQLite store, as named steps that are applied in order, each once and whole.

Keys named ``*_key`` are internal to one store; ``version`` columns hold the workspace-wide version number of the
transaction that last touched the row, so that "what changed since v" is a search in an index. How rows of metrics lie
in ``recent``, ``blocks`` and ``summaries`` is told in `runwidgets.store.series`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from runwidgets.errors import SchemaError
from runwidgets.store.upgrade import run_script, to_series

if TYPE_CHECKING:
    import sqlite3

Step = str | Callable[["sqlite3.Connection"], None]
"""What a step does: statements of SQL, or a function that works within the step's transaction."""

STEPS: Final[tuple[tuple[str, Step], ...]] = (
    (
        "0001-runs",
        """
        CREATE TABLE workspace (version INTEGER NOT NULL);
        INSERT INTO workspace VALUES (0);
        CREATE TABLE journals (
            journal_id TEXT PRIMARY KEY,
            host TEXT NOT NULL, boot_id TEXT NOT NULL, pid INTEGER NOT NULL, process_started_at REAL NOT NULL,
            folded_bytes INTEGER NOT NULL, beat_at REAL NOT NULL, ended_at REAL
        ) WITHOUT ROWID;
        CREATE TABLE experiments (
            experiment_key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
            created_at REAL NOT NULL, last_number INTEGER NOT NULL DEFAULT 0
        );
        CREATE TABLE runs (
            run_key INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE,
            experiment_key INTEGER REFERENCES experiments, parent_id TEXT,
            number INTEGER, name TEXT, type TEXT, status TEXT NOT NULL,
            created_at REAL, started_at REAL, ended_at REAL,
            error BLOB, progress BLOB, journal_id TEXT, version INTEGER NOT NULL
        );
        CREATE INDEX runs_of_experiment ON runs (experiment_key, number);
        CREATE INDEX runs_of_parent ON runs (parent_id, version) WHERE parent_id IS NOT NULL;
        CREATE INDEX runs_of_journal ON runs (journal_id);
        CREATE TABLE tags (
            run_key INTEGER NOT NULL REFERENCES runs, key TEXT NOT NULL, value TEXT, PRIMARY KEY (run_key, key)
        ) WITHOUT ROWID;
        CREATE TABLE properties (
            run_key INTEGER NOT NULL REFERENCES runs, key TEXT NOT NULL, value TEXT, PRIMARY KEY (run_key, key)
        ) WITHOUT ROWID;
        CREATE TABLE files (
            run_key INTEGER NOT NULL REFERENCES runs, path TEXT NOT NULL,
            size INTEGER NOT NULL, stored_at REAL NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (run_key, path)
        ) WITHOUT ROWID;
        CREATE TABLE metrics (
            metric_key INTEGER PRIMARY KEY, run_key INTEGER NOT NULL REFERENCES runs, name TEXT NOT NULL,
            kind TEXT NOT NULL, columns BLOB NOT NULL, row_count INTEGER NOT NULL, last BLOB, version INTEGER NOT NULL,
            UNIQUE (run_key, name)
        );
        CREATE INDEX metrics_changed ON metrics (run_key, version);
        CREATE TABLE blocks (
            metric_key INTEGER NOT NULL REFERENCES metrics, first_index INTEGER NOT NULL,
            row_count INTEGER NOT NULL, rows BLOB NOT NULL, PRIMARY KEY (metric_key, first_index)
        ) WITHOUT ROWID;
        """,
    ),
    ("0002-descriptions", "ALTER TABLE runs ADD COLUMN description TEXT"),
    ("0003-series", to_series),
    (
        "0004-experiments",
        """
        ALTER TABLE experiments ADD COLUMN archived_at REAL;
        CREATE TABLE experiment_tags (
            experiment_key INTEGER NOT NULL REFERENCES experiments, key TEXT NOT NULL, value TEXT,
            PRIMARY KEY (experiment_key, key)
        ) WITHOUT ROWID;
        CREATE TABLE deleted_runs (run_id TEXT PRIMARY KEY, deleted_at REAL NOT NULL) WITHOUT ROWID;
        """,
    ),
    (
        "0005-statuses",
        """
        CREATE TABLE statuses (
            run_key INTEGER NOT NULL REFERENCES runs, at REAL NOT NULL, status TEXT NOT NULL,
            PRIMARY KEY (run_key, at, status)
        ) WITHOUT ROWID;
        INSERT INTO statuses SELECT run_key, started_at, 'Running' FROM runs WHERE started_at IS NOT NULL;
        INSERT OR IGNORE INTO statuses SELECT run_key, ended_at, status FROM runs WHERE ended_at IS NOT NULL;
        """,
    ),
    (
        "0006-changed-runs",
        """
        CREATE INDEX runs_changed ON runs (version);
        CREATE INDEX runs_deleted ON deleted_runs (deleted_at);
        """,
    ),
    ("0007-runs-by-tag", "CREATE INDEX runs_by_tag ON tags (key, value)"),
)


def apply_steps(db: sqlite3.Connection, steps: tuple[tuple[str, Step], ...] = STEPS) -> None:
    """Bring a database to the schema of this version.

    Parameters
    ----------
    db
        A connection in autocommit mode. The caller lets one process at a time in here.

    Raises
    ------
    SchemaError
        If the database holds steps that this version does not know.
    """
    db.execute(
        "CREATE TABLE IF NOT EXISTS schema_steps (name TEXT PRIMARY KEY, applied_at REAL NOT NULL) WITHOUT ROWID"
    )
    done = _steps_done(db, steps)
    for name, step in steps:
        if name in done:
            continue
        db.execute("BEGIN IMMEDIATE")
        try:
            if callable(step):
                step(db)
            else:
                run_script(db, step)
            db.execute("INSERT INTO schema_steps VALUES (?, ?)", (name, time.time()))
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")


def check_steps(db: sqlite3.Connection, steps: tuple[tuple[str, Step], ...] = STEPS) -> None:
    """Make sure that a database, which may not be changed, has the schema of this version.

    Raises
    ------
    SchemaError
        If it holds other steps than this version has.
    """
    is_ours = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_steps'").fetchone()
    done = _steps_done(db, steps) if is_ours else set()
    if missing := [name for name, _ in steps if name not in done]:
        raise SchemaError(
            f"this workspace was written by an older runwidgets (its schema lacks {', '.join(missing)}), and this user "
            "may not write it: open it once as a user who may, which brings it up to date"
        )


def _steps_done(db: sqlite3.Connection, steps: tuple[tuple[str, Step], ...]) -> set[str]:
    done = {name for (name,) in db.execute("SELECT name FROM schema_steps")}
    unknown = done - {name for name, _ in steps}
    if unknown:
        raise SchemaError(
            f"this workspace was written by a newer runwidgets (its schema has {', '.join(sorted(unknown))}): "
            "install that version, or use another RUNWIDGETS_HOME"
        )
    return done
