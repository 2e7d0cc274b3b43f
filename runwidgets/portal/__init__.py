"""The portal: the displays of the notebook in a browser tab, served by an extension of Jupyter Server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "runwidgets.portal"}]


def _load_jupyter_server_extension(serverapp: ServerApp) -> None:
    from runwidgets.portal.extension import add_portal

    add_portal(serverapp)
