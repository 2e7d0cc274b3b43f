"""Lock files: one lies beside each journal, and its writer holds it while it lives."""

from __future__ import annotations

import errno
import os
import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from runwidgets.system import HAS_INHERITED_LOCKS, hold

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from filelock import BaseFileLock

_MOMENT_SECONDS: Final = 0.005
_FOR_ALL: Final = 0o666
"""Of a file that is made: the user's mask decides, since others may share the workspace."""


class FileLock:
    """A lock file that this process has locked, until it releases it or ends; what it forks has not.

    It keeps out `filelock.FileLock`, and is kept out by it. That one is not used here: importing it takes longer than
    all that is done with a short script, and taking one of its locks as long as twenty of these.

    Parameters
    ----------
    path
        The file; it is made where it is missing, and stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    @property
    def is_locked(self) -> bool:
        """Whether it is held, by this very object."""
        return self._handle is not None

    def acquire(self, timeout: float = 0.0) -> Self:
        """Take the lock.

        Parameters
        ----------
        timeout
            For how many seconds to wait while somebody else holds it.

        Raises
        ------
        TimeoutError
            If somebody else holds it all the while.
        OSError
            If the file cannot be made or opened, or the system has no locks.
        """
        until = time.monotonic() + timeout
        while not self._try():
            if time.monotonic() >= until:
                raise TimeoutError(errno.ETIMEDOUT, "another process holds the lock", str(self._path))
            time.sleep(_MOMENT_SECONDS)
        return self

    def _try(self) -> bool:
        with _changing:
            if self._handle is None:
                self._handle = hold(self._path, _FOR_ALL)
                if self._handle is not None:
                    _held.add(self)
            return self._handle is not None

    def release(self) -> None:
        """Let go of it, where it is held."""
        with _changing:
            handle, self._handle = self._handle, None
            _held.discard(self)
            if handle is not None:
                os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __del__(self) -> None:
        with suppress(Exception):  # at the end of the interpreter anything may be gone
            self.release()


_held: weakref.WeakSet[FileLock] = weakref.WeakSet()
_changing = threading.RLock()
"""No fork comes between taking a lock and knowing of it. A signal's handler that begins a journal takes it twice."""


def _before_fork() -> None:
    _changing.acquire()


def _after_fork_in_parent() -> None:
    _changing.release()


def _after_fork_in_child() -> None:
    global _changing  # noqa: PLW0603 (it belongs to a thread that is not there)
    _changing = threading.RLock()
    for lock in tuple(_held):
        lock.release()  # the child's handle alone: the lock stays its parent's


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


def lock_at(path: Path) -> FileLock | BaseFileLock:
    """Give the (not yet taken) lock of a lock file."""
    if HAS_INHERITED_LOCKS:
        return FileLock(path)
    import filelock

    return filelock.FileLock(path, thread_local=False)


def lock_of(journal: Path) -> FileLock | BaseFileLock:
    """Give the (not yet taken) lock that the writer of a journal holds while it lives."""
    return lock_at(lock_path(journal))


def take(lock: FileLock | BaseFileLock) -> None:
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
