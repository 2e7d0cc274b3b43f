"""The files of runs, in folders under the workspace's artifact root; every name is checked before it is used."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from runwidgets.errors import NotFoundError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

USER_LOG: Final = "logs/user_log.txt"
"""Name in its run of the file that has what was printed: the one that grows while the store has it already."""
_MAX_PART_BYTES: Final = 255
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HALF_PAIR: Final = re.compile(r"[\ud800-\udfff]")


def checked_name(name: str) -> str:
    """Give the canonical form of a file's name within its run: relative, with forward slashes.

    Raises
    ------
    UserError
        If the name is empty, absolute, leads out of the run's folder, or holds what file systems refuse.
    """
    if not isinstance(name, str):
        raise UserError(f"a file's name is a str, not {type(name).__name__}")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    reason = None
    if not parts:
        reason = "it is empty"
    elif name.startswith("/") or re.match(r"[A-Za-z]:", name):
        reason = "it is absolute"
    elif ".." in parts:
        reason = "it leads out of the run's folder"
    elif "\\" in name:
        reason = "it has a backslash: write folders with /"
    elif _CONTROL.search(name):
        reason = "it has a control character"
    elif _HALF_PAIR.search(name):
        reason = "it has half of a surrogate pair"
    elif any(len(part.encode()) > _MAX_PART_BYTES for part in parts):
        reason = f"a part of it is longer than {_MAX_PART_BYTES} bytes"
    if reason:
        raise UserError(f"{name[:200]!r} cannot name a file of a run: {reason}")
    return "/".join(parts)


class FileRoot:
    """Reads and writes the files of runs below one folder.

    Parameters
    ----------
    root
        The artifact root; made when the first file comes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def _place(self, run_id: str, name: str) -> Path:
        folder = self._root / checked_name(run_id)
        path = folder / checked_name(name)
        if not path.parent.resolve().is_relative_to(folder.resolve()) or path.is_symlink():
            raise UserError(f"{name!r} cannot name a file of a run: a link on its way leads out of the run's folder")
        return path

    @property
    def root(self) -> Path:
        """The folder."""
        return self._root

    def save(self, run_id: str, name: str, source: Path | BinaryIO) -> int:
        """Copy a file or a stream in, whole or not at all; a file of that name is replaced.

        Returns
        -------
        int
            Its size in bytes.
        """
        place = self._place(run_id, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=self._root, prefix=".incoming-")
        try:
            with os.fdopen(handle, "wb") as target:
                if isinstance(source, Path):
                    with source.open("rb") as stream:
                        shutil.copyfileobj(stream, target, 2**20)
                else:
                    shutil.copyfileobj(source, target, 2**20)
                size = target.tell()
            Path(scratch).replace(place)
        except BaseException:
            Path(scratch).unlink(missing_ok=True)
            raise
        return size

    def remove(self, run_id: str) -> None:
        """Delete all files of a run, where there are any.

        Raises
        ------
        OSError
            If they cannot be deleted.
        """
        folder = self._root / checked_name(run_id)
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)

    def link(self, run_id: str, name: str, source: Path) -> int:
        """Give a run a file that lies on this disk and never changes, without a copy where the system can do that.

        Returns
        -------
        int
            Its size in bytes.
        """
        place = self._place(run_id, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.hardlink_to(source)
        except OSError:  # no links here, or too many of this file
            return self.save(run_id, name, source)
        return place.stat().st_size

    def open_to_append(self, run_id: str, name: str) -> int:
        """Open a file of a run, so that what is written to it comes at its end; give its descriptor."""
        place = self._place(run_id, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        return os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)

    def path(self, run_id: str, name: str, available: Iterable[str] = ()) -> Path:
        """Give where a file of a run lies.

        Raises
        ------
        NotFoundError
            If there is none; the message lists ``available``.
        """
        place = self._place(run_id, name)
        if not place.is_file():
            names = ",".join(available) or "none"
            raise NotFoundError(f"File with path {name} was not found,\navailable files include: {names}.")
        return place

    def claim(self, run_id: str, name: str) -> bool:
        """Take a name for a file that is about to be saved; tell whether it was free, for this caller alone."""
        try:
            place = self._place(run_id, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch(exist_ok=False)
        except OSError:
            return False
        return True
