"""The portal within a Jupyter server: its routes, and what its pages share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from jupyter_server.utils import url_path_join

from runwidgets.addressing import PREFIX
from runwidgets.portal.api import AboutHandler, TicketsHandler
from runwidgets.portal.assets import ModuleHandler, StaticHandler
from runwidgets.portal.pages import PageHandler
from runwidgets.portal.portal import KEY, Portal
from runwidgets.portal.sockets import SocketHandler

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

ROUTES: Final[tuple[tuple[str, Any], ...]] = (
    (r"/static/(portal\.(?:js|css))", StaticHandler),
    (r"/modules/(anywidget|bqplot|bqscales)/index\.js", ModuleHandler),
    (r"/socket(/.*)", SocketHandler),
    (r"/api/about", AboutHandler),
    (r"/api/tickets", TicketsHandler),
    (r"(/.*)?", PageHandler),
)
"""Below the portal's prefix; the first that fits."""


def add_portal(serverapp: ServerApp) -> None:
    """Serve the portal under ``/runwidgets`` of a Jupyter server."""
    settings = serverapp.web_app.settings
    settings[KEY] = Portal(time.monotonic)
    settings["extra_log_scrub_param_keys"] = [*(settings.get("extra_log_scrub_param_keys") or ()), "ticket"]
    base = url_path_join(settings["base_url"], PREFIX)
    routes: Any = [(base + path, handler) for path, handler in ROUTES]
    serverapp.web_app.add_handlers(".*$", routes)  # type: ignore[no-untyped-call]
    serverapp.log.info("runwidgets shows runs at %s", base)
