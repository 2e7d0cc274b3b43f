"""Deleting runs from the tables of the SQLite store, and letting them in again.

Each function works within the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runwidgets.errors import UserError
from runwidgets.records import Owner, RunStatus
from runwidgets.store.liveness import observed_status

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

OF_A_METRIC: Final = ("blocks", "summaries")
"""The tables that hold parts of a metric, by its ``metric_key``."""
OF_A_RUN: Final = ("tags", "properties", "statuses", "files", "recent", "metrics")
"""The tables that hold parts of a run, by its ``run_key``."""
_NAMED: Final = 5
_ITS_METRICS: Final = "SELECT metric_key FROM metrics WHERE run_key = ?"


def delete_runs(db: sqlite3.Connection, run_ids: Sequence[str], at: float) -> list[str]:
    """Delete runs with all below them, and give their ids.

    Raises
    ------
    UserError
        If one of them has not ended and its process lives.
    """
    keys: dict[int, None] = {}
    for run_id in run_ids:
        rows = db.execute(
            "WITH RECURSIVE family (run_id) AS (VALUES (?) UNION"
            " SELECT c.run_id FROM runs c JOIN family f ON c.parent_id = f.run_id)"
            " SELECT run_key FROM family JOIN runs USING (run_id)",
            (run_id,),
        )
        keys.update((key, None) for (key,) in rows)
    deleted = delete_with_keys(db, list(keys), at, "a run cannot be deleted while it, or a run below it, is going on")
    if deleted:
        db.execute("UPDATE workspace SET version = version + 1")
    return deleted


def delete_with_keys(db: sqlite3.Connection, run_keys: Sequence[int], at: float, refusal: str) -> list[str]:
    """Delete the runs with these keys, all or none, and give their ids.

    Parameters
    ----------
    db
        A connection within a transaction.
    run_keys
        Which runs.
    at
        When.
    refusal
        What the error says first, before it names the runs that stand in the way.

    Raises
    ------
    UserError
        If one of them has not ended and its process lives.
    """
    deleted, running = [], []
    for key in sorted(run_keys):
        run_id, status, *owner = db.execute(
            "SELECT run_id, status, j.journal_id, host, boot_id, pid, process_started_at, beat_at"
            " FROM runs LEFT JOIN journals j USING (journal_id) WHERE run_key = ?",
            (key,),
        ).fetchone()
        deleted.append(run_id)
        if _runs_still(status, owner):
            running.append(run_id)
    if running:
        more = f" and {len(running) - _NAMED} more" if len(running) > _NAMED else ""
        raise UserError(
            f"{refusal} ({', '.join(running[:_NAMED])}{more}): end them with complete(), fail() or cancel(), or end "
            "their process"
        )
    its_key = [(key,) for key in run_keys]
    for table in OF_A_METRIC:
        db.executemany(f"DELETE FROM {table} WHERE metric_key IN ({_ITS_METRICS})", its_key)  # noqa: S608 (our tables)
    for table in (*OF_A_RUN, "runs"):
        db.executemany(f"DELETE FROM {table} WHERE run_key = ?", its_key)  # noqa: S608
    # What a process that still knows one of them logs later is of no run any more.
    db.executemany("INSERT OR REPLACE INTO deleted_runs VALUES (?, ?)", [(run_id, at) for run_id in deleted])
    return deleted


def admit(db: sqlite3.Connection, run_ids: Sequence[str]) -> None:
    """Make sure that there are no runs of these ids, and forget that there were.

    Raises
    ------
    UserError
        If there is one.
    """
    present = [run_id for run_id in run_ids if db.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone()]
    if present:
        more = f" and {len(present) - _NAMED} more" if len(present) > _NAMED else ""
        raise UserError(f"there are runs of these ids already: {', '.join(present[:_NAMED])}{more}")
    db.executemany("DELETE FROM deleted_runs WHERE run_id = ?", [(run_id,) for run_id in run_ids])


def _runs_still(status: str, owner: Sequence[object]) -> bool:
    stored = RunStatus(status)
    known = Owner(*owner) if owner[0] is not None else None  # type: ignore[arg-type]
    return not stored.is_final and observed_status(stored, known) is not RunStatus.NOT_RESPONDING
