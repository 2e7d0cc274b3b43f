"""Which files of a folder belong to a snapshot of it, and when they are too many."""

from __future__ import annotations

import math
import os
import stat
import time
from collections import deque
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from runwidgets.errors import NotFoundError, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

NEVER: Final = frozenset({".git", "__pycache__", ".ipynb_checkpoints", ".venv"})
"""Names of folders and files that no snapshot has."""
_ENVIRONMENTS: Final = frozenset({"pyvenv.cfg", "conda-meta"})
"""What lies in a folder that is a virtual environment."""
_LOOK_SECONDS: Final = 0.8
_LOOK_ENTRIES: Final = 20_000
"""A look ends when it has taken that long and seen that much: a slow disk alone does not end it."""
_FOLDER_ENTRIES: Final = 200_000
"""How much of one folder is looked at, where there are limits: they are lower than that by far."""
_REST_SECONDS: Final = 0.2
"""How long the look for what is biggest may take."""
_BIGGEST: Final = 3
_KNOWN_RULES: Final = 1000
_UNIT: Final = 1024


class Limits(NamedTuple):
    """How much a snapshot may hold; those of the old service."""

    files: int = 2000
    bytes: int = 300 * 2**20


class Stamp(NamedTuple):
    """What changes when a file's content does, without a look into it."""

    size: int
    mtime_ns: int
    inode: int


class SourceFile(NamedTuple):
    """A file that belongs to a snapshot.

    Attributes
    ----------
    name
        Relative to the folder, with forward slashes.
    path
        Where its content lies.
    """

    name: str
    path: str
    stamp: Stamp
    is_executable: bool


class Source(NamedTuple):
    """What a look at a folder found: the files by name, and the folders that could not be read."""

    files: list[SourceFile]
    unreadable: list[str]


def stamp_of(found: os.stat_result) -> Stamp:
    """Give the stamp of a file."""
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


def source_of(place: Path, *, without: Iterable[Path] = (), limits: Limits | None = None) -> Source:
    """Look which files a snapshot of a folder (or of one file) takes.

    In each folder its ``.amlignore`` counts, else its ``.gitignore``; below an ``.amlignore`` no ``.gitignore`` does.
    Links that lead out of the folder, and links to folders, are left out; so are virtual environments.

    Parameters
    ----------
    place
        The folder, or the file.
    without
        Folders that are left out too.
    limits
        How much is taken at most; by default all.

    Raises
    ------
    NotFoundError
        If there is no folder or file.
    SnapshotError
        If it is more than the limits; the message names what is biggest. Then the look was short: it ends soon after
        the limit, however much the folder holds.
    """
    if place.is_file():
        found = place.stat()
        if limits is not None and found.st_size > limits.bytes:
            raise SnapshotError(
                f"no snapshot of {place.absolute()} is kept: it has {_words(found.st_size)}, more than the "
                f"{_words(limits.bytes)} that a snapshot may have"
            )
        return Source([_source_file(place.name, str(place.resolve()), found)], [])
    if not place.is_dir():
        raise NotFoundError(f"there is no file or folder {place} to take a snapshot of")
    return _Look(place, without, limits).source()


def _source_file(name: str, path: str, found: os.stat_result) -> SourceFile:
    return SourceFile(name, path, stamp_of(found), bool(found.st_mode & stat.S_IXUSR))


class _Look:
    """One look at a folder, breadth first: what is big shows early, wherever it lies."""

    def __init__(self, folder: Path, without: Iterable[Path], limits: Limits | None) -> None:
        self._folder = folder
        self._root = os.path.realpath(folder)
        self._without = {os.path.realpath(path) for path in without}
        self._limits = limits
        self._files: list[SourceFile] = []
        self._unreadable: list[str] = []
        self._size = 0
        self._entries = 0
        self._until = time.monotonic() + _LOOK_SECONDS if limits is not None else math.inf
        self._is_cut = False
        self._waiting: deque[tuple[str, _Rules | None]] = deque([("", None)])

    def source(self) -> Source:
        while self._waiting and not self._is_without(self._root):
            self._read_folder(*self._waiting.popleft())
            if self._limits is not None and (self._is_cut or self._is_too_much(self._limits)):
                raise self._excess(self._limits)
        self._files.sort()
        return Source(self._files, sorted(self._unreadable))

    def _is_too_much(self, limits: Limits) -> bool:
        return len(self._files) > limits.files or self._size > limits.bytes

    def _read_folder(self, prefix: str, above: _Rules | None) -> None:
        folder = f"{self._root}/{prefix}"
        try:
            with os.scandir(folder) as found:
                entries = list(islice(found, _FOLDER_ENTRIES if self._limits is not None else None))
        except OSError:
            self._unreadable.append(prefix or ".")
            return
        names = {entry.name for entry in entries}
        if prefix and not _ENVIRONMENTS.isdisjoint(names):
            return
        rules = _rules_in(folder, names, prefix, above)
        for entry in entries:
            self._take(entry, prefix, rules)
            self._entries += 1
            if self._entries > _LOOK_ENTRIES and time.monotonic() > self._until:
                self._is_cut = True
                return

    def _take(self, entry: os.DirEntry[str], prefix: str, rules: _Rules | None) -> None:
        name = prefix + entry.name
        if entry.name in NEVER:
            return
        if entry.is_dir(follow_symlinks=False):
            if not (rules and rules.ignore(name + "/")) and f"{self._root}/{name}" not in self._without:
                self._waiting.append((name + "/", rules))
        elif not (rules and rules.ignore(name)):
            try:
                path: str | None = entry.path
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISLNK(found.st_mode):
                    path = self._target(entry.path)
                    found = Path(path or entry.path).stat(follow_symlinks=False)
            except OSError:
                return  # gone meanwhile
            if path is not None and stat.S_ISREG(found.st_mode):
                self._files.append(_source_file(name, path, found))
                self._size += found.st_size

    def _target(self, link: str) -> str | None:
        """Give the file that a link leads to, if it lies in the folder and may be taken."""
        target = os.path.realpath(link)
        if not target.startswith(self._root + os.sep):
            return None
        parts = Path(target).relative_to(self._root).parts
        return None if NEVER.intersection(parts) or self._is_without(target) else target

    def _is_without(self, path: str) -> bool:
        return any(path == folder or path.startswith(folder + os.sep) for folder in self._without)

    def _excess(self, limits: Limits) -> SnapshotError:
        """Say what is too much, after a short look at the rest, and what is biggest."""
        is_too_much = self._is_too_much(limits)
        self._until = time.monotonic() + _REST_SECONDS
        while self._waiting and time.monotonic() < self._until:
            self._read_folder(*self._waiting.popleft())
        shares: dict[str, tuple[int, int]] = {}
        for file in self._files:
            top, slash, _ = file.name.partition("/")
            count, size = shares.get(top + slash, (0, 0))
            shares[top + slash] = (count + 1, size + file.stamp.size)
        biggest = sorted(shares, key=lambda name: _share(*shares[name], limits), reverse=True)[:_BIGGEST]
        named = ", ".join(f"{name} ({_amount(*shares[name])})" for name in biggest)
        at_least = "at least " if self._waiting or self._is_cut else ""
        what = (
            f"it has {at_least}{_amount(len(self._files), self._size)}, more than the {limits.files:,} files or "
            f"{_words(limits.bytes)} that a snapshot may have"
            if is_too_much
            else f"it cannot be looked through within a second, for it has more than {self._entries:,} entries"
        )
        return SnapshotError(
            f"no snapshot of {self._folder.absolute()} is kept: {what}. "
            + (f"Biggest: {named}. " if named else "")
            + "List what is no code in a file .amlignore there, with patterns as in .gitignore"
        )


def _share(files: int, size: int, limits: Limits) -> float:
    return max(files / limits.files, size / limits.bytes)


def _amount(files: int, size: int) -> str:
    return f"{files:,} file{'s' * (files != 1)}, {_words(size)}"


def _words(size: float) -> str:
    units = ["TB", "GB", "MB", "KB", "bytes"]
    while size >= _UNIT and len(units) > 1:
        size /= _UNIT
        units.pop()
    return f"{size:.0f} {units[-1]}" if size == int(size) else f"{size:.1f} {units[-1]}"


# ---- ignore files


class _Rules:
    """The patterns of one ignore file, before those of the folders above; the last that matches decides."""

    def __init__(self, spec: GitIgnoreSpec, prefix: str, above: _Rules | None, *, is_amlignore: bool) -> None:
        self._spec = spec
        self._cut = len(prefix)
        self._above = above
        self._decided: dict[str, bool] = {}
        self.is_amlignore = is_amlignore

    def ignore(self, name: str) -> bool:
        """Tell whether a file, or a folder (then its name ends with a slash), is left out."""
        decided = self._decided.get(name)
        if decided is None:
            include = self._spec.check_file(name[self._cut :]).include
            decided = include if include is not None else self._above is not None and self._above.ignore(name)
            self._decided[name] = decided
        return decided


_known_rules: dict[str, tuple[Stamp, _Rules | None, _Rules]] = {}
"""Rules by ignore file, with what they were made of: reading and matching patterns costs more than the look itself."""


def _rules_in(folder: str, names: set[str], prefix: str, above: _Rules | None) -> _Rules | None:
    below_amlignore = above is not None and above.is_amlignore
    for name in (".amlignore",) if below_amlignore else (".amlignore", ".gitignore"):
        if name not in names:
            continue
        path = folder + name
        try:
            found = os.stat(path)  # noqa: PTH116 (once for each folder at each start)
            if not stat.S_ISREG(found.st_mode):
                continue
            stamp = stamp_of(found)
            known = _known_rules.get(path)
            if known and known[0] == stamp and known[1] is above:
                return known[2]
            spec = _spec(Path(path).read_text(encoding="utf-8-sig", errors="replace"))
        except OSError:
            continue
        is_amlignore = name == ".amlignore"
        rules = _Rules(spec, prefix, above if below_amlignore or not is_amlignore else None, is_amlignore=is_amlignore)
        if len(_known_rules) >= _KNOWN_RULES:
            _known_rules.clear()
        _known_rules[path] = (stamp, above, rules)
        return rules
    return above


def _spec(text: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec(pattern for line in text.splitlines() for pattern in _patterns(line))


def _patterns(line: str) -> Iterator[GitIgnoreSpecPattern]:
    from pathspec import GitIgnoreSpec

    try:
        yield from GitIgnoreSpec.from_lines([line]).patterns
    except ValueError:
        return  # no pattern: git passes over such a line too
