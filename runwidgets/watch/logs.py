"""The logs of a run as they grow: the end at first, then what is new, and earlier parts where somebody asks for them.

What is read here stays bytes: the browser makes text of it (``js/src/screen.ts``). So the wire carries what was
written, once and as it was written, each part has its place in the file, and whoever shows a part knows of the next
whether it follows on, overlaps, or leaves a gap. Nothing is kept here but how far each log has been sent.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from runwidgets.context import FAILED_LOG
from runwidgets.errors import NotFoundError, UserError
from runwidgets.reading import LOG_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from runwidgets.store.files import FileRoot
    from runwidgets.watch.wire import LogMessage

PART_BYTES: Final = 2**18
"""How much of a log is read at once, and so the most that one message carries."""
DOWNLOAD_BYTES: Final = 2**25
"""The most of a log that a browser is given as a file."""
_CHECKED_BYTES: Final = 64
_SCRIPT_LOG: Final = re.compile(r"std_log(_process_\d+)?\.txt")
_NOTHING: Final[Mapping[str, str]] = {}
_GONE: Final = "the file is not there any more"


@dataclass(frozen=True)
class Part:
    """A part of a log.

    Attributes
    ----------
    content
        Which content it is of: the number changes when the log begins anew.
    start, end
        Where it lies, in bytes.
    size
        How large the log is.
    trouble
        Why it could not be read; None if it could.
    """

    content: int
    start: int
    end: int
    size: int
    data: bytes = b""
    trouble: str | None = None


class GrowingFile:
    """Reads a file that somebody appends to; one that was cut or replaced is a new one.

    Parameters
    ----------
    find
        Gives where it lies; raises `NotFoundError`, `UserError` or `OSError` where there is none.
    """

    def __init__(self, find: Callable[[], Path]) -> None:
        self._find = find
        self._path: Path | None = None
        self._seen: tuple[int, int, int] | None = None
        self._is_gone = False
        self._content = 0
        self._end = 0
        self._before_end = b""

    def tail(self) -> Part:
        """Read the end of it, at most `PART_BYTES`; `more` goes on from there."""
        return self._read(anew=True)

    def more(self) -> Part | None:
        """Read what is new since the last `tail` or `more`; None where nothing is.

        Where more is new than `PART_BYTES`, or the file is another now, it is the end of the file. A look that finds
        nothing asks the system for the file's size and time, and no more.
        """
        try:
            if self._path is not None and _identity(self._path.stat()) == self._seen:
                return None
        except OSError:
            if self._is_gone:
                return None
        was_gone, content = self._is_gone, self._content
        part = self._read(anew=False)
        if part.trouble is not None:
            return None if was_gone else part
        return part if part.data or part.content != content else None

    def before(self, end: int) -> Part:
        """Read what lies before a place, at most `PART_BYTES`."""
        try:
            with self._open() as file:
                size = os.fstat(file.fileno()).st_size
                end = min(end, size)
                start = max(0, end - PART_BYTES)
                file.seek(start)
                data = file.read(end - start)
        except (NotFoundError, UserError, OSError) as error:
            return Part(self._content, 0, 0, 0, trouble=_words(error))
        return Part(self._content, start, start + len(data), size, data)

    def last(self, count: int) -> Part:
        """Read so many bytes from the end; where `more` goes on stays as it is."""
        try:
            with self._open() as file:
                size = os.fstat(file.fileno()).st_size
                start = file.seek(max(0, size - count))
                data = file.read(count)
        except (NotFoundError, UserError, OSError) as error:
            return Part(self._content, 0, 0, 0, trouble=_words(error))
        return Part(self._content, start, start + len(data), size, data)

    def _open(self) -> Any:
        self._path = self._find()
        return self._path.open("rb")

    def _read(self, *, anew: bool) -> Part:
        try:
            with self._open() as file:
                seen = _identity(os.fstat(file.fileno()))
                size = seen[1]
                if self._is_another(file, seen):
                    self._content += 1
                    anew = True
                start = max(0, size - PART_BYTES) if anew or size - self._end > PART_BYTES else self._end
                file.seek(start)
                data = file.read(size - start)
        except (NotFoundError, UserError, OSError) as error:
            self._is_gone, self._path = True, None
            return Part(self._content, 0, 0, 0, trouble=_words(error))
        self._is_gone = False
        self._seen = seen
        self._end = start + len(data)
        self._before_end = ((self._before_end if start else b"") + data)[-_CHECKED_BYTES:]
        return Part(self._content, start, self._end, size, data)

    def _is_another(self, file: Any, seen: tuple[int, int, int]) -> bool:
        """Tell whether what was read is no longer what stands there; few bytes before the end of it tell."""
        if self._seen is None:
            return False
        if self._is_gone or seen[0] != self._seen[0] or seen[1] < self._end:
            return True
        file.seek(self._end - len(self._before_end))
        return bool(file.read(len(self._before_end)) != self._before_end)


def _identity(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _words(error: Exception) -> str:
    if isinstance(error, (NotFoundError, FileNotFoundError)):
        return _GONE
    return str(error) or type(error).__name__


def log_names(files: Iterable[str]) -> list[str]:
    """Pick the logs among a run's files: what its script printed first, then by name, with numbers in their order."""
    return sorted({name for name in files if name.startswith(LOG_FOLDERS)}, key=_place)


def _place(name: str) -> tuple[bool, list[tuple[int, str]]]:
    pieces = re.findall(r"\d+|\D+", name)
    is_script_log = _SCRIPT_LOG.fullmatch(name.rpartition("/")[2]) is not None
    return not is_script_log, [(int(piece), piece) if piece.isdecimal() else (-1, piece) for piece in pieces]


class Logs:
    """The logs of one run, for one display. Any thread may call.

    Parameters
    ----------
    files
        The workspace's files.
    run_id
        The run.
    """

    def __init__(self, files: FileRoot, run_id: str) -> None:
        self._files = files
        self._run_id = run_id
        self._mutex = threading.Lock()
        self._open: dict[str, GrowingFile] = {}
        self._names: list[str] = []
        self._last_seen: tuple[str, int, int, int, int] | None = None
        self._last = b""

    @property
    def names(self) -> list[str]:
        """The names as of the last `find`."""
        return self._names

    def find(self, files: Iterable[str], properties: Mapping[str, str] = _NOTHING) -> list[str]:
        """List the logs: those among the files that the store knows of, and those that lie in the run's folder.

        The first is that of the process which has failed, where one of several has: it is the one to see.

        A log is there before anybody has told the store of it. One that was there stays in the list when its file goes:
        whoever reads it is told.
        """
        names = log_names([*self._names, *files, *self._lying()])
        failed = properties.get(FAILED_LOG)
        self._names = sorted(names, key=lambda name: name != failed)
        return self._names

    def _lying(self) -> list[str]:
        root = self._files.root / self._run_id
        found = []
        for folder in LOG_FOLDERS:
            try:
                with os.scandir(root / folder) as entries:
                    found += [folder + e.name for e in entries if e.is_file(follow_symlinks=False)]
            except OSError:  # no such folder
                continue
        return found

    def answer(self, request: Any) -> tuple[LogMessage, bytes] | None:
        """Give the part of a log that a browser asks for by a ``LogRequest``; None to what is no such request."""
        if not isinstance(request, dict) or request.get("kind") not in ("log", "download"):
            return None
        name, before = request.get("name"), request.get("before")
        if name not in self._names or not (before is None or (type(before) is int and 0 <= before < 2**53)):
            return None
        with self._mutex:
            file = self._file(name)
            if request["kind"] == "download":
                return log_message(name, file.last(DOWNLOAD_BYTES), is_download=True)
            return log_message(name, file.tail() if before is None else file.before(before))

    def more(self, name: str) -> tuple[LogMessage, bytes] | None:
        """Give what is new in a log since it was sent last; None where nothing is, or nobody has asked for it."""
        with self._mutex:
            file = self._open.get(name)
            part = file.more() if file is not None else None
        return log_message(name, part) if part is not None else None

    def last(self, count: int) -> tuple[bytes, float] | None:
        """Read the end of the first log, and when it was written to; None where there is no log that can be read.

        One that has not changed since is not read again.
        """
        if not self._names:
            return None
        name = self._names[0]
        with self._mutex:
            try:
                path = self._finder(name)()
                seen = (name, count, *_identity(path.stat()))
                if seen != self._last_seen:
                    self._last = GrowingFile(lambda: path).last(count).data
                    self._last_seen = seen
            except (NotFoundError, UserError, OSError):
                return None
            return self._last, seen[-1] / 1e9

    def _file(self, name: str) -> GrowingFile:
        if name not in self._open:
            self._open[name] = GrowingFile(self._finder(name))
        return self._open[name]

    def _finder(self, name: str) -> Callable[[], Path]:
        return lambda: self._files.path(self._run_id, name)


def log_message(name: str, part: Part, *, is_download: bool = False) -> tuple[LogMessage, bytes]:
    """Give a part of a log as the message to the browser, and the bytes that go with it."""
    return {
        "kind": "download" if is_download else "log",
        "name": name,
        "content": part.content,
        "start": part.start,
        "end": part.end,
        "size": part.size,
        "trouble": part.trouble,
    }, part.data
