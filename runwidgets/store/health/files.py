"""Whether the files of runs are where the store has them, and what else lies in a workspace's folder."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from runwidgets.errors import UserError
from runwidgets.store.files import USER_LOG, checked_name
from runwidgets.store.health.findings import Finding, Severity, Trouble, counted, some_of
from runwidgets.store.health.journals import is_old, leftover
from runwidgets.store.safety import VARIABLE
from runwidgets.system import file_system_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from runwidgets.store.health.journals import Waiting

ARTIFACTS: Final = "artifacts"
INCOMING: Final = ".incoming-"
_OWNERS: Final = stat.S_IRUSR | stat.S_IWUSR


def check_access(folder: Path) -> list[Finding]:
    """Check that this user may read and write what a process needs, and that the store's mode fits its disk."""
    found = []
    for path in (folder, folder / "runs.sqlite", folder / "journals", folder / ARTIFACTS):
        if not path.exists():
            continue
        needed = _OWNERS | (stat.S_IXUSR if path.is_dir() else 0)
        mode = path.stat()
        ways = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
        if os.access(path, ways):
            continue
        is_ours = mode.st_uid == getattr(os, "getuid", lambda: None)() and mode.st_mode & needed != needed
        found.append(
            Finding(
                trouble=Trouble.PERMISSIONS, severity=Severity.ERROR, where=str(path), is_harmless=True,
                what=f"this user may not read and write it ({stat.filemode(mode.st_mode)})",
                mend="gives its owner the right" if is_ours else None, place=(str(path), needed),
            )
        )  # fmt: skip
    system = file_system_of(folder)
    if system.is_network and os.environ.get(VARIABLE) == "0":
        found.append(
            Finding(
                trouble=Trouble.SAFE_MODE, severity=Severity.WARNING, where=str(folder),
                what=f"it is on a network file system ({system.type}), and {VARIABLE}=0 switches the store's safe mode "
                "off: two machines that use it at once damage it",
            )
        )  # fmt: skip
    return found


def check_files(folder: Path, db: sqlite3.Connection, waiting: Waiting) -> list[Finding]:
    """Compare the files of runs with what the store has of them, run by run."""
    root = folder / ARTIFACTS
    found = _leftovers(folder)
    rows = db.execute("SELECT DISTINCT run_key, run_id FROM files JOIN runs USING (run_key)").fetchall()
    if rows and not root.is_dir():
        return [
            *found,
            Finding(
                trouble=Trouble.FILE_MISSING, severity=Severity.ERROR, where=str(root),
                what="the folder of all files of runs is not there: is it on a disk that is not mounted?",
            ),
        ]  # fmt: skip
    for run_key, run_id in rows:
        found += _check_rows(root, db, run_key, run_id, waiting)
    for place in sorted(root.iterdir()) if root.is_dir() else ():
        if place.is_dir() and not place.is_symlink():
            found += _check_folder(place, db, waiting)
    return found


def _check_rows(root: Path, db: sqlite3.Connection, run_key: int, run_id: str, waiting: Waiting) -> Iterator[Finding]:
    query = "SELECT path, size FROM files WHERE run_key = ?"
    rows = db.execute(f"{query} ORDER BY path", (run_key,)).fetchall()
    for path, size in rows:
        if (run_id, path) in waiting.files:
            continue
        size_there = _size_of(root, run_id, path)
        if size_there == size or (size_there is not None and waiting.writers):
            continue  # it may just be replaced
        if path == USER_LOG and (size_there or 0) > size:
            continue  # it grows while its block is open; of one that was killed, what came last was never noted
        if db.execute(f"{query} AND path = ?", (run_key, path)).fetchone() != (path, size):
            continue  # it was, or it was deleted with its run, while we looked
        is_missing = size_there is None
        yield Finding(
            trouble=Trouble.FILE_MISSING if is_missing else Trouble.FILE_SIZE, severity=Severity.ERROR,
            where=f"file {path!r} of run {run_id}", place=(run_key, path, size_there),
            what="it is not there" if is_missing else f"it has {counted(size_there or 0, 'byte')}, not {size:,}",
            mend="forgets it" if is_missing else "notes the size that it has",
        )  # fmt: skip


def _size_of(root: Path, run_id: str, path: str) -> int | None:
    try:
        return (root / checked_name(run_id) / checked_name(path)).stat().st_size
    except (OSError, UserError):
        return None


def _check_folder(place: Path, db: sqlite3.Connection, waiting: Waiting) -> Iterator[Finding]:
    run_id = place.name
    names = [path.relative_to(place).as_posix() for path in sorted(place.rglob("*")) if path.is_file()]
    new = {name for name in names if waiting.writers and not is_old(place / name)}  # which may be on its way
    row = db.execute("SELECT run_key FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    if row is None:
        if run_id in waiting.runs or new or (waiting.writers and not names):
            return
        if db.execute("SELECT 1 FROM deleted_runs WHERE run_id = ?", (run_id,)).fetchone():
            yield Finding(
                trouble=Trouble.FOLDER_DELETED, severity=Severity.WARNING, where=str(place), place=(str(place),),
                what=f"{counted(len(names), 'file')} of a run that was deleted", mend="moves them into the backup",
            )  # fmt: skip
        else:
            yield Finding(
                trouble=Trouble.FOLDER_UNKNOWN, severity=Severity.WARNING, where=str(place),
                what=f"{counted(len(names), 'file')} of no run that the store knows: delete or move the folder if you "
                "do not need it",
            )  # fmt: skip
        return
    known = {path for (path,) in db.execute("SELECT path FROM files WHERE run_key = ?", row)}
    orphans = [name for name in names if name not in known | new and (run_id, name) not in waiting.files]
    orphans = [name for name in orphans if _can_be_named(name) and (place / name).exists()]
    if orphans:
        yield Finding(
            trouble=Trouble.FILE_UNKNOWN, severity=Severity.WARNING, where=str(place), place=(run_id, tuple(orphans)),
            what=f"{counted(len(orphans), 'file')} that the run does not know: {some_of(orphans)}",
            mend="makes them files of the run",
        )  # fmt: skip


def _can_be_named(name: str) -> bool:
    try:
        return checked_name(name) == name
    except UserError:
        return False


def _leftovers(folder: Path) -> list[Finding]:
    places = [*(folder / ARTIFACTS).glob(f"{INCOMING}*"), *folder.glob(".workspace.json-*")]
    return [leftover(path, "half of a file that was being stored") for path in sorted(places) if is_old(path)]


def check_deleted(home: Path) -> list[Finding]:
    """Look for what is left of workspaces that were deleted."""
    return [leftover(path, "part of a deleted workspace") for path in sorted(home.glob(".deleted-*")) if is_old(path)]
