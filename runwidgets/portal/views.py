"""What each address of the portal shows, as widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict
from urllib.parse import unquote

from runwidgets.addressing import page_path
from runwidgets.compute import ComputeTarget
from runwidgets.errors import NotFoundError
from runwidgets.experiment import Experiment
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
    names = [unquote(part) for part in path.strip("/").split("/")]
    if names == [""]:
        from runwidgets.widgets.home import HomeView

        return HomeView(), _way()
    if len(names) > 1 and names[0] == "w":
        workspace = Workspace.get(names[1])
        match names[2:]:
            case []:
                from runwidgets.widgets.home import HomeView

                return HomeView([workspace]), _way(workspace)
            case ["runs", run_id]:
                from runwidgets.widgets.details import RunDetails

                run = Run.get(workspace, run_id)
                experiment: Step = _step(run.experiment.name, "w", names[1], "experiments", run.experiment.name)
                return RunDetails(run), [*_way(workspace), experiment, _step(run.name or run.id, *names)]
            case ["experiments", name]:
                from runwidgets.widgets.runlist import RunList

                return RunList(Experiment(workspace, name)), [*_way(workspace), _step(name, *names)]
            case ["compute", *which] if len(which) <= 1:
                from runwidgets.widgets.compute import ComputeView

                targets = workspace.compute_targets
                shown = [ComputeTarget(workspace, which[0])] if which else list(targets.values())
                steps = [*_way(workspace), _step("compute", "w", names[1], "compute")]
                return ComputeView(shown), [*steps, *(_step(name, *names) for name in which)]
    raise NotFoundError(f"there is no page {path}")


def _step(title: str, *names: str) -> Step:
    return {"title": title, "path": page_path(*names)}


def _way(workspace: Workspace | None = None) -> list[Step]:
    home = _step("runwidgets", "")
    return [home] if workspace is None else [home, _step(workspace.name, "w", workspace.name)]
