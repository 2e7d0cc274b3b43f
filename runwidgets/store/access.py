"""How a process gets at the store of a workspace's folder, which may be away, or be another all of a sudden."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from runwidgets.errors import StoreError
from runwidgets.store.sqlite import SqliteStore
from runwidgets.system import may_be_written

if TYPE_CHECKING:
    from pathlib import Path

    from runwidgets.store.contract import Store


class StoreAccess:
    """Opens the store when it is first needed, and anew when its file is not the one that was opened.

    Parameters
    ----------
    folder
        The workspace's folder; it is made, when the store is opened, where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "runs.sqlite"
        self._mutex = threading.RLock()
        self._store: SqliteStore | None = None
        self._file: tuple[int, int] | None = None

    def get(self) -> Store:
        """Give the store.

        Raises
        ------
        StoreError
            If it cannot be opened.
        """
        with self._mutex:
            store = self._store
            if store is not None and store.is_read_only and may_be_written(self._path.parent):
                store = None  # it can be written again
            if store is not None and self._file == _file_at(self._path):
                return store
            self.forget()
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"the workspace's folder {self._path.parent} cannot be made ({error}): "
                    "set RUNWIDGETS_HOME to a folder that this user can write"
                ) from error
            try:
                self._store = SqliteStore(self._path)
            except NotImplementedError as error:  # from filelock
                raise StoreError(
                    f"the file system of {self._path.parent} has no locks ({error}): "
                    "set RUNWIDGETS_HOME to a folder on another"
                ) from error
            self._file = _file_at(self._path)
            return self._store

    @property
    def is_read_only(self) -> bool:
        """Whether the store is open, and this user may only read it."""
        with self._mutex:
            return self._store is not None and self._store.is_read_only

    def forget(self) -> None:
        """Close the store; it is opened anew, and its schema looked at, when it is needed next."""
        with self._mutex:
            if self._store is not None:
                self._store.close()
            self._store = None

    def suspend(self) -> None:
        """Close what must not cross a fork, and hold back all other threads."""
        self._mutex.acquire()
        if self._store is not None:
            self._store.suspend()

    def resume(self, *, in_child: bool) -> None:
        """Go on after a fork. In the child the lock belongs to a thread that is not there."""
        if self._store is not None:
            self._store.resume(in_child=in_child)
        if in_child:
            self._mutex = threading.RLock()
        else:
            self._mutex.release()


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
