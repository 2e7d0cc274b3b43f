"""How SQLite is to write, where the file system does not do what its write-ahead mode needs.

Write-ahead mode shares memory between the processes that use a file, which those of two machines cannot; on network
file systems it damages files (https://sqlite.org/wal.html, "Overview", 2). The safe mode is SQLite's rollback journal
with a full sync: slower, and readers and writers wait for each other.
"""

from __future__ import annotations

import functools
import logging
import os
from typing import TYPE_CHECKING, Final

from runwidgets.errors import StoreError
from runwidgets.system import file_system_of

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)

VARIABLE: Final = "RUNWIDGETS_SAFE_STORE"
"""Environment variable that forces the safe mode: ``1`` on, ``0`` off."""
_FAST: Final = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL")
IMMUTABLE: Final = "immutable=1"
_READ_VERSION_AT: Final = 18
"""Offset in a file of SQLite's (https://sqlite.org/fileformat.html, 1.3)."""
_WAL_VERSION: Final = b"\x02"
_SAFE: Final = ("PRAGMA journal_mode = DELETE", "PRAGMA synchronous = FULL")


def pragmas_for(path: Path) -> tuple[str, ...]:
    """Give the statements that set the mode in which a store's file is to be written."""
    return _SAFE if _is_safe(path) else _FAST


def reader_mode_for(path: Path) -> str:
    """Give the mode in which a reader opens a store's file; the safe mode has it undo what is half written."""
    return "rw" if _is_safe(path) else "ro"


def unwritable_mode_for(path: Path) -> str:
    """Give the parameters with which a reader opens a store's file in a folder that this user may not write.

    SQLite reads a file in write-ahead mode together with its ``-wal`` and ``-shm``, which it makes where they are
    missing. Where it cannot, it reads the file alone, as one that nobody changes: all is in it if there is no log.

    Raises
    ------
    StoreError
        If part of what was written is in a log that cannot be read so.
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(_READ_VERSION_AT)
        is_wal = file.read(1) == _WAL_VERSION
    log, index = path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
    if not is_wal or (log.exists() and index.exists()):
        return "mode=ro"
    if log.exists() and log.stat().st_size:
        raise StoreError(
            f"part of the store {path} is in {log}, which cannot be read while this user may not write the folder: "
            "open the workspace once as a user who may, or copy the folder to where this one may write"
        )
    return IMMUTABLE


def _is_safe(path: Path) -> bool:
    forced = os.environ.get(VARIABLE, "")
    return forced == "1" if forced in {"0", "1"} else _is_on_network(path.parent)


@functools.cache
def _is_on_network(folder: Path) -> bool:
    found = file_system_of(folder)
    if found.is_network:
        _log.warning(
            "%s is on a network file system (%s): its store is kept in safe mode, which is slower, and may lose data "
            "if that file system's locks do not work. For a local disk, set RUNWIDGETS_HOME to a folder on it; "
            "%s=0 switches the safe mode off",
            folder,
            found.type,
            VARIABLE,
        )
    return found.is_network
