"""Opening runs that exist: found by their ids, in their own experiments, as what their type says."""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Final

from runwidgets.errors import NotFoundError, UserError
from runwidgets.values import stored_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from runwidgets.experiment import Experiment
    from runwidgets.records import FoundRun, RunRecord
    from runwidgets.run import Run
    from runwidgets.workspace import Workspace

_PATIENCE_SECONDS: Final = 1.5
"""So long an unknown run is waited for where other processes log: what they log is in the store within a second."""
_LOOK_SECONDS: Final = 0.05
_factories: dict[str, Callable[..., Run]] = {}
_HOMES: Final = {"azureml.scriptrun": ("runwidgets.submit.script_run", "ScriptRun")}
"""Classes of runs that this package has, and their modules: loaded when the first run of the type is opened."""


def found_run(workspace: Workspace, run_id: str) -> FoundRun:
    """Find a run by its id.

    Raises
    ------
    NotFoundError
        If the workspace has no such run, not even in journals that dead processes left, nor in those of living ones.
    """
    recorder = workspace._recorder
    recorder.flush()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    wanted = [stored_text(str(run_id))]
    while not (found := recorder.store.described(wanted)):
        recorder.recover()
        found = recorder.store.described(wanted)
        if found or not recorder.has_company or time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)  # a process that has just started it may not have told the store yet
    if not found:
        raise NotFoundError(f"the workspace {workspace.name!r} has no run {run_id!r}")
    return found[0]


def experiment_of(record: RunRecord, experiment: Experiment) -> Experiment:
    """Give the experiment that a run belongs to: the one that is there already, where it is the same."""
    if record.experiment in ("", experiment.name):
        return experiment
    from runwidgets.experiment import Experiment

    return Experiment(experiment.workspace, record.experiment)


def add_factory(run_type: str, factory: Callable[..., Run]) -> None:
    """Have a function make the runs of a type.

    Raises
    ------
    UserError
        If the type has one already.
    """
    if run_type in _factories:
        raise UserError(f"add_type_provider({run_type!r}): this type has a function already: {_factories[run_type]!r}")
    _factories[run_type] = factory


def factory_of(record: RunRecord) -> Callable[..., Run] | None:
    """Give the function that was set for the type of a run; None where there is none."""
    return _factories.get(record.type or "")


def own_class(record: RunRecord) -> type[Run] | None:
    """Give the class that this package has for the type of a run; None where that is `Run` itself."""
    if record.type not in _HOMES:
        return None
    module, name = _HOMES[record.type]
    kind: type[Run] = getattr(import_module(module), name)
    return kind
