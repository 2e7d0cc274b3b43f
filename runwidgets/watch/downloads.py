"""Files on their way to a browser, part by part: one that waits for a part has room for what else there is to say.

What is not a file yet (a snapshot, the values of a metric) becomes one in the temporary folder, until it has been sent.
"""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict

from runwidgets.errors import UserError
from runwidgets.watch.requests import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runwidgets.watch.requests import Request

PART_BYTES: Final = 2**21
"""How much of a file goes into one message."""
MAX_BYTES: Final = 200 * 10**6
"""The most that a browser is given: it holds all of a file in memory before it is saved."""
_MAX_OPEN: Final = 8
_MAX_ID: Final = 64


class DownloadReply(TypedDict):
    """``DownloadReply``, without what all replies have."""

    start: int
    end: int
    size: int


class Offer(NamedTuple):
    """A file that can be downloaded.

    Attributes
    ----------
    path
        Where it lies.
    instead
        What to do where it is too large, as ``run.download_file(…)``.
    """

    path: Path
    instead: str


class _Download(NamedTuple):
    path: Path
    inode: int
    size: int
    scratch: tempfile.TemporaryDirectory[str] | None


class Downloads:
    """Gives files of one run to a browser.

    Parameters
    ----------
    offers
        By kind, what finds the file of a name; or makes it, in the folder that it is given.
    """

    def __init__(self, offers: Mapping[str, Callable[[str, Path], Offer]]) -> None:
        self._offers = offers
        self._mutex = threading.Lock()
        self._open: dict[str, _Download] = {}

    def answer(self, request: Request) -> Answer:
        """Give the part of a file that a ``DownloadRequest`` asks for; its first part, and the file, with ``start`` 0.

        Raises
        ------
        UserError
            If the file is too large, or has changed meanwhile.
        RunwidgetsError
            If there is no such file.
        OSError
            If it cannot be read.
        """
        number, start = request.text("download", _MAX_ID), request.number("start")
        what, name = request.text("what"), request.text("name")
        if start == 0:
            self._begin(number, what, name)
        download = self._open.get(number)
        if download is None:
            raise UserError("the download was given up: try again")
        with download.path.open("rb") as file:
            stat = os.fstat(file.fileno())
            if stat.st_ino != download.inode or stat.st_size < download.size:
                self._end(number)
                raise UserError("the file has changed while it was downloaded: try again")
            file.seek(start)
            data = file.read(min(PART_BYTES, max(0, download.size - start)))  # what was appended since stays away
        end = start + len(data)
        if end >= download.size:
            self._end(number)
        reply: DownloadReply = {"start": start, "end": end, "size": download.size}
        return Answer(reply, data)

    def _begin(self, number: str, what: str, name: str) -> None:
        if what not in self._offers:
            raise UserError("there is no such thing to download")
        scratch = tempfile.TemporaryDirectory(prefix="runwidgets-", ignore_cleanup_errors=True)
        kept = None
        try:
            offer = self._offers[what](name, Path(scratch.name))
            stat = offer.path.stat()
            if stat.st_size > MAX_BYTES:
                most = f"{MAX_BYTES // 10**6} MB, the most that goes through a notebook"
                raise UserError(f"larger than {most}: {offer.instead}")
            if offer.path.is_relative_to(scratch.name):
                kept = scratch
        finally:
            if kept is None:
                scratch.cleanup()
        with self._mutex:
            while len(self._open) >= _MAX_OPEN:  # those that their browsers have forgotten
                self._close(next(iter(self._open)))
            self._close(number)
            self._open[number] = _Download(offer.path, stat.st_ino, stat.st_size, kept)

    def _end(self, number: str) -> None:
        with self._mutex:
            self._close(number)

    def _close(self, number: str) -> None:
        download = self._open.pop(number, None)
        if download is not None and download.scratch is not None:
            with suppress(OSError):
                download.scratch.cleanup()

    def close(self) -> None:
        """Give up what is under way, and delete what was made for it."""
        with self._mutex:
            for number in list(self._open):
                self._close(number)
