"""The journal: an append-only file of events that one process writes and anybody may read.

Format of a file: frames, one after the other, each ``length`` and ``CRC-32`` of the payload (little-endian unsigned
32-bit integers) and then the payload, one event as a MessagePack array. The first event is a `JournalOpened`. One
event is one ``write``, so that what `JournalWriter.write` returned from outlives the process, however it ends; a
process that dies within a ``write`` leaves at most one torn frame, at the end.

A journal that grows long goes on in a new file, named for the offset at which it begins, ``ID.OFFSET.journal``; offsets
count from the journal's beginning, over all its files. A file that is in the store is deleted.

While a writer lives it holds the lock file beside its journal. It takes the lock before the journal exists, so a
journal whose lock is free has no writer, and never will have again.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
import time
import uuid
import zlib
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from runwidgets.records import Event, JournalOpened
from runwidgets.system import this_process
from runwidgets.values import long_integer, pack

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import BaseFileLock

_log = logging.getLogger(__name__)
_header = struct.Struct("<II")
_pack_header = _header.pack
_unpack_header = _header.unpack_from
_HEADER_BYTES: Final = _header.size
_crc32 = zlib.crc32
_write = os.write
_now = time.time

SUFFIX: Final = ".journal"
FILE_BYTES: Final = 16 * 2**20
"""How long one file of a journal gets."""
_TORN: Final = "only part of an event could be written: is the disk full?"
WAITING_LIMIT: Final = 64 * 2**20
"""Bytes of events that wait in memory while the file cannot be written; past it the oldest are given up."""


def frame(event: Event) -> bytes:
    """Give the bytes of one event in a journal."""
    payload = pack(event)
    return _pack_header(len(payload), _crc32(payload)) + payload


def lock_of(journal: Path) -> BaseFileLock:
    """Give the (not yet taken) lock that the writer of a journal holds while it lives."""
    from filelock import FileLock

    return FileLock(_lock_path(journal), thread_local=False)


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


class JournalWriter:
    """Appends events to this process's own journal file, from any thread.

    Parameters
    ----------
    folder
        Where journals lie; it must exist.

    Nothing here raises: events that cannot be written wait in memory, and a warning says so once.
    """

    def __init__(self, folder: Path) -> None:
        self.journal_id = uuid.uuid4().hex
        self.path = folder / f"{self.journal_id}{SUFFIX}"
        self.segments = [Segment(self.journal_id, 0, self.path)]
        self.size = 0
        """Offset after the last event that is in a file."""
        self._mutex = threading.RLock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._lost = 0
        self._lock = lock_of(self.path)
        self._fd = _CLOSED
        process = this_process()
        opened = JournalOpened(self.journal_id, _now(), process.host, process.boot_id, process.pid, process.started_at)
        self._wait(frame(opened))
        try:
            self._write_waiting()
        except OSError as error:
            self._warn(error)

    def _open(self) -> None:
        if not self._lock.is_locked:
            self._lock.acquire(timeout=0)
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY, 0o600)

    def write(self, event: Event) -> None:
        """Append one event; on return it outlives this process."""
        data = frame(event)
        with self._mutex:
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

    def drain(self) -> bool:
        """Write what waits in memory; tell whether nothing waits any more."""
        with self._mutex:
            if self._waiting:
                try:
                    self._write_waiting()
                except OSError:
                    return False
                _log.warning("the journal %s can be written again; what waited in memory is on disk", self.path)
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
    def lost(self) -> int:
        """How many events were given up because more than `WAITING_LIMIT` bytes had to wait."""
        return self._lost

    def _wait(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        while self._waiting_bytes > WAITING_LIMIT:
            self._waiting_bytes -= len(self._waiting.popleft())
            self._lost += 1
            if self._lost & (self._lost - 1) == 0:  # 1, 2, 4, 8 …: said, but not once an event
                _log.warning(
                    "%d events were given up, oldest first: the journal %s cannot be written", self._lost, self.path
                )

    def _warn(self, error: OSError) -> None:
        _log.warning(
            "the journal %s cannot be written (%s): events wait in memory, up to %d MiB of them, and training goes on",
            self.path,
            error,
            WAITING_LIMIT // 2**20,
        )

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._fd, self.size - self.segments[-1].begin)
        except OSError:  # the torn frame stays; readers skip it by its checksum
            self.size = self.segments[-1].begin + os.fstat(self._fd).st_size

    def tidy(self, folded: int) -> None:
        """Delete the files that are in the store up to their end, and go on in a new file where this one is long."""
        with self._mutex:
            while len(self.segments) > 1 and folded >= self.segments[1].begin:
                self.segments.pop(0).path.unlink(missing_ok=True)
            if self._waiting or self._fd == _CLOSED or self.size - self.segments[-1].begin < FILE_BYTES:
                return
            path = self.path.with_name(f"{self.journal_id}.{self.size}{SUFFIX}")
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY, 0o600)
            except OSError:
                return  # this file will do for longer
            os.close(self._fd)
            self._fd, self.path = handle, path
            self.segments.append(Segment(self.journal_id, self.size, path))

    def close(self, *, remove: bool = False) -> None:
        """Close the file and give up the lock.

        Parameters
        ----------
        remove
            Whether to delete the file, because all of it is in the store. Else it stays for whoever folds the rest.
        """
        with self._mutex:
            if self._waiting:
                _log.warning("%d events are lost: the journal %s cannot be written", len(self._waiting), self.path)
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
        Offset after the last whole frame: where to read on.
    damage
        Stretches that were skipped.
    """

    events: list[Event]
    end: int
    damage: list[Damage]


def read_journal(path: Path, start: int = 0, *, is_final: bool = False) -> Reading:
    """Read the events of a journal from an offset on.

    Parameters
    ----------
    path
        The journal's file.
    start
        Offset of a frame.
    is_final
        Whether the writer is gone. Then a torn frame at the end is damage; else it is merely not there yet.
    """
    with path.open("rb") as file:
        file.seek(start)
        data = file.read()
    events: list[Event] = []
    damage: list[Damage] = []
    view, at, size = memoryview(data), 0, len(data)
    while at < size:
        end = _end_of_frame(view, at)
        if end is None:
            following = _next_frame(view, at + 1)
            if following is None:
                if is_final:
                    damage.append(Damage(start + at, size - at))
                    at = size
                break
            damage.append(Damage(start + at, following - at))
            at = following
            continue
        try:
            events.append(_decode(view[at + _HEADER_BYTES : end]))
        except msgspec.MsgspecError as error:
            _log.warning("%s, offset %d: this version cannot read the event (%s)", path, start + at, error)
            damage.append(Damage(start + at, end - at))
        at = end
    return Reading(events, start + at, damage)


def _end_of_frame(view: memoryview, at: int) -> int | None:
    """Give the offset after the whole frame that begins here; None if there is none, or its checksum is wrong."""
    begin = at + _HEADER_BYTES
    if begin > len(view):
        return None
    length, checksum = _unpack_header(view, at)
    end: int = begin + length
    if length == 0 or end > len(view) or _crc32(view[begin:end]) != checksum:
        return None
    return end


def _next_frame(view: memoryview, at: int) -> int | None:
    """Find the next offset at which a whole frame with a right checksum stands."""
    return next((offset for offset in range(at, len(view)) if _end_of_frame(view, offset) is not None), None)
