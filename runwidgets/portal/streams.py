"""Answers that are made while they are sent, and files in parts: nothing is held whole in memory."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from tornado import web
from tornado.iostream import StreamClosedError

from runwidgets.portal.handling import PortalHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime

    Parts = Generator[bytes, None, None]

_CHUNK: Final = 2**18


def attachment(name: str) -> str:
    """Give the header that makes a browser keep what it gets under a name, and show none of it (RFC 6266)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name) or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


class FileHandler(PortalHandler, web.StaticFileHandler):
    """A file that lies on this disk, whole or a range of it."""

    def find(self, path: str) -> Path:
        """Give the file of an address; an error of ours says why there is none."""
        raise NotImplementedError

    async def get(self, path: str, include_body: bool = True) -> None:
        """Give the file, or the range of it that is asked for."""
        if self.current_user is None:
            raise web.HTTPError(403)
        self._file = await asyncio.get_running_loop().run_in_executor(None, self.find, path)
        self._size = self._file.stat().st_size
        self.set_header("Content-Disposition", attachment(self._file.name))
        await web.StaticFileHandler.get(self, path, include_body)

    async def head(self, path: str) -> None:
        """Give what `get` says of the file."""
        await self.get(path, include_body=False)

    # What tornado asks of a file, answered for this one.

    def parse_url_path(self, url_path: str) -> str:
        """Give the path as it is: it has been found already."""
        return url_path

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:  # noqa: ARG003 (tornado's signature)
        """Give no path yet: the class does not know the file."""
        return path

    def validate_absolute_path(self, root: str, absolute_path: str) -> str:  # noqa: ARG002 (tornado's signature)
        """Give the file that was found."""
        return str(self._file)

    def get_content_size(self) -> int:
        """Give the size as it was when the answer began: a log may grow meanwhile."""
        return self._size

    def get_content_type(self) -> str:
        """Say that it is bytes: no browser is to take a run's file for a page."""
        return "application/octet-stream"

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        """Tell versions apart by size and time, without reading the file."""
        found = Path(abspath).stat()
        return f"{found.st_size:x}-{found.st_mtime_ns:x}"

    @classmethod
    def get_content(
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> Generator[bytes, None, None]:
        """Read the file in parts, not past the size that was told."""
        with Path(abspath).open("rb") as file:
            file.seek(start or 0)
            left = (file.seek(0, io.SEEK_END) if end is None else end) - (start or 0)
            file.seek(start or 0)
            while left > 0 and (chunk := file.read(min(_CHUNK, left))):
                left -= len(chunk)
                yield chunk

    def should_return_304(self) -> bool:
        """Tell whether the browser has it already."""
        return bool(self.check_etag_header())

    def get_modified_time(self) -> datetime | None:
        """Give none: the version tells more."""
        return None


class Outlet(io.RawIOBase):
    """A file for a writer on another thread, whose content goes to a browser as it comes; it waits where that is slow.

    Parameters
    ----------
    handler
        The answer.
    loop
        The handler's.
    """

    def __init__(self, handler: web.RequestHandler, loop: asyncio.AbstractEventLoop) -> None:
        self._handler = handler
        self._loop = loop

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def write(self, data: Any) -> int:
        """Send a part, and wait until it is on its way."""
        part = bytes(data)

        async def send() -> None:
            self._handler.write(part)
            await self._handler.flush()

        asyncio.run_coroutine_threadsafe(send(), self._loop).result()
        return len(part)


async def stream(handler: web.RequestHandler, write: Callable[[io.BufferedWriter], None]) -> None:
    """Answer with what a function writes, on a thread of its own, in parts as they come."""
    loop = asyncio.get_running_loop()

    def work() -> None:
        with io.BufferedWriter(Outlet(handler, loop), _CHUNK) as out:
            write(out)  # type: ignore[arg-type]  # of what it writes to, nobody knows more

    try:
        await loop.run_in_executor(None, work)
    except StreamClosedError:  # the browser has enough
        return
    await handler.finish()
