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
    from runwidgets.errors import (
        ModelNotFoundError,
        ModelPathNotFoundError,
        NotFoundError,
        RunwidgetsError,
        StoreError,
        UserError,
    )
    from runwidgets.experiment import Experiment, ViewType
    from runwidgets.model import Model
    from runwidgets.records import RunStatus
    from runwidgets.run import Run
    from runwidgets.widgets.details import RunDetails
    from runwidgets.workspace import Workspace

__all__ = [
    "Experiment",
    "Model",
    "ModelNotFoundError",
    "ModelPathNotFoundError",
    "NotFoundError",
    "Run",
    "RunDetails",
    "RunStatus",
    "RunwidgetsError",
    "StoreError",
    "UserError",
    "ViewType",
    "Workspace",
]

_HOMES = {
    "Experiment": "experiment",
    "Model": "model",
    "ModelNotFoundError": "errors",
    "ModelPathNotFoundError": "errors",
    "NotFoundError": "errors",
    "Run": "run",
    "RunDetails": "widgets.details",
    "RunStatus": "records",
    "RunwidgetsError": "errors",
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
