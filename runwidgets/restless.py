"""Files that change again and again: when one can be copied whole though it never rests."""

from __future__ import annotations

import io
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runwidgets.store.sources import stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runwidgets.store.sources import Stamp

_PROC: Final = Path("/proc")
_WRITING: Final = os.O_WRONLY | os.O_RDWR


class ChangedError(OSError):
    """A file was changed while it was copied; the copy is none."""


class Restless:
    """Remembers since when files have not been kept for their changing, and gives those that can be kept all the same.

    A file is whole while nobody has it open to write. Who writes one again and again by its name, as checkpoints and
    tables are, closes it in between.

    Parameters
    ----------
    patience_seconds
        How long a file must have waited to be kept though it changes.
    """

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._since: dict[Path, float] = {}

    def has_waited(self, path: Path) -> bool:
        """Tell whether a file that has just changed has waited long enough."""
        now = time.monotonic()
        return now - self._since.setdefault(path, now) >= self._patience_seconds

    def note_kept(self, path: Path) -> None:
        """Have a file wait anew, of which there is a copy now."""
        self._since.pop(path, None)

    @staticmethod
    def whole(paths: Iterable[Path]) -> dict[Path, Stamp]:
        """Give what those of some files are that nobody has open to write: while they are that, they are whole."""
        found = {}
        for path in paths:
            with suppress(OSError):  # gone meanwhile
                found[path] = path.stat()
        written = files_open_to_write() if found else None
        if written is None:
            return {}
        return {path: stamp_of(one) for path, one in found.items() if (one.st_dev, one.st_ino) not in written}


class Whole(io.RawIOBase):
    """Reads a file, and raises `ChangedError` at its end where it is not any more what it was.

    Parameters
    ----------
    path
        The file.
    stamp
        What it was.
    """

    def __init__(self, path: Path, stamp: Stamp) -> None:
        self._path = path
        self._stamp = stamp
        self._file = path.open("rb", buffering=0)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, target: Any) -> int:
        """Read the next bytes."""
        count = self._file.readinto(target) or 0
        if count == 0 and len(target) and not self._is_unchanged():
            raise ChangedError(f"{self._path} was changed while it was copied")
        return count

    def _is_unchanged(self) -> bool:
        return stamp_of(os.fstat(self._file.fileno())) == self._stamp == stamp_of(self._path.stat())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def files_open_to_write() -> set[tuple[int, int]] | None:
    """List the files, by device and number, that a process of this user has open to write; None where nobody knows."""
    try:
        pids = [name for name in os.listdir(_PROC) if name.isdecimal()]  # noqa: PTH208 (slow)
    except OSError:
        return None
    found: set[tuple[int, int]] = set()
    for pid in pids:
        try:
            handles = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208 (slow)
        except OSError:  # another user's, or it has ended
            continue
        for handle in handles:
            try:
                place = os.stat(f"/proc/{pid}/fd/{handle}")  # noqa: PTH116 (of thousands)
                if not place.st_size and not place.st_blocks and place.st_nlink == 0:
                    continue  # no file of a folder
                if _is_to_write(pid, handle):
                    found.add((place.st_dev, place.st_ino))
            except (OSError, ValueError):  # closed meanwhile
                continue
    return found


def _is_to_write(pid: str, handle: str) -> bool:
    with open(f"/proc/{pid}/fdinfo/{handle}", "rb", buffering=0) as file:  # noqa: PTH123 (of thousands)
        for line in file.read().splitlines():
            if line.startswith(b"flags:"):
                return bool(int(line.split()[1], 8) & _WRITING)
    return True
