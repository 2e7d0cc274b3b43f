"""What each address of the portal shows, as widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from runwidgets.errors import NotFoundError
from runwidgets.run import Run
from runwidgets.workspace import Workspace

if TYPE_CHECKING:
    from ipywidgets import Widget


def view_of(path: str) -> tuple[Widget, str]:
    """Make what is shown at a path below the portal's own.

    Returns
    -------
    widget, title
        The title is the page's.

    Raises
    ------
    NotFoundError
        If nothing is there.
    """
    match [unquote(part) for part in path.strip("/").split("/")]:
        case ["w", workspace, "runs", run_id]:
            from runwidgets.widgets.details import RunDetails

            run = Run.get(Workspace.get(workspace), run_id)
            return RunDetails(run), run.display_name or run.id
        case _:
            raise NotFoundError(f"there is no page {path}")
