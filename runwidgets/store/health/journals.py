"""Whether the journals of a workspace can be read, and are read as far as they should be."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from runwidgets.events import FileStored, RunCreated
from runwidgets.records import Owner
from runwidgets.store.framing import read_journal
from runwidgets.store.health.findings import Finding, Severity, Trouble, counted
from runwidgets.store.journal import SUFFIX, segments_in
from runwidgets.store.liveness import lives_here
from runwidgets.store.locks import lock_of
from runwidgets.store.recovery import LONG_AGO_SECONDS, first_owner
from runwidgets.store.removal import writers_in

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from runwidgets.store.framing import Damage
    from runwidgets.store.journal import Segment

OLD_SECONDS: Final = 3600.0
"""What was left in the middle of something is left over when it is older."""
_LOCK_SECONDS: Final = 60.0
"""A writer takes its lock before it makes its journal: a lock alone is stray when it is older."""
_READ: Final = "reads it into the store, ends the runs that its process left, and deletes it"


class Waiting(NamedTuple):
    """What the journals hold that is not in the store yet.

    Attributes
    ----------
    writers
        The processes that log just now, by journal.
    runs
        Ids of runs that were begun.
    files
        Files that were stored: run and path.
    """

    writers: dict[str, str]
    runs: set[str]
    files: set[tuple[str, str]]


def check_journals(folder: Path, db: sqlite3.Connection | None) -> tuple[list[Finding], Waiting]:
    """Look at all journals of a workspace.

    Parameters
    ----------
    folder
        The workspace's.
    db
        A connection that reads its store; None where that cannot be.
    """
    place = folder / "journals"
    journals = segments_in(place)
    writers = writers_in(folder)
    waiting = Waiting(writers, set(), set())
    found: list[Finding] = []
    for journal_id, listed in journals.items():
        is_written = journal_id in writers
        if not is_written and _may_be_written_elsewhere(db, listed):
            writers[journal_id] = f"a process on another machine ({listed[0].path.name})"
            is_written = True
        folded = _folded(db, journal_id)
        segments = segments_in(place).get(journal_id, [])  # its process may have ended, and taken it along
        if segments and not (is_written and db is None):
            finding = _check_one(segments, folded, waiting, is_written=is_written)
            found += [finding] if finding else []
    return found + _strays(place), waiting


def _folded(db: sqlite3.Connection | None, journal_id: str) -> int:
    query = "SELECT folded_bytes FROM journals WHERE journal_id = ?"
    row = db.execute(query, (journal_id,)).fetchone() if db is not None else None
    return int(row[0]) if row else 0


def _check_one(segments: list[Segment], folded: int, waiting: Waiting, *, is_written: bool) -> Finding | None:
    try:
        unread, damage = _read(segments, folded, waiting, is_written=is_written)
        missing = 0 if is_written else _missing(segments, folded)
    except FileNotFoundError:
        return None  # it was read into the store, and deleted, in this moment
    except OSError as error:
        return Finding(
            trouble=Trouble.JOURNAL,
            severity=Severity.ERROR,
            where=str(segments[0].path),
            what=f"it cannot be read: {error}",
        )
    told = _told(damage, missing)
    if is_written and not told:
        return None
    if not is_written:
        told.append(f"its process is gone, and {counted(unread, 'byte')} of it are not in the store")
    return Finding(
        trouble=Trouble.JOURNAL,
        severity=Severity.ERROR if damage or missing else Severity.WARNING,
        where=str(segments[0].path),
        what="; ".join(told),
        mend=None if is_written else _READ,
        is_harmless=True,
        place=(segments[0].journal_id,),
    )


def _read(
    segments: list[Segment], folded: int, waiting: Waiting, *, is_written: bool
) -> tuple[int, list[tuple[Segment, Damage]]]:
    """Read what is not in the store; give how many bytes that are, and which of them are damaged."""
    unread, damage = 0, []
    for segment in segments:
        start = max(0, folded - segment.begin)
        reading = read_journal(segment.path, start)
        unread += reading.end - start
        damage += [
            (segment, one)
            for one in reading.damage
            # What its writer is just writing ends the file, and is whole a moment later.
            if not (is_written and one.offset + one.length == reading.end)
        ]
        for event in reading.events:
            if isinstance(event, RunCreated):
                waiting.runs.add(event.run_id)
            elif isinstance(event, FileStored):
                waiting.files.add((event.run_id, event.path))
    return unread, damage


def _missing(segments: list[Segment], folded: int) -> int:
    """Count the bytes that are neither in a file nor in the store."""
    missing = max(0, segments[0].begin - folded)
    for before, after in pairwise(segments):
        missing += max(0, after.begin - max(folded, before.begin + before.path.stat().st_size))
    return missing


def _told(damage: list[tuple[Segment, Damage]], missing: int) -> list[str]:
    told = []
    if damage:
        segment, first = damage[0]
        whole, places = sum(one.length for _, one in damage), counted(len(damage), "place")
        told.append(
            f"{counted(whole, 'byte')} are damaged, and what was logged in them is lost "
            f"({places}, the first at byte {first.offset:,} of {segment.path.name})"
        )
    if missing:
        told.append(f"{counted(missing, 'byte')} are missing, with a file of it that was deleted or cut short")
    return told


def _may_be_written_elsewhere(db: sqlite3.Connection | None, segments: list[Segment]) -> bool:
    """Tell whether a writer on another machine may live, though its lock seems free here."""
    try:
        row = None
        if db is not None:
            query = (
                "SELECT journal_id, host, boot_id, pid, process_started_at, beat_at FROM journals WHERE journal_id = ?"
            )
            row = db.execute(query, (segments[0].journal_id,)).fetchone()
        owner = Owner(*row) if row else first_owner(segments[0])
        if owner is None or owner.pid == 0 or lives_here(owner) is not None:
            return False
        return time.time() - max(owner.beat_at, segments[-1].path.stat().st_mtime) < LONG_AGO_SECONDS
    except OSError:
        return False


def _strays(place: Path) -> list[Finding]:
    """Look for locks without a journal, and for the copies of one that were not finished."""
    found = []
    for path in sorted([*place.glob("*.lock"), *place.glob("*.restored")]):
        journal_id = path.name.partition(".")[0]
        if segments_in(place).get(journal_id) or _age(path) < _LOCK_SECONDS or is_held(path):
            continue
        found.append(leftover(path, "a lock of no journal" if path.suffix == ".lock" else "half a copy of a journal"))
    return found


def leftover(path: Path, what: str) -> Finding:
    """Say that something is left over, which a repair deletes."""
    return Finding(
        trouble=Trouble.LEFTOVER, severity=Severity.WARNING, where=str(path), what=f"left over: {what}",
        mend="deletes it", is_harmless=True, place=(str(path),),
    )  # fmt: skip


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def is_old(path: Path) -> bool:
    """Tell whether nobody has written something for an hour."""
    return _age(path) > OLD_SECONDS


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the lock that lies beside a journal's file; leave it as it is."""
    lock_path = path.with_name(f"{path.name.partition('.')[0]}.lock")
    try:
        before = lock_path.stat()
        lock = lock_of(path.with_suffix(SUFFIX))
        lock.acquire(timeout=0)
        lock.release()
        os.utime(lock_path, ns=(before.st_atime_ns, before.st_mtime_ns))
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
