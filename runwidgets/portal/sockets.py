"""The socket of a page: its widgets are made when it opens, and closed when it does."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from runwidgets.errors import RunwidgetsError, UserError
from runwidgets.portal.frames import pack_frame, unpack_frame
from runwidgets.portal.handling import PortalHandler
from runwidgets.portal.mirror import Mirror, mirror_widgets
from runwidgets.watch.viewer import made_for

if TYPE_CHECKING:
    from ipywidgets import Widget

    from runwidgets.portal.frames import Frame

_log = logging.getLogger(__name__)
_WORKERS: Final = ThreadPoolExecutor(4, "runwidgets-portal")
_LARGEST_MESSAGE: Final = 2**20
_MOST_WAITING: Final = 1000
"""How many messages of a browser may wait to be worked on; one that sends more is not ours."""
_MOST_UNSENT: Final = 64 * 2**20
"""How many bytes may wait to be taken by a browser; one that is so slow is better off with a fresh page."""


class SocketHandler(WebSocketMixin, WebSocketHandler, PortalHandler):
    """One page."""

    @property
    def max_message_size(self) -> int:
        """The largest message that a browser may send, bytes."""
        return _LARGEST_MESSAGE

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open the socket to who has signed in."""
        await super().get(*args, **kwargs)

    def open(self, path: str) -> None:
        """Begin to make what the page shows."""
        super().open(path)
        mirror_widgets()
        self._loop = asyncio.get_running_loop()
        self._mirror = Mirror(self._post, self.base)
        self._widget: Widget | None = None
        self._unsent = 0
        self._waiting: asyncio.Queue[tuple[Frame, list[memoryview]] | None] = asyncio.Queue(_MOST_WAITING)
        self.portal.pages.add(self)
        self._task = self._loop.create_task(self._serve(path))

    def on_message(self, message: str | bytes) -> None:
        """Take what the browser sends."""
        try:
            if isinstance(message, str):
                raise UserError("the portal reads binary messages")  # noqa: TRY301
            self._waiting.put_nowait(unpack_frame(message))
        except (UserError, asyncio.QueueFull) as error:
            _log.warning("a page is closed: %s", error or "it sends more than can be worked on")
            self.close(1008)

    def on_close(self) -> None:
        """Free what the page held."""
        self.portal.pages.discard(self)
        self.portal.visit()
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    async def _serve(self, path: str) -> None:
        """Make the widgets, then work on the browser's messages, one after the other, on threads."""
        try:
            await self._loop.run_in_executor(_WORKERS, self._build, path)
            while (item := await self._waiting.get()) is not None:
                await self._loop.run_in_executor(_WORKERS, self._receive, *item)
        finally:
            await self._loop.run_in_executor(_WORKERS, self._tear_down)

    def _build(self, path: str) -> None:
        from runwidgets.portal.views import view_of

        try:
            with made_for(self._mirror):
                self._widget, steps = view_of(path)
            root = {"steps": steps}
            self._post(pack_frame({"kind": "root", "id": self._widget.model_id, "data": root, "metadata": {}}))
        except RunwidgetsError as error:
            self._tell(str(error))
        except Exception:  # noqa: BLE001 (whatever it is, who looks at the page is told)
            _log.exception("the page %s could not be made", path)
            self._tell("This page could not be made; the log of the portal says why.")

    def _tell(self, trouble: str) -> None:
        self._post(pack_frame({"kind": "error", "id": "", "data": {"message": trouble}, "metadata": {}}))

    def _receive(self, frame: Frame, buffers: list[memoryview]) -> None:
        try:
            self._mirror.receive(frame, buffers)
        except Exception:  # noqa: BLE001 (one message's mistake must not end the page)
            _log.exception("a message of a page could not be worked on")

    def _tear_down(self) -> None:
        self._mirror.end()
        with made_for(self._mirror):
            if self._widget is not None:
                self._widget.close()
            self._mirror.clear()
        self._widget = None

    def _post(self, data: bytes) -> None:
        """Send a frame, from any thread."""
        self._loop.call_soon_threadsafe(self._write, data)

    def _write(self, data: bytes) -> None:
        if self.ws_connection is None:
            return
        self._unsent += len(data)
        if self._unsent > _MOST_UNSENT:
            _log.warning("a page is closed: it does not take what it is sent")
            self.close(1013)
            return
        sending = asyncio.ensure_future(self._send(data))
        sending.add_done_callback(lambda _: None)

    async def _send(self, data: bytes) -> None:
        try:
            await self.write_message(data, binary=True)
        except WebSocketClosedError:
            pass
        finally:
            self._unsent -= len(data)
