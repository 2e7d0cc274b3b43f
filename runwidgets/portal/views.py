"""What each address of the portal shows, as widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from runwidgets.errors import NotFoundError
from runwidgets.run import Run
from runwidgets.workspace import Workspace

if TYPE_CHECKING:
    from ipywidgets import Widget


def view_of(path: str) -> Widget:
    """Make what is shown at a path below the portal's own.

    Raises
    ------
    NotFoundError
        If nothing is.
    """
    match [unquote(part) for part in path.strip("/").split("/")]:
        case [workspace, "runs", run_id]:
            from runwidgets.widgets.details import RunDetails

            return RunDetails(Run.get(Workspace.get(workspace), run_id))
        case _:
            raise NotFoundError(f"nothing is at {path}")
