"""The portal within a Jupyter server: its routes, and what its pages share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from jupyter_server.utils import url_path_join

from runwidgets.addressing import PREFIX
from runwidgets.portal.api import (
    AboutHandler,
    ExperimentsHandler,
    MetricsHandler,
    NothingHandler,
    OpenApiHandler,
    RowsHandler,
    RunHandler,
    RunsHandler,
    TicketsHandler,
    WorkspacesHandler,
)
from runwidgets.portal.assets import ModuleHandler, StaticHandler
from runwidgets.portal.downloads import FolderHandler, MetricsFileHandler, RunFileHandler, SnapshotHandler
from runwidgets.portal.pages import PageHandler
from runwidgets.portal.portal import KEY, Portal
from runwidgets.portal.sockets import SocketHandler

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

ROUTES: Final[tuple[tuple[Any, ...], ...]] = (
    (r"/static/(portal\.(?:js|css))", StaticHandler),
    (r"/modules/(anywidget|bqplot|bqscales)/index\.js", ModuleHandler),
    (r"/socket(/.*)", SocketHandler),
    (r"/api/about", AboutHandler),
    (r"/api/tickets", TicketsHandler),
    (r"/api/openapi\.json", OpenApiHandler),
    (r"/api/workspaces", WorkspacesHandler),
    (r"/api/w/([^/]+)/experiments", ExperimentsHandler),
    (r"/api/w/([^/]+)/runs", RunsHandler),
    (r"/api/w/([^/]+)/runs/([^/]+)", RunHandler),
    (r"/api/w/([^/]+)/runs/([^/]+)/metrics", MetricsHandler),
    (r"/api/w/([^/]+)/runs/([^/]+)/rows", RowsHandler),
    (r"/api/.*", NothingHandler),
    (r"/w/([^/]+/runs/[^/]+/files/.+)", RunFileHandler, {"path": "/"}),
    (r"/w/([^/]+)/runs/([^/]+)/files\.zip", FolderHandler),
    (r"/w/([^/]+)/runs/([^/]+)/snapshot\.zip", SnapshotHandler),
    (r"/w/([^/]+)/runs/([^/]+)/metrics\.(csv|parquet)", MetricsFileHandler),
    (r"(/.*)?", PageHandler),
)
"""Below the portal's prefix; the first that fits."""


def add_portal(serverapp: ServerApp) -> None:
    """Serve the portal under ``/runwidgets`` of a Jupyter server."""
    settings = serverapp.web_app.settings
    settings[KEY] = Portal(time.monotonic)
    settings["extra_log_scrub_param_keys"] = [*(settings.get("extra_log_scrub_param_keys") or ()), "ticket"]
    base = url_path_join(settings["base_url"], PREFIX)
    routes: Any = [(base + path, *rest) for path, *rest in ROUTES]
    serverapp.web_app.add_handlers(".*$", routes)  # type: ignore[no-untyped-call]
    serverapp.log.info("runwidgets shows runs at %s", base)
