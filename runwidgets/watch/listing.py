"""The files of a run, for the panel ``js/src/files.ts``: a list that grows, of which only what is new is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runwidgets.records import FileRecord
    from runwidgets.watch.view import RunView

MAX_LISTED: Final = 20_000
"""How many files are listed."""
FEW: Final = 200
"""So many files are sent before anybody opens their tab."""


class FilesState(TypedDict):
    """``FilesState``."""

    total: int
    seq: int
    is_open: bool


class FileList(TypedDict):
    """``FileList``."""

    seq: int
    files: list[tuple[str, int]]


class FilesMessage(FileList):
    """``FilesMessage``."""

    kind: str


class Listing:
    """Which files of a run a browser has been told of.

    Attributes
    ----------
    seq
        How many times it was told of some.
    """

    def __init__(self) -> None:
        self.seq = 0
        self._listed: dict[str, FileRecord] = {}
        self._seen: Mapping[str, FileRecord] | None = None

    def state(self, view: RunView, *, is_open: bool) -> FilesState:
        """Give how many files there are, and how far the list goes."""
        return {"total": len(view.files), "seq": self.seq, "is_open": is_open}

    def news(self, view: RunView) -> list[tuple[str, int]]:
        """Give the files that are new, or of another size, since the last call; the browser is told of them."""
        if view.files is self._seen:
            return []
        self._seen = view.files
        changed = [file for file in view.files.values() if self._listed.get(file.path) is not file]
        new = []
        for file in changed:
            before = self._listed.get(file.path)
            if before is None and len(self._listed) >= MAX_LISTED:
                continue
            self._listed[file.path] = file
            if before is None or before.size != file.size:
                new.append((file.path, file.size))
        if new:
            self.seq += 1
        return new

    def all(self) -> FileList:
        """Give the whole list."""
        return {"seq": self.seq, "files": [(file.path, file.size) for file in self._listed.values()]}
