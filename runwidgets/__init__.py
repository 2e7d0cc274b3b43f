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
        EnvironmentBuildError,
        ModelNotFoundError,
        ModelPathNotFoundError,
        NotFoundError,
        RunConfigurationError,
        RunFailedError,
        RunwidgetsError,
        StoreError,
        UserError,
    )
    from runwidgets.experiment import Experiment, ViewType
    from runwidgets.model import Model
    from runwidgets.records import RunStatus
    from runwidgets.run import Run
    from runwidgets.submit.conda import CondaDependencies
    from runwidgets.submit.distributed import MpiConfiguration, PyTorchConfiguration
    from runwidgets.submit.environment import Environment
    from runwidgets.submit.run_configuration import RunConfiguration
    from runwidgets.submit.script_run import ScriptRun
    from runwidgets.submit.script_run_config import ScriptRunConfig
    from runwidgets.widgets.compute import ComputeView
    from runwidgets.widgets.details import RunDetails
    from runwidgets.widgets.runlist import CompareRuns, RunList
    from runwidgets.workspace import Workspace

__all__ = [
    "CompareRuns",
    "ComputeTarget",
    "ComputeTargetError",
    "ComputeView",
    "CondaDependencies",
    "Environment",
    "EnvironmentBuildError",
    "Experiment",
    "LocalCompute",
    "Model",
    "ModelNotFoundError",
    "ModelPathNotFoundError",
    "MpiConfiguration",
    "NotFoundError",
    "PyTorchConfiguration",
    "Run",
    "RunConfiguration",
    "RunConfigurationError",
    "RunDetails",
    "RunFailedError",
    "RunList",
    "RunStatus",
    "RunwidgetsError",
    "ScriptRun",
    "ScriptRunConfig",
    "StoreError",
    "UserError",
    "ViewType",
    "Workspace",
]

_HOMES = {
    "CompareRuns": "widgets.runlist",
    "ComputeTarget": "compute",
    "ComputeTargetError": "errors",
    "ComputeView": "widgets.compute",
    "CondaDependencies": "submit.conda",
    "Environment": "submit.environment",
    "EnvironmentBuildError": "errors",
    "Experiment": "experiment",
    "LocalCompute": "compute",
    "Model": "model",
    "ModelNotFoundError": "errors",
    "ModelPathNotFoundError": "errors",
    "MpiConfiguration": "submit.distributed",
    "NotFoundError": "errors",
    "PyTorchConfiguration": "submit.distributed",
    "Run": "run",
    "RunConfiguration": "submit.run_configuration",
    "RunConfigurationError": "errors",
    "RunDetails": "widgets.details",
    "RunFailedError": "errors",
    "RunList": "widgets.runlist",
    "RunStatus": "records",
    "RunwidgetsError": "errors",
    "ScriptRun": "submit.script_run",
    "ScriptRunConfig": "submit.script_run_config",
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
