"""Whether runs can be listed, belong to an experiment, and end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.records import Owner, Progress, RunError, RunStatus
from runwidgets.store.health.findings import Finding, Severity, Trouble
from runwidgets.store.journal import segments_in
from runwidgets.store.liveness import lives_here
from runwidgets.store.recovery import LONG_AGO_SECONDS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from runwidgets.store.health.journals import Waiting

RECOVERED: Final = "recovered"
"""The experiment of runs of which nobody knows any more which was theirs."""
_AT_ONCE: Final = 500
_OWNED: Final = """
    SELECT r.run_id, r.journal_id, j.ended_at,
        j.journal_id, j.host, j.boot_id, j.pid, j.process_started_at, j.beat_at
    FROM runs r LEFT JOIN journals j USING (journal_id)
"""
_READABLE: Final = {
    "error": msgspec.msgpack.Decoder(RunError).decode,
    "progress": msgspec.msgpack.Decoder(Progress).decode,
}


def keys_of_runs(db: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    """Give key and id of all runs, in order, with no transaction open between two of them."""
    last = -1
    while rows := db.execute(
        "SELECT run_key, run_id FROM runs WHERE run_key > ? ORDER BY run_key LIMIT ?", (last, _AT_ONCE)
    ).fetchall():
        yield from rows
        last = rows[-1][0]


def unreadable_parts(db: sqlite3.Connection, run_key: int) -> list[str]:
    """Name the columns of a run's row that hold nothing that can be read."""
    row = db.execute("SELECT status, error, progress FROM runs WHERE run_key = ?", (run_key,)).fetchone()
    if row is None:
        return []
    status, *blobs = row
    bad = [] if status in set(RunStatus) else ["status"]
    for (name, decode), data in zip(_READABLE.items(), blobs, strict=True):
        try:
            if data is not None:
                decode(data)
        except (msgspec.MsgspecError, TypeError, ValueError):
            bad.append(name)
    return bad


def check_row(db: sqlite3.Connection, run_key: int, run_id: str) -> list[Finding]:
    """Check the row of a run."""
    bad = unreadable_parts(db, run_key)
    if not bad:
        return []
    return [
        Finding(
            trouble=Trouble.RUN, severity=Severity.ERROR, where=f"run {run_id}", place=(run_key,),
            what=f"what is kept of it cannot be read: {', '.join(bad)}",
            mend="empties these; a run without a status is Failed",
        )
    ]  # fmt: skip


def check_ends(db: sqlite3.Connection, folder: Path, waiting: Waiting) -> list[Finding]:
    """Look for runs that will never end, since nobody is there to end them, and for those of no experiment."""
    found = []
    for run_id, journal_id in _endless(db):
        if segments_in(folder / "journals").get(journal_id or ""):
            continue  # whoever reads that journal ends its runs
        if (run_id, journal_id) in _endless(db, run_id):  # still: it may have ended while we looked
            found.append(
                Finding(
                    trouble=Trouble.UNFINISHED, severity=Severity.WARNING, where=f"run {run_id}", place=(run_id,),
                    what="it is not finished, and its process is gone", mend="records it as Failed",
                )
            )  # fmt: skip
    if segments_in(folder / "journals"):
        return found  # in which an experiment may be named
    for (run_id,) in db.execute("SELECT run_id FROM runs WHERE experiment_key IS NULL").fetchall():
        if run_id not in waiting.runs:
            found.append(
                Finding(
                    trouble=Trouble.NO_EXPERIMENT, severity=Severity.ERROR, where=f"run {run_id}", place=(run_id,),
                    what="it belongs to no experiment: how it began was never read",
                    mend=f"puts it into the experiment {RECOVERED!r}",
                )
            )  # fmt: skip
    return found


def _endless(db: sqlite3.Connection, run_id: str | None = None) -> list[tuple[str, str | None]]:
    """List unfinished runs whose process is gone, each with its journal; None looks at all."""
    final = [status.value for status in RunStatus if status.is_final]
    rows = db.execute(
        f"{_OWNED} WHERE r.status NOT IN ({', '.join('?' * len(final))}) AND (? IS NULL OR r.run_id = ?)",
        (*final, run_id, run_id),
    ).fetchall()
    return [(found, journal_id) for found, journal_id, *owner in rows if _is_gone(*owner)]


def _is_gone(ended_at: float | None, *owner: Any) -> bool:
    if owner[0] is None or ended_at is not None:
        return True
    known = Owner(*owner)
    if known.pid == 0:
        return True
    alive = lives_here(known)
    return not alive if alive is not None else time.time() - known.beat_at > LONG_AGO_SECONDS
