"""Reading an archive that may come from anybody: nothing in it is believed that was not checked."""

from __future__ import annotations

import hashlib
import shutil
import stat
import zipfile
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from runwidgets.archive.layout import FORMAT, MANIFEST, RUNS, ArchivedRun, FormatOnly, Manifest, Member
from runwidgets.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_CHUNK: Final = 2**20
_MOST_MEMBERS: Final = 1_000_000
_LONGEST_TEXT: Final = 2**28
"""So many bytes the JSON texts may have, which are read whole."""
_ANY_BYTES: Final = 2**30
_MOST_TIMES_PACKED: Final = 200
"""An archive may become 1 GiB, and more only by so many times its size: what becomes more is a trap."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 1


class Archive:
    """An archive whose members are what its manifest says; to be closed, as by ``with``.

    Parameters
    ----------
    path
        The file.
    room
        How many bytes there are for what comes out of it; None for any number.

    Raises
    ------
    ArchiveError
        If it is no such archive, or a member is not what the manifest says, or has a name that leads elsewhere, or it
        would become larger than is believable.
    OSError
        If it cannot be read.
    """

    def __init__(self, path: Path, room: int | None = None) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise ArchiveError(f"{path} is no zip archive: {error}") from error
        try:
            self._entries = self._checked_entries()
            self._check_sizes(room)
            self.manifest = self._read_manifest()
            self._check_members()
            self.runs: list[ArchivedRun] = self._decoded(self._text(RUNS), list[ArchivedRun], RUNS)
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _error(self, what: str) -> ArchiveError:
        return ArchiveError(f"{self._path} is not imported: {what}")

    def _checked_entries(self) -> dict[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        listed = self._zip.infolist()
        if len(listed) > _MOST_MEMBERS:
            raise self._error(f"it has {len(listed):,} members, more than {_MOST_MEMBERS:,}")
        for entry in listed:
            name = entry.orig_filename
            if reason := _hostile(entry):
                raise self._error(f"its member {name[:200]!r} {reason}")
            if name in entries:
                raise self._error(f"it has two members {name[:200]!r}")
            entries[name] = entry
        for needed in (MANIFEST, RUNS):
            if needed not in entries:
                raise self._error(f"it has no {needed}: it was not made by `runwidgets export`")
        return entries

    def _check_sizes(self, room: int | None) -> None:
        packed, total = self._path.stat().st_size, sum(entry.file_size for entry in self._entries.values())
        if sum(entry.compress_size for entry in self._entries.values()) > packed:
            raise self._error("its members overlap")
        most = max(_ANY_BYTES, _MOST_TIMES_PACKED * packed)
        if total > most:
            raise self._error(f"its {packed:,} bytes would become {total:,}, more than is believable")
        if room is not None and total > room:
            raise self._error(f"it needs {total:,} bytes, and the disk has {room:,}")
        for name in (MANIFEST, RUNS):
            if self._entries[name].file_size > _LONGEST_TEXT:
                raise self._error(f"its {name} is larger than {_LONGEST_TEXT:,} bytes")

    def _read_manifest(self) -> Manifest:
        text = self._text(MANIFEST)
        version = self._decoded(text, FormatOnly, MANIFEST).format
        if version != FORMAT:
            raise self._error(f"it is of format {version}, and this runwidgets reads {FORMAT}: update it")
        manifest: Manifest = self._decoded(text, Manifest, MANIFEST)
        return manifest

    def _check_members(self) -> None:
        """Compare each member with what the manifest says, all bytes of it."""
        members = self._members = {member.name: member for member in self.manifest.members}
        if len(members) != len(self.manifest.members):
            raise self._error(f"its {MANIFEST} names a member twice")
        if strays := sorted(self._entries.keys() - members.keys() - {MANIFEST}):
            raise self._error(f"its {MANIFEST} does not name {strays[0]!r}")
        if missing := sorted(members.keys() - self._entries.keys()):
            raise self._error(f"it has no member {missing[0]!r}, which its {MANIFEST} names")
        for member in members.values():
            if member.size != self._entries[member.name].file_size:
                raise self._error(f"its member {member.name!r} has another size than its {MANIFEST} says")
        for member in members.values():
            for _ in self.chunks(member):
                pass

    def _text(self, name: str) -> bytes:
        try:
            return self._zip.read(self._entries[name])
        except _UNREADABLE as error:
            raise self._error(f"its {name} cannot be read: {error}") from error

    def _decoded(self, text: bytes, kind: Any, name: str) -> Any:
        try:
            return msgspec.json.decode(text, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._error(f"its {name} is not as it should be: {error}") from error

    @property
    def names(self) -> set[str]:
        """The names of its members, but for the manifest's."""
        return self._entries.keys() - {MANIFEST}

    def size(self, name: str) -> int:
        """Tell how many bytes a member has."""
        return self._entries[name].file_size

    def read(self, name: str) -> bytes:
        """Read a member that is small."""
        return b"".join(self.chunks(self.member(name)))

    def member(self, name: str) -> Member:
        """Give what the manifest says of a member."""
        return self._members[name]

    def chunks(self, member: Member) -> Iterator[bytes]:
        """Read a member, and raise `ArchiveError` at the end of one that is not what the manifest says."""
        digest, size = hashlib.sha256(), 0
        try:
            with self._zip.open(self._entries[member.name]) as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    yield chunk
        except _UNREADABLE as error:
            raise self._error(f"its member {member.name!r} is damaged: {error}") from error
        if (size, digest.hexdigest()) != (member.size, member.sha256):
            raise self._error(f"its member {member.name!r} is damaged: its checksum is another")

    def copy(self, name: str, target: BinaryIO) -> None:
        """Copy a member out."""
        target.writelines(self.chunks(self.member(name)))


def room_for(folder: Path) -> int | None:
    """Tell how many bytes the disk of a folder has left; None where nobody knows."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None


def _hostile(entry: zipfile.ZipInfo) -> str | None:
    """Say what is wrong with a member's name or kind; None where nothing is."""
    name, kind = entry.orig_filename, stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or entry.is_dir():
        return "is a link, a folder or a device"
    if "\\" in name or any(not character.isprintable() and character < " " for character in name):
        return "has a backslash or a control character in its name"
    if name.startswith("/") or name[1:2] == ":":
        return "has an absolute name"
    if not {"", ".", ".."}.isdisjoint(name.split("/")):
        return "has a name that leads elsewhere"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    return None if entry.compress_type in _METHODS else "is packed in a way that is not read here"


_UNREADABLE: Final = (zipfile.BadZipFile, zipfile.zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)  # type: ignore[attr-defined]
