"""What each address of the portal shows, as widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict
from urllib.parse import unquote

from runwidgets.addressing import page_path
from runwidgets.errors import NotFoundError
from runwidgets.run import Run
from runwidgets.workspace import Workspace

if TYPE_CHECKING:
    from ipywidgets import Widget


class Step(TypedDict):
    """One step of the way to a page: ``Step`` in ``js/src/portal/chrome.ts``."""

    title: str
    path: str | None


def view_of(path: str) -> tuple[Widget, list[Step]]:
    """Make what is shown at a path below the portal's own.

    Returns
    -------
    widget, steps
        The way to the page, itself last.

    Raises
    ------
    NotFoundError
        If nothing is there.
    """
    match [unquote(part) for part in path.strip("/").split("/")]:
        case ["w", workspace, "runs", run_id]:
            from runwidgets.widgets.details import RunDetails

            run = Run.get(Workspace.get(workspace), run_id)
            experiment = run.experiment.name
            return RunDetails(run), [
                {"title": "runwidgets", "path": page_path("")},
                {"title": workspace, "path": page_path("w", workspace)},
                {"title": experiment, "path": page_path("w", workspace, "experiments", experiment)},
                {"title": run.name or run.id, "path": page_path("w", workspace, "runs", run.id)},
            ]
        case _:
            raise NotFoundError(f"there is no page {path}")
