"""The portal as an extension of Jupyter Server: its routes."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from jupyter_server.utils import url_path_join

from runwidgets.portal.handlers import ModuleHandler, PageHandler, SocketHandler, StaticHandler

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

PREFIX: Final = "runwidgets"


def add_portal(serverapp: ServerApp) -> None:
    """Serve the portal under ``/runwidgets`` of a Jupyter server."""
    base = url_path_join(serverapp.web_app.settings["base_url"], PREFIX)
    routes = (
        (r"/static/(portal\.(?:js|css))", StaticHandler),
        (r"/modules/(anywidget|bqplot|bqscales)/index\.js", ModuleHandler),
        (r"/socket(/.*)", SocketHandler),
        (r"(/.*)?", PageHandler),
    )
    serverapp.web_app.add_handlers(".*$", [(base + path, handler) for path, handler in routes])
    serverapp.log.info("runwidgets %s is at %s", version("runwidgets"), base)
