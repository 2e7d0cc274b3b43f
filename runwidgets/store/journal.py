"""The journal: an append-only file of events that one process writes and anybody may read.

Format of a file: frames (`runwidgets.store.framing`), one after the other; the first event is a `JournalOpened`. One
event is one ``write``, so that what `JournalWriter.write` returned from outlives the process, however it ends; a
process that dies within a ``write`` leaves at most one torn frame of each of its threads, at the end.

Writes take no lock (`runwidgets.store.appender`). All that must not happen beside one does: it is done while the
appender is stopped. A signal's handler may log on top of that; see `JournalWriter._insert`.

A journal that grows long goes on in a new file, named for the offset at which it begins, ``ID.OFFSET.journal``; offsets
count from the journal's beginning, over all its files. A file that is in the store is deleted.

While a writer lives it holds the lock file beside its journal. It takes the lock before the journal exists, so on one
machine a journal whose lock is free has no writer, and never will have again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
import uuid
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from runwidgets.events import JournalOpened
from runwidgets.store.appender import NO_FILE, Appender
from runwidgets.store.framing import Damage, frame, read_journal
from runwidgets.store.locks import FileLock, InheritedLock, lock_of, lock_path, take
from runwidgets.system import DISK_IS_FULL, OPEN_FILES_CAN_GO, this_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from filelock import BaseFileLock

    from runwidgets.events import Event
    from runwidgets.store.locks import Adopted

_log = logging.getLogger(__name__)
_write = os.write
_Found = TypeVar("_Found")

SUFFIX: Final = ".journal"
FILE_BYTES: Final = 16 * 2**20
"""How long one file of a journal gets."""
_TORN: Final = "only part of an event could be written: is the disk full?"
WAITING_LIMIT: Final = 64 * 2**20
"""Bytes of events that wait in memory while the file cannot be written; past it the oldest are given up."""
_COPY_BYTES: Final = 2**20


class Segment(NamedTuple):
    """One file of a journal, and the offset in the journal at which it begins."""

    journal_id: str
    begin: int
    path: Path


def segments_in(folder: Path) -> dict[str, list[Segment]]:
    """List the journals of a folder, by id, each with its files in order."""
    found: dict[str, list[Segment]] = {}
    for path in folder.glob(f"*{SUFFIX}"):
        journal_id, _, begin = path.name.removesuffix(SUFFIX).partition(".")
        if begin.isdecimal() or not begin:
            found.setdefault(journal_id, []).append(Segment(journal_id, int(begin or 0), path))
    return {journal_id: sorted(segments) for journal_id, segments in sorted(found.items())}


class JournalWriter:
    """Appends events to this process's own journal file, from any thread.

    Parameters
    ----------
    folder
        Where journals lie; it is made where it is missing.
    appender
        What threads append with; by default one of its own. It hands to `insert` what it could not append.
    adopted
        A journal that another process has begun for this one, whose lock this one has inherited.

    Nothing that writes here raises: events that cannot be written wait in memory, and a warning says so once.
    """

    def __init__(self, folder: Path, appender: Appender | None = None, adopted: Adopted | None = None) -> None:
        self.journal_id = adopted.journal_id if adopted else uuid.uuid4().hex
        self.path = folder / f"{self.journal_id}{SUFFIX}"
        self.segments = [Segment(self.journal_id, 0, self.path)]
        self.lost = 0
        """How many events were given up because more than `WAITING_LIMIT` bytes had to wait."""
        self.is_closed = False
        self._lost_told = 0
        self._size = 0
        self._appender = appender or Appender(self.insert)
        self._mutex = threading.RLock()
        self._alone: FrameType | None = None
        self._inserted = 0
        self._unfinished: Path | None = None
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._lock: BaseFileLock | FileLock | InheritedLock = (
            InheritedLock(adopted.lock) if adopted else lock_of(self.path)
        )
        self._fd = NO_FILE
        if adopted:
            with contextlib.suppress(OSError):  # a warning below says that it cannot be written
                self._size = self.path.stat().st_size
        self.opened = JournalOpened(self.journal_id, time.time(), *this_process())
        self._wait(frame(self.opened))
        try:
            self._by_itself(self._write_waiting)
        except OSError as error:
            self._warn(error)

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self._lock.is_locked and not isinstance(self._lock, InheritedLock):
            take(self._lock)
        self._fd = _append_to(self.path)

    def write(self, event: Event) -> None:
        """Append one event; on return it outlives this process."""
        self._appender.append(frame(event))

    # ---- what must not happen beside a write

    def _by_itself(self, work: Callable[[], _Found]) -> _Found:
        """Do something while no thread is within a write, nor begins one."""
        with self._mutex:
            if self.is_closed or self._is_by_itself():
                return work()
            self._alone = sys._getframe()
            self._appender.stop()
            try:
                return work()
            finally:
                self._alone = None
                self._go_on()

    def _is_by_itself(self) -> bool:
        """Tell whether this is called by what `_by_itself` does, or by a signal's handler on top of that.

        What an exception has ended, and where, does not matter: it is not in the stack any more.
        """
        if self._alone is None:
            return False
        caller: FrameType | None = sys._getframe(1)
        while caller is not None and caller is not self._alone:
            caller = caller.f_back
        return caller is not None

    def _go_on(self) -> None:
        """Let threads append again, unless they must wait until others' events are written."""
        self._remove_unfinished()
        self._unfinished = None
        if not self._waiting and not self.is_closed:
            self._appender.go_on(self._fd)

    def _remove_unfinished(self) -> None:
        """Delete a new file that nothing goes on in: who reads the journal would stop where it begins."""
        if self._unfinished is not None:
            with contextlib.suppress(OSError):
                self._unfinished.unlink(missing_ok=True)

    def end(self) -> int:
        """Give the offset after the last event that is in a file, at a moment when no thread is within a write."""
        return self._by_itself(self._measure)

    def _measure(self) -> int:
        if self._fd != NO_FILE:
            self._size = max(self._size, self.segments[-1].begin + os.fstat(self._fd).st_size)
        return self._size

    # ---- what could not be appended

    def insert(self, data: bytes, written: int = 0) -> bool:
        """Write an event that could not be appended, or have it wait; False, and nothing, if this journal is closed.

        Parameters
        ----------
        data
            The event's frame.
        written
            How much of it was written, and is to be cut off.
        """
        if not written:
            with self._mutex:  # until it is done for which the appender was stopped
                pass
            # And not under the mutex: what is done by a signal's handler meanwhile may wait for those that wait for it.
            written = self._appender.attempt(data)
            if written == len(data):
                return True
        with self._mutex:
            if self.is_closed:
                return False
            if written:
                self._cut_off(written)
            if self._waiting:
                self._wait(data)
            else:
                self._insert(data)
            return True

    def _insert(self, data: bytes) -> None:
        """Write an event under the mutex.

        A signal's handler may do that on top of what must not happen beside a write. So events are counted, before they
        are written: who was interrupted looks, right before a step that would lose one. (Handlers are called after
        calls, not between a comparison and the call that it is for.)
        """
        self._inserted += 1
        self._remove_unfinished()
        try:
            written = _write(self._fd, data)
        except OSError as error:
            self._wait(data)
            self._warn(error)
            return
        if written != len(data):
            self._cut_off(written)
            self._wait(data)
            self._warn(OSError(_TORN))
        elif not self._is_by_itself():
            self._go_on()

    def drain(self) -> bool:
        """Write what waits in memory; tell whether nothing waits any more."""
        with self._mutex:
            if not self._waiting:
                return True
            if self._is_by_itself():  # which may be just this
                return False
            count = self.waiting
            try:
                self._by_itself(self._write_waiting)
            except OSError:
                return False
            given_up, self._lost_told = self.lost - self._lost_told, self.lost
            _log.warning(
                "the journal %s can be written again: events that waited in memory and are on disk now: %d%s",
                self.path,
                count,
                f"; older ones that were given up: {given_up}" if given_up else "; none was given up",
            )
            return True

    def _write_waiting(self) -> None:
        self._measure()
        while self._waiting:
            data = self._waiting[0]
            if self._fd == NO_FILE:
                self._open()
            written = _write(self._fd, data)
            if written != len(data):
                self._cut_off(written)
                raise OSError(_TORN)
            self._size += written
            self._waiting_bytes -= len(self._waiting.popleft())

    @property
    def waiting(self) -> int:
        """How many events wait in memory, because the file cannot be written."""
        return len(self._waiting) - self._first()

    def _first(self) -> int:
        """Give the index of the first event that waits: who writes the journal must come before all."""
        return 1 if self._waiting and not self._size else 0

    def _wait(self, data: bytes) -> None:
        self._appender.go_on(NO_FILE)
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        first = self._first()
        while self._waiting_bytes > WAITING_LIMIT and len(self._waiting) > first:
            self._waiting_bytes -= len(self._waiting[first])
            del self._waiting[first]
            if self.lost == self._lost_told:
                _log.warning(
                    "more than %.3g MiB of events wait for the journal %s, which cannot be written: "
                    "from now on the oldest are given up",
                    WAITING_LIMIT / 2**20,
                    self.path,
                )
            self.lost += 1

    def _warn(self, error: OSError) -> None:
        _log.warning(
            "the journal %s cannot be written (%s): events wait in memory, up to %.3g MiB of them, then the oldest are "
            "given up; training goes on. %s",
            self.path,
            error,
            WAITING_LIMIT / 2**20,
            "Free some space on that disk, and they are written"
            if error.errno is None or error.errno in DISK_IS_FULL
            else "They are written as soon as it can be, but files are not kept meanwhile; to log elsewhere, set "
            "RUNWIDGETS_HOME to a folder that can be "
            "written, and start anew",
        )

    def _cut_off(self, length: int) -> None:
        """Cut a torn frame off where it is what the file ends with; else it stays, and readers skip it."""
        with contextlib.suppress(OSError):
            self._by_itself(lambda: self._cut_off_the_end(length))

    def _cut_off_the_end(self, length: int) -> None:
        before, begin = self._inserted, self.segments[-1].begin
        keep = os.fstat(self._fd).st_size - length
        damage = read_journal(self.path, max(0, self._size - begin)).damage
        if damage[-1:] == [Damage(keep, length)] and begin + keep >= self._size and self._inserted == before:
            os.ftruncate(self._fd, keep)
        self._measure()  # so that the next look begins here

    def tidy(self, folded: int) -> None:
        """Delete the files that are in the store up to their end, and go on in a new file where this one is long."""
        with self._mutex:
            with contextlib.suppress(OSError):  # what cannot be deleted now, may be later
                while len(self.segments) > 1 and folded >= self.segments[1].begin:
                    self.segments[0].path.unlink(missing_ok=True)
                    self.segments.pop(0)
            if self._fd != NO_FILE and not self._waiting and os.fstat(self._fd).st_size >= FILE_BYTES:
                with contextlib.suppress(OSError):  # this file will do for longer
                    self._by_itself(self._go_on_in_a_new_file)

    def _go_on_in_a_new_file(self) -> None:
        before, begin = self._inserted, self._measure()
        path = self.path.with_name(f"{self.journal_id}.{begin}{SUFFIX}")
        so_far, segments = (self.path, self.segments), [*self.segments, Segment(self.journal_id, begin, path)]
        self._unfinished = path
        handle = _append_to(path)
        try:
            if self._inserted == before:  # else at the next look
                self.path, self.segments, self._unfinished = path, segments, None
                os.dup2(handle, self._fd, inheritable=False)
        except OSError:
            (self.path, self.segments), self._unfinished = so_far, path
            raise
        finally:
            os.close(handle)

    def mend(self) -> bool:
        """Make the file anew where somebody has deleted or replaced it, and tell whether that was so.

        A file that is deleted while it is open still takes writes that nobody else will ever read, and still gives
        back what it has: that is copied to where the file was.

        Raises
        ------
        OSError
            If it cannot be made. What is logged goes on into the deleted file, and is copied later.
        """
        with self._mutex:
            if self._fd == NO_FILE or not OPEN_FILES_CAN_GO:
                return False
            found, mine = _stat(self.path), os.fstat(self._fd)
            if found is None or (found.st_dev, found.st_ino) != (mine.st_dev, mine.st_ino):
                self._by_itself(self._copy_to_its_place)
                return True
            if _stat(lock_path(self.path)) is None:
                self._take_lock_anew()
            if mine.st_size < self._size - self.segments[-1].begin:  # cut short: what follows would be at wrong offsets
                self._by_itself(self._go_on_in_a_new_file)
            return False

    def _take_lock_anew(self) -> None:
        lock = lock_of(self.path)
        take(lock)
        self._lock.release()
        self._lock = lock

    def _copy_to_its_place(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if _stat(lock_path(self.path)) is None:
            self._take_lock_anew()  # before the file is there, so that nobody believes its writer dead
        scratch, copied = self.path.with_suffix(".restored"), 0
        left = [segment for segment in self.segments if segment.path == self.path or _stat(segment.path)]
        handle = _append_to(scratch)
        try:
            os.ftruncate(handle, 0)
            while True:
                before = self._inserted
                os.lseek(self._fd, copied, os.SEEK_SET)
                while data := os.read(self._fd, _COPY_BYTES):
                    copied += len(data)
                    while data:
                        data = data[_write(handle, data) :]
                if scratch.exists():
                    scratch.replace(self.path)
                if self._inserted == before:
                    self.segments = left
                    os.dup2(handle, self._fd, inheritable=False)
                    return
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)

    def close(self, *, folded: int | None = None) -> None:
        """Close the file and give up the lock.

        Parameters
        ----------
        folded
            How much of the journal is in the store. Where that is all, the files are deleted, else they stay for
            whoever folds the rest.
        """
        with self._mutex:
            if self._waiting:
                _log.warning(
                    "the journal %s cannot be written: events that are lost: %d; %s",
                    self.path,
                    self.waiting + self.lost - self._lost_told,
                    "what it has from before is read later" if self._size else "that is all that this process logged",
                )
            if not self.is_closed:
                self._appender.stop()
            remove = folded is not None and self._measure() <= folded
            self.is_closed = True
            self.abandon()
            if remove:
                for segment in self.segments:
                    segment.path.unlink(missing_ok=True)
            self._lock.release()
            if remove:
                lock_path(self.path).unlink(missing_ok=True)

    def abandon(self) -> None:
        """Close the file alone: after a fork, the lock is the parent's."""
        if self._fd != NO_FILE:
            handle, self._fd = self._fd, NO_FILE
            os.close(handle)


_BINARY: Final = getattr(os, "O_BINARY", 0)


def _append_to(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o600)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
