"""Watch a training run live, in the notebook that started it.

    from runwidgets import Workspace, Experiment, RunDetails

    run = Experiment(Workspace.from_config(), "diabetes").start_logging()
    RunDetails(run).show()
    run.log("mse", 0.31)
    run.complete()

Names are loaded when they are first used: logging loads no numpy, pandas or widget library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runwidgets.compute import ComputeTarget, LocalCompute
    from runwidgets.errors import (
        ComputeTargetError,
        NotFoundError,
        RunFailedError,
        RunwidgetsError,
        StoreError,
        UserError,
    )
    from runwidgets.experiment import Experiment, ViewType
    from runwidgets.records import RunStatus
    from runwidgets.run import Run
    from runwidgets.submit.script_run import ScriptRun
    from runwidgets.widgets.details import RunDetails
    from runwidgets.workspace import Workspace

__all__ = [
    "ComputeTarget",
    "ComputeTargetError",
    "Experiment",
    "LocalCompute",
    "NotFoundError",
    "Run",
    "RunDetails",
    "RunFailedError",
    "RunStatus",
    "RunwidgetsError",
    "ScriptRun",
    "StoreError",
    "UserError",
    "ViewType",
    "Workspace",
]

_HOMES = {
    "ComputeTarget": "compute",
    "ComputeTargetError": "errors",
    "Experiment": "experiment",
    "LocalCompute": "compute",
    "NotFoundError": "errors",
    "Run": "run",
    "RunDetails": "widgets.details",
    "RunFailedError": "errors",
    "RunStatus": "records",
    "RunwidgetsError": "errors",
    "ScriptRun": "submit.script_run",
    "StoreError": "errors",
    "UserError": "errors",
    "ViewType": "experiment",
    "Workspace": "workspace",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("runwidgets")
    if name not in _HOMES:
        raise AttributeError(f"module 'runwidgets' has no attribute {name!r}")
    value = getattr(import_module(f"runwidgets.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
