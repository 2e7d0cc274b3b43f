"""The lock file beside a journal, which its writer holds while it lives."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import BaseFileLock


def lock_of(journal: Path) -> BaseFileLock:
    """Give the (not yet taken) lock that the writer of a journal holds while it lives."""
    from filelock import FileLock

    return FileLock(lock_path(journal), thread_local=False)


def take(lock: BaseFileLock) -> None:
    """Take a lock that nobody holds.

    Raises
    ------
    OSError
        If somebody does, or the file system has no locks.
    """
    try:
        lock.acquire(timeout=0)
    except NotImplementedError as error:
        raise OSError(errno.ENOLCK, f"this file system has no locks ({error})") from error


def lock_path(journal: Path) -> Path:
    """Give where the lock file of a journal lies."""
    return journal.with_name(journal.name.partition(".")[0] + ".lock")


class InheritedLock:
    """The lock file of a journal, locked by the process that began it through a handle that this one inherited."""

    is_locked = True

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def release(self) -> None:
        """Close the handle."""
        os.close(self._handle)


class Adopted(NamedTuple):
    """A journal that another process has begun for this one: its id, and the inherited handle of its lock file."""

    journal_id: str
    lock: int
