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

from runwidgets.system import file_system_of

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)

VARIABLE: Final = "RUNWIDGETS_SAFE_STORE"
"""Environment variable that forces the safe mode: ``1`` on, ``0`` off."""
_FAST: Final = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL")
_SAFE: Final = ("PRAGMA journal_mode = DELETE", "PRAGMA synchronous = FULL")


def pragmas_for(path: Path) -> tuple[str, ...]:
    """Give the statements that set the mode in which a store's file is to be written."""
    return _SAFE if _is_safe(path) else _FAST


def reader_mode_for(path: Path) -> str:
    """Give the mode in which a reader opens a store's file; the safe mode has it undo what is half written."""
    return "rw" if _is_safe(path) else "ro"


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
