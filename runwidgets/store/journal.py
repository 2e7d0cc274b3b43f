"""The journal: an append-only file of events that one process writes and anybody may read.

Format of a file: frames, one after the other, each ``length`` and ``CRC-32`` of the payload (little-endian unsigned
32-bit integers) and then the payload, one event as a MessagePack array. The first event is a `JournalOpened`. One
event is one ``write``, so that what `JournalWriter.write` returned from outlives the process, however it ends; a
process that dies within a ``write`` leaves at most one torn frame, at the end.

A journal that grows long goes on in a new file, named for the offset at which it begins, ``ID.OFFSET.journal``; offsets
count from the journal's beginning, over all its files. A file that is in the store is deleted.

While a writer lives it holds the lock file beside its journal. It takes the lock before the journal exists, so on one
machine a journal whose lock is free has no writer, and never will have again.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import struct
import threading
import time
import uuid
import zlib
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from runwidgets.events import Event, JournalOpened
from runwidgets.system import DISK_IS_FULL, OPEN_FILES_CAN_GO, hold, this_process
from runwidgets.values import long_integer, pack

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filelock import BaseFileLock

    from runwidgets.system import Process

_log = logging.getLogger(__name__)
_header = struct.Struct("<II")
_pack_header = _header.pack
_unpack_header = _header.unpack_from
_HEADER_BYTES: Final = _header.size
_crc32 = zlib.crc32
_pack = msgspec.msgpack.Encoder().encode
_write = os.write
_now = time.time

SUFFIX: Final = ".journal"
FILE_BYTES: Final = 16 * 2**20
"""How long one file of a journal gets."""
_TORN: Final = "only part of an event could be written: is the disk full?"
WAITING_LIMIT: Final = 64 * 2**20
"""Bytes of events that wait in memory while the file cannot be written; past it the oldest are given up."""
_COPY_BYTES: Final = 2**20


def frame(event: Event) -> bytes:
    """Give the bytes of one event in a journal."""
    payload = pack(event)
    return _pack_header(len(payload), _crc32(payload)) + payload


def lock_of(journal: Path) -> BaseFileLock:
    """Give the (not yet taken) lock that the writer of a journal holds while it lives."""
    from filelock import FileLock

    return FileLock(_lock_path(journal), thread_local=False)


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


def _lock_path(journal: Path) -> Path:
    return journal.with_name(journal.name.partition(".")[0] + ".lock")


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
        folder.mkdir(parents=True, exist_ok=True)
        handle = hold(_lock_path(self.path))
        assert handle is not None  # noqa: S101 (nobody else knows the name)
        self.lock = handle

    def begin(self, writer: Process, events: Iterable[Event]) -> None:
        """Write the first events: that ``writer`` writes it, and these.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        opened = JournalOpened(self.journal_id, _now(), *writer)
        handle = _append_to(self.path)
        try:
            data = b"".join(map(frame, (opened, *events)))
            if _write(handle, data) != len(data):
                raise OSError(errno.ENOSPC, _TORN)
        finally:
            os.close(handle)

    def discard(self) -> None:
        """Delete it again."""
        self.path.unlink(missing_ok=True)
        _lock_path(self.path).unlink(missing_ok=True)
        self.let_go()

    def let_go(self) -> None:
        """Close this process's handle of the lock; the other process has its own."""
        os.close(self.lock)


class JournalWriter:
    """Appends events to this process's own journal file, from any thread.

    Parameters
    ----------
    folder
        Where journals lie; it is made where it is missing.
    adopted
        A journal that another process has begun for this one, whose lock this one has inherited.

    Nothing that writes here raises: events that cannot be written wait in memory, and a warning says so once.
    """

    def __init__(self, folder: Path, adopted: Adopted | None = None) -> None:
        self.journal_id = adopted.journal_id if adopted else uuid.uuid4().hex
        self.path = folder / f"{self.journal_id}{SUFFIX}"
        self.segments = [Segment(self.journal_id, 0, self.path)]
        self.size = 0
        """Offset after the last event that is in a file."""
        self.lost = 0
        """How many events were given up because more than `WAITING_LIMIT` bytes had to wait."""
        self._lost_told = 0
        self._mutex = threading.RLock()
        self._acquire, self._release = self._mutex.acquire, self._mutex.release
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._lock: BaseFileLock | InheritedLock = InheritedLock(adopted.lock) if adopted else lock_of(self.path)
        self._fd = _CLOSED
        if adopted:
            with contextlib.suppress(OSError):  # a warning below says that it cannot be written
                self.size = self.path.stat().st_size
        self.opened = JournalOpened(self.journal_id, _now(), *this_process())
        self._wait(frame(self.opened))
        try:
            self._write_waiting()
        except OSError as error:
            self._warn(error)

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self._lock.is_locked and not isinstance(self._lock, InheritedLock):
            take(self._lock)
        self._fd = _append_to(self.path)

    def write(self, event: Event) -> None:
        """Append one event; on return it outlives this process.

        This is what each logged value costs: `frame` is written out, and the mutex is taken without ``with``, which
        takes longer than the lock itself.
        """
        try:
            payload = _pack(event)
        except (OverflowError, UnicodeEncodeError):
            payload = pack(event)
        data = _pack_header(len(payload), _crc32(payload)) + payload
        self._acquire()
        try:
            if self._waiting:
                self._wait(data)
                return
            try:
                written = _write(self._fd, data)
            except OSError as error:
                self._warn(error)
                self._wait(data)
                return
            if written == len(data):
                self.size += written
                return
            self._cut_back()
            self._warn(OSError(_TORN))
            self._wait(data)
        finally:
            self._release()

    def drain(self) -> bool:
        """Write what waits in memory; tell whether nothing waits any more."""
        with self._mutex:
            if not self._waiting:
                return True
            count = self.waiting
            try:
                self._write_waiting()
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
        while self._waiting:
            data = self._waiting[0]
            if self._fd == _CLOSED:
                self._open()
            written = _write(self._fd, data)
            if written != len(data):
                self._cut_back()
                raise OSError(_TORN)
            self.size += written
            self._waiting_bytes -= len(self._waiting.popleft())

    @property
    def waiting(self) -> int:
        """How many events wait in memory, because the file cannot be written."""
        return len(self._waiting) - self._first()

    def _first(self) -> int:
        """Give the index of the first event that waits: who writes the journal must come before all."""
        return 1 if self._waiting and not self.size else 0

    def _wait(self, data: bytes) -> None:
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

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._fd, self.size - self.segments[-1].begin)
        except OSError:  # the torn frame stays; readers skip it by its checksum
            self.size = self.segments[-1].begin + os.fstat(self._fd).st_size

    def tidy(self, folded: int) -> None:
        """Delete the files that are in the store up to their end, and go on in a new file where this one is long."""
        with self._mutex:
            with contextlib.suppress(OSError):  # what cannot be deleted now, may be later
                while len(self.segments) > 1 and folded >= self.segments[1].begin:
                    self.segments[0].path.unlink(missing_ok=True)
                    self.segments.pop(0)
            if self._fd != _CLOSED and not self._waiting and self.size - self.segments[-1].begin >= FILE_BYTES:
                with contextlib.suppress(OSError):  # this file will do for longer
                    self._go_on_in_a_new_file()

    def _go_on_in_a_new_file(self) -> None:
        path = self.path.with_name(f"{self.journal_id}.{self.size}{SUFFIX}")
        handle = _append_to(path)
        os.close(self._fd)
        self._fd, self.path = handle, path
        self.segments.append(Segment(self.journal_id, self.size, path))

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
            if self._fd == _CLOSED or not OPEN_FILES_CAN_GO:
                return False
            found, mine = _stat(self.path), os.fstat(self._fd)
            if found is None or (found.st_dev, found.st_ino) != (mine.st_dev, mine.st_ino):
                self._copy_to_its_place()
                return True
            if _stat(_lock_path(self.path)) is None:
                self._take_lock_anew()
            if mine.st_size != self.size - self.segments[-1].begin:  # cut short: what follows would be at wrong offsets
                self._go_on_in_a_new_file()
            return False

    def _take_lock_anew(self) -> None:
        lock = lock_of(self.path)
        take(lock)
        self._lock.release()
        self._lock = lock

    def _copy_to_its_place(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if _stat(_lock_path(self.path)) is None:
            self._take_lock_anew()  # before the file is there, so that nobody believes its writer dead
        scratch = self.path.with_suffix(".restored")
        handle = _append_to(scratch)
        try:
            os.ftruncate(handle, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
            while data := os.read(self._fd, _COPY_BYTES):
                while data:
                    data = data[_write(handle, data) :]
            scratch.replace(self.path)
        except BaseException:
            os.close(handle)
            scratch.unlink(missing_ok=True)
            raise
        os.close(self._fd)
        self._fd = handle
        self.segments = [segment for segment in self.segments if segment.path == self.path or _stat(segment.path)]

    def close(self, *, remove: bool = False) -> None:
        """Close the file and give up the lock.

        Parameters
        ----------
        remove
            Whether to delete the file, because all of it is in the store. Else it stays for whoever folds the rest.
        """
        with self._mutex:
            if self._waiting:
                _log.warning(
                    "the journal %s cannot be written: events that are lost: %d; %s",
                    self.path,
                    self.waiting + self.lost - self._lost_told,
                    "what it has from before is read later" if self.size else "that is all that this process logged",
                )
            self.abandon()
            if remove:
                for segment in self.segments:
                    segment.path.unlink(missing_ok=True)
            self._lock.release()
            if remove:
                _lock_path(self.path).unlink(missing_ok=True)

    def abandon(self) -> None:
        """Close the file alone: after a fork, the lock is the parent's."""
        if self._fd != _CLOSED:
            os.close(self._fd)
            self._fd = _CLOSED


_CLOSED: Final = -1
_BINARY: Final = getattr(os, "O_BINARY", 0)
_decode: Final = msgspec.msgpack.Decoder(Event, ext_hook=long_integer).decode


def _append_to(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o600)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


# ---- reading


class Damage(msgspec.Struct, frozen=True):
    """Bytes of a journal that hold no readable event."""

    offset: int
    length: int


class Reading(msgspec.Struct):
    """What was read of a journal.

    Attributes
    ----------
    events
        In order of writing.
    end
        Offset up to which was read: where to read on.
    damage
        Stretches that were skipped.
    """

    events: list[Event]
    end: int
    damage: list[Damage]


def read_journal(path: Path, start: int = 0, stop: int | None = None) -> Reading:
    """Read the events in a stretch of a journal's file; what is no whole event there is damage.

    Parameters
    ----------
    path
        The journal's file.
    start
        Offset of a frame.
    stop
        Offset after a frame, at which to stop; by default the end of the file, which fits where the writer is gone.
    """
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(-1 if stop is None else max(0, stop - start))
    events: list[Event] = []
    damage: list[Damage] = []
    unknown: Exception | None = None
    view, at, size = memoryview(data), 0, len(data)
    take, unpack_header, checksum_of, decode = events.append, _unpack_header, _crc32, _decode
    while at < size:
        begin = at + _HEADER_BYTES
        if begin <= size:  # `_payload_at`, written out: this is what each logged value costs the thread that folds
            length, checksum = unpack_header(view, at)
            end = begin + length
            payload = view[begin:end]
            if 0 < length == len(payload) and checksum_of(payload) == checksum:
                try:
                    take(decode(payload))
                except msgspec.MsgspecError as error:
                    unknown = unknown or error
                    damage.append(Damage(start + at, end - at))
                at = end
                continue
        following = _next_frame(view, at + 1)
        damage.append(Damage(start + at, following - at))
        at = following
    if unknown is not None:
        _log.warning("%s: this version cannot read the event of a newer one in it (%s)", path, unknown)
    return Reading(events, start + at, damage)


def _payload_at(view: memoryview, at: int) -> memoryview | None:
    """Give the payload of the whole frame that begins here; None if there is none, or its checksum is wrong."""
    begin = at + _HEADER_BYTES
    if begin > len(view):
        return None
    length, checksum = _unpack_header(view, at)
    payload = view[begin : begin + length]
    return payload if 0 < length == len(payload) and _crc32(payload) == checksum else None


# An event is a short array that begins with a small integer and a string. Checksums are computed only where that may
# begin: else each wrong length in a damaged file would cost the checksum of all that follows it.
_LIKELY_PAYLOAD: Final = re.compile(rb"[\x93-\x9f][\x00-\x3f][\xa0-\xbf\xd9-\xdb]")


def _next_frame(view: memoryview, at: int) -> int:
    """Find the next offset at which a whole frame with a right checksum stands; where there is none, the end."""
    for found in _LIKELY_PAYLOAD.finditer(view, at + _HEADER_BYTES):
        offset = found.start() - _HEADER_BYTES
        if _payload_at(view, offset) is not None:
            return offset
    return len(view)
