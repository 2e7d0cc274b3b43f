"""Beginning a journal for another process, which goes on with it."""

from __future__ import annotations

import errno
import os
import time
import uuid
from typing import TYPE_CHECKING

from runwidgets.events import JournalOpened
from runwidgets.store.framing import frame
from runwidgets.store.journal import SUFFIX, Segment
from runwidgets.store.locks import lock_path
from runwidgets.system import hold

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from runwidgets.events import Event
    from runwidgets.system import Process


class NewJournal:
    """A journal that this process begins for another, which it is about to start.

    The lock is held from now on, by whoever has its handle: it passes to the other process without a moment in which
    the journal would seem to be left behind.

    Parameters
    ----------
    folder
        Where journals lie; it is made where it is missing.

    Raises
    ------
    OSError
        If that cannot be.
    """

    def __init__(self, folder: Path) -> None:
        self.journal_id = uuid.uuid4().hex
        self.path = folder / f"{self.journal_id}{SUFFIX}"
        self.segment = Segment(self.journal_id, 0, self.path)
        folder.mkdir(parents=True, exist_ok=True)
        handle = hold(lock_path(self.path))
        assert handle is not None  # noqa: S101 (nobody else knows the name)
        self.lock = handle

    def begin(self, writer: Process, events: Iterable[Event]) -> None:
        """Write the first events: that ``writer`` writes it, and these.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        opened = JournalOpened(self.journal_id, time.time(), *writer)
        data = b"".join(map(frame, (opened, *events)))
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            if os.write(handle, data) != len(data):
                raise OSError(errno.ENOSPC, "only part of it could be written: is the disk full?")
        finally:
            os.close(handle)

    def discard(self) -> None:
        """Delete it again."""
        self.path.unlink(missing_ok=True)
        lock_path(self.path).unlink(missing_ok=True)
        self.let_go()

    def let_go(self) -> None:
        """Close this process's handle of the lock; the other process has its own."""
        os.close(self.lock)
