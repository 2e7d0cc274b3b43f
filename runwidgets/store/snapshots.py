"""Snapshots of folders: contents by their SHA-256, each kept once, and a manifest of names for each snapshot.

A snapshot's id is the SHA-256 of its manifest, which lies among the contents: what has an id can neither change nor be
incomplete. The place may be shared by any number of processes; all files appear whole or not at all.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import msgspec

from runwidgets.errors import NotFoundError, SnapshotError
from runwidgets.store.sources import source_of, stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runwidgets.store.sources import Limits, Source, SourceFile, Stamp

_ID: Final = re.compile(r"[0-9a-f]{64}")
_CHUNK: Final = 2**20
_KNOWN: Final = 100_000
_TICK_NS: Final = 2 * 10**9
"""How coarse a file system's times may be (FAT's are the coarsest)."""
_READ: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


_numbers = count(time.time_ns())
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class SnapshotFile(msgspec.Struct, frozen=True, array_like=True):
    """A file in a snapshot."""

    name: str
    sha256: str
    size: int
    is_executable: bool


class _Manifest(msgspec.Struct, frozen=True):
    files: list[SnapshotFile]
    format: int = 1


class Snapshot(NamedTuple):
    """A snapshot that was taken: of how many files, and what could not be read for it."""

    id: str
    file_count: int
    unreadable: tuple[str, ...]


class SnapshotStore:
    """Takes snapshots and gives them back. Get a folder's with `snapshots_of`, so that what was read is not read again.

    Parameters
    ----------
    root
        Where contents lie; made when the first one comes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._digests: dict[str, tuple[Stamp, str]] = {}
        self._last: dict[Path, tuple[Source, Snapshot]] = {}

    # ---- taking

    def take(self, place: Path, *, without: Iterable[Path] = (), limits: Limits | None = None) -> Snapshot:
        """Keep a folder's files as they are now; what was kept before costs a look at their sizes and times.

        Parameters
        ----------
        place
            The folder, or one file.
        without, limits
            As for `source_of`.

        Raises
        ------
        NotFoundError
            If there is no folder or file.
        SnapshotError
            If it is more than the limits, or cannot be stored.
        """
        source = source_of(place, without=without, limits=limits)
        last = self._last.get(place)
        if last is not None and last[0] == source and self.path(last[1].id).exists():
            return last[1]
        files, unreadable, is_settled = [], [_text(name) for name in source.unreadable], True
        try:
            for file in source.files:
                try:
                    digest, size = self._keep(file)
                except FileNotFoundError:
                    is_settled = False
                    continue
                except _UnreadableError:
                    unreadable.append(_text(file.name))
                    continue
                is_settled = is_settled and file.path in self._digests
                files.append(SnapshotFile(_text(file.name), digest, size, file.is_executable))
            manifest = msgspec.json.encode(_Manifest(files))
            snapshot = Snapshot(self.keep(manifest), len(files), tuple(unreadable))
        except OSError as error:
            raise SnapshotError(f"no snapshot of {place.absolute()} is kept: {self._root}: {error}") from error
        if is_settled:
            self._last[place] = (source, snapshot)
        return snapshot

    def _keep(self, file: SourceFile) -> tuple[str, int]:
        """Keep one file's content; give its digest and size."""
        known = self._digests.get(file.path)
        if known is not None and known[0] == file.stamp and self._has(known[1], file.stamp.size):
            return known[1], file.stamp.size
        with _open(file.path) as stream:
            first = next(_chunks(stream), b"")
            if len(first) < _CHUNK:
                digest, size = self.keep(first), len(first)
            else:
                digest, size = _digest_of(chain([first], _chunks(stream)))
                if not self._has(digest, size):
                    stream.seek(0)
                    digest, size = self._copy_in(_chunks(stream))  # of what is there now: that is what is kept
            stamp = stamp_of(os.fstat(stream.fileno()))
        self._digests.pop(file.path, None)
        # A file that has just changed may change again without a change of its time.
        if stamp == file.stamp and time.time_ns() - stamp.mtime_ns > _TICK_NS:
            if len(self._digests) >= _KNOWN:
                self._digests.clear()
            self._digests[file.path] = (stamp, digest)
        return digest, size

    def keep(self, content: bytes) -> str:
        """Keep a content that is in memory; give its digest."""
        digest, size = _digest_of([content])
        if self._has(digest, size):
            return digest
        scratch = self._root / f".incoming-{os.getpid()}-{next(_numbers)}"
        try:
            handle = os.open(scratch, _NEW, stat.S_IRUSR)
        except FileNotFoundError:
            self._root.mkdir(parents=True, exist_ok=True)
            handle = os.open(scratch, _NEW, stat.S_IRUSR)
        place = self.path(digest)
        try:
            with os.fdopen(handle, "wb") as target:
                target.write(content)
            try:
                scratch.replace(place)
            except FileNotFoundError:
                place.parent.mkdir(parents=True, exist_ok=True)
                scratch.replace(place)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
        return digest

    def keep_chunks(self, chunks: Iterable[bytes]) -> str:
        """Keep a content that comes in pieces; give its digest."""
        return self._copy_in(chunks)[0]

    def _copy_in(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        self._root.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=self._root, prefix=".incoming-")
        try:
            with os.fdopen(handle, "wb") as target:
                digest, size = _digest_of(chunks, target)
            Path(scratch).chmod(stat.S_IRUSR)
            place = self.path(digest)
            place.parent.mkdir(exist_ok=True)
            Path(scratch).replace(place)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
        return digest, size

    def _has(self, digest: str, size: int) -> bool:
        try:
            return self.path(digest).stat().st_size == size
        except OSError:
            return False

    # ---- giving back

    def path(self, digest: str) -> Path:
        """Give where the content with this SHA-256 lies, or would lie; it is read-only, and is never changed."""
        return self._root / digest[:2] / digest[2:]

    def files(self, snapshot_id: str) -> list[SnapshotFile]:
        """List what a snapshot holds, by name.

        Raises
        ------
        NotFoundError
            If there is no such snapshot.
        SnapshotError
            If its manifest is not what was written.
        """
        try:
            content = self.path(snapshot_id if _ID.fullmatch(snapshot_id) else "none").read_bytes()
            msgspec.json.decode(content, type=_Manifest)
        except (FileNotFoundError, msgspec.DecodeError) as error:
            raise NotFoundError(f"there is no snapshot {snapshot_id!r} in {self._root}") from error
        if _digest_of([content])[0] != snapshot_id:
            raise SnapshotError(f"the snapshot {snapshot_id!r} in {self._root} is damaged")
        return read_manifest(content)

    def restore(self, snapshot_id: str, folder: Path) -> None:
        """Write a fresh copy of a snapshot's files, which may be changed.

        Parameters
        ----------
        snapshot_id
            Which one.
        folder
            Where to; it is made where it is missing, and its own files stay, but those of the same names.

        Raises
        ------
        NotFoundError
            If there is no such snapshot.
        """
        for file in self.files(snapshot_id):
            target = folder / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copyfile(self.path(file.sha256), target)
            if file.is_executable:
                target.chmod(target.stat().st_mode | stat.S_IXUSR)

    def write_zip(self, snapshot_id: str, folder: Path) -> Path:
        """Write a snapshot as ``<snapshot_id>.zip``, whole or not at all; give its path.

        Raises
        ------
        NotFoundError
            If there is no such snapshot.
        """
        import zipfile

        files = self.files(snapshot_id)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{snapshot_id}.zip"
        handle, scratch = tempfile.mkstemp(dir=folder, prefix=".incoming-")
        try:
            with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in files:
                    entry = zipfile.ZipInfo(file.name)  # of 1980: equal snapshots give equal archives
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    entry.external_attr = (stat.S_IFREG | (0o755 if file.is_executable else 0o644)) << 16
                    with self.path(file.sha256).open("rb") as source, archive.open(entry, "w") as packed:
                        shutil.copyfileobj(source, packed, _CHUNK)
            Path(scratch).replace(target)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
        return target


def read_manifest(content: bytes) -> list[SnapshotFile]:
    """Read which files a snapshot holds; it may come from elsewhere.

    Raises
    ------
    SnapshotError
        If one of them leads out of a folder.
    msgspec.DecodeError
        If it is no manifest.
    """
    files = msgspec.json.decode(content, type=_Manifest).files
    for file in files:
        is_outside = file.name.startswith("/") or not {"", ".", ".."}.isdisjoint(file.name.split("/"))
        if is_outside or (os.name == "nt" and re.search(r"[\\:]", file.name)) or not _ID.fullmatch(file.sha256):
            raise SnapshotError(f"a snapshot names a file that is none of its own: {file.name!r}, {file.sha256!r}")
    return files


@functools.cache
def snapshots_of(folder: Path) -> SnapshotStore:
    """Give this process's store of a workspace's snapshots; all callers share it, and what it has read."""
    return SnapshotStore(folder / "snapshots")


class _UnreadableError(Exception):
    """A file cannot be read: no fault of the place where snapshots lie."""


def _open(path: str) -> BinaryIO:
    try:
        handle = os.open(path, _READ)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _UnreadableError from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _UnreadableError
    return os.fdopen(handle, "rb")


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while True:
        try:
            chunk = stream.read(_CHUNK)
        except OSError as error:
            raise _UnreadableError from error
        if not chunk:
            return
        yield chunk


def _digest_of(chunks: Iterable[bytes], target: BinaryIO | None = None) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return digest.hexdigest(), size


def _text(name: str) -> str:
    """Give a name as text: what is no Unicode in it becomes an escape."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
