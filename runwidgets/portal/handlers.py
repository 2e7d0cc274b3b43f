"""The portal's routes."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_core.paths import jupyter_path
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.websocket import WebSocketHandler

from runwidgets.portal.frames import pack_frame, unpack_frame
from runwidgets.portal.mirror import Mirror, mirror_widgets
from runwidgets.watch.viewer import made_for

if TYPE_CHECKING:
    from ipywidgets import Widget

_STATIC: Final = Path(__file__).parent.parent / "static" / "portal"
_WORKERS: Final = ThreadPoolExecutor(4, "runwidgets-portal")
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


class PageHandler(JupyterHandler):
    """A page, empty but for the script that fills it."""

    @web.authenticated
    def get(self, path: str | None) -> None:
        """Give the page of a path."""
        base = url_path_join(self.base_url, "runwidgets")
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
            "connect-src 'self'; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        )
        self.finish(
            "<!doctype html><html lang=en><meta charset=utf-8><title>runwidgets</title>"
            "<meta name=viewport content='width=device-width'>"
            f"<link rel=stylesheet href='{base}/static/portal.css'>"
            f"<main id=rw-portal data-socket='{escape(url_path_join(base, 'socket', path or '/'))}' data-modules='{base}/modules'></main>"
            f"<script src='{base}/static/portal.js'></script></html>"
        )


class StaticHandler(JupyterHandler):
    @web.authenticated
    def get(self, name: str) -> None:
        file = _STATIC / name
        self.set_header("Content-Type", _TYPES[file.suffix])
        self.finish(file.read_bytes())


class ModuleHandler(JupyterHandler):
    @web.authenticated
    def get(self, name: str) -> None:
        for folder in jupyter_path("nbextensions"):
            file = Path(folder) / name / "index.js"
            if file.is_file():
                self.set_header("Content-Type", _TYPES[".js"])
                self.finish(file.read_bytes())
                return
        raise web.HTTPError(404)


class SocketHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        await super().get(*args, **kwargs)

    def open(self, path: str) -> None:
        super().open(path)
        mirror_widgets()
        self._loop = asyncio.get_running_loop()
        self._mirror = Mirror(self._post)
        self._widget: Widget | None = None
        self._waiting: asyncio.Queue[Any] = asyncio.Queue()
        self._task = self._loop.create_task(self._serve(path))

    def _post(self, data: bytes) -> None:
        self._loop.call_soon_threadsafe(self._write, data)

    def _write(self, data: bytes) -> None:
        if self.ws_connection is not None:
            self.write_message(data, binary=True)

    async def _serve(self, path: str) -> None:
        await self._loop.run_in_executor(_WORKERS, self._build, path)
        while (item := await self._waiting.get()) is not None:
            await self._loop.run_in_executor(_WORKERS, self._mirror.receive, *item)
        await self._loop.run_in_executor(_WORKERS, self._tear_down)

    def _build(self, path: str) -> None:
        from runwidgets.portal.views import view_of

        with made_for(self._mirror):
            self._widget = view_of(path)
        self._post(pack_frame({"kind": "root", "id": self._widget.model_id, "data": None, "metadata": {}}))

    def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._waiting.put_nowait(unpack_frame(message))

    def on_close(self) -> None:
        self._waiting.put_nowait(None)

    def _tear_down(self) -> None:
        if self._widget is not None:
            with made_for(self._mirror):
                self._widget.close()
