"""`InContext`: the run that this process belongs to, whoever asks for it."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import NotFoundError, RunEnvironmentError, StoreError, UserError

if TYPE_CHECKING:
    from runwidgets.run import Run

_log = logging.getLogger(__name__)
RUN_ID: Final = "RUNWIDGETS_RUN_ID"
"""The environment variable that names the run of a submitted script."""
WORKSPACE: Final = "RUNWIDGETS_WORKSPACE"
"""The environment variable that names its workspace, under ``RUNWIDGETS_HOME``."""
EXPERIMENT: Final = "RUNWIDGETS_EXPERIMENT"
"""The environment variable that names its experiment."""
FAILURE_MESSAGE: Final = "runwidgets.failure.message"
FAILURE_CODE: Final = "runwidgets.failure.code"
"""Properties that say why a submitted script means to fail."""
FAILED_LOG: Final = "runwidgets.failed_log"
"""The property that names the log of the process which failed, where a run has several."""
OFFLINE_EXPERIMENT: Final = "offline"
"""The experiment of runs that nobody submitted."""

_runs: dict[tuple[str, str, str] | None, Run] = {}
_mutex = threading.Lock()


class InContext:
    """The part of a `Run` that finds the run of the process."""

    @staticmethod
    def get_context(
        allow_offline: bool = True,
        used_for_context_manager: bool = False,  # noqa: ARG004 (SDK v1's signature)
        **kwargs: Any,  # noqa: ARG004
    ) -> Run:
        """Give the run that this process belongs to, the same whenever it is asked for.

        In a submitted script that is the submitted run: `Run.complete` and `Run.fail` there leave its status to whoever
        supervises it. Elsewhere a new run of the experiment ``offline``, in the workspace that `Workspace.from_config`
        finds, is started by the first call; a warning says where to look. It is a run like any other, though without a
        snapshot: what is written to ``./outputs`` is kept. It is Completed if the process ends without an error.

        Parameters
        ----------
        allow_offline
            Whether to start a run where the script was not submitted.
        used_for_context_manager, **kwargs
            Accepted, as in SDK v1; either kind of run can be used with ``with``.

        Returns
        -------
        Run
            With all that a run has, whichever kind it is. Processes forked from this one get the same run.

        Raises
        ------
        RunEnvironmentError
            If the script was not submitted and ``allow_offline`` is not set, or its environment names a run that is
            not there.
        """
        return _run_of_process(allow_offline=allow_offline)

    @staticmethod
    def get_submitted_run(**kwargs: Any) -> Run:
        """Give the run that this script was submitted as; ``get_context(allow_offline=False)`` is its newer name.

        Raises
        ------
        RunEnvironmentError
            If the script was not submitted.
        """
        return InContext.get_context(allow_offline=False, **kwargs)


def _run_of_process(*, allow_offline: bool) -> Run:
    with _mutex:
        place = _submitted_place()
        if place is None and not allow_offline:
            raise RunEnvironmentError(
                f"this process runs no submitted script ({RUN_ID} is not set): submit it with Experiment.submit, or "
                "let Run.get_context() start a run with allow_offline=True"
            )
        if place not in _runs:
            _runs[place] = _start_offline() if place is None else _attach(*place)
        return _runs[place]


def _submitted_place() -> tuple[str, str, str] | None:
    run_id, workspace, experiment = (os.environ.get(name, "") for name in (RUN_ID, WORKSPACE, EXPERIMENT))
    if not run_id:
        return None
    missing = [name for name, value in ((WORKSPACE, workspace), (EXPERIMENT, experiment)) if not value]
    if missing:
        raise RunEnvironmentError(f"{RUN_ID} is set ({run_id}), but {' and '.join(missing)} is not: set all or none")
    return run_id, workspace, experiment


def _attach(run_id: str, workspace: str, experiment: str) -> Run:
    from runwidgets.experiment import Experiment
    from runwidgets.submitted import SubmittedRun
    from runwidgets.workspace import Workspace

    place = Experiment(Workspace(workspace_name=workspace), experiment)
    try:
        return SubmittedRun(place, run_id)
    except StoreError as error:
        _log.warning("%s; what is logged to run %s waits in the journal", error, run_id)
        run = SubmittedRun.__new__(SubmittedRun)
        run._begin(place, run_id, None, None)
        return run
    except NotFoundError as error:
        raise RunEnvironmentError(
            f"{error}, which {RUN_ID}, {WORKSPACE} and RUNWIDGETS_HOME ({place.workspace._folder.parent}) name"
        ) from error


def _start_offline() -> Run:
    import multiprocessing
    from multiprocessing.util import Finalize

    from runwidgets.experiment import Experiment
    from runwidgets.starting import start_run
    from runwidgets.store.recorder import close_all
    from runwidgets.surroundings import Surroundings
    from runwidgets.workspace import Workspace

    try:
        workspace = Workspace.from_config()
    except UserError as error:  # some other program's config.json: no reason to stop
        _log.warning("%s; the workspace 'default' is used", error)
        workspace = Workspace()
    run_id = f"OfflineRun_{uuid.uuid4()}"
    run = start_run(
        Experiment(workspace, OFFLINE_EXPERIMENT),
        run_id=run_id,
        surroundings=Surroundings(workspace, snapshot_directory=None),
        completes_at_exit=True,
    )
    _log.warning(
        "Run.get_context(): nobody submitted this script; it records as run %s of experiment %r in workspace %r (%s)",
        run_id,
        OFFLINE_EXPERIMENT,
        workspace.name,
        workspace._folder,
    )
    if multiprocessing.parent_process() is not None:  # a worker ends without what is done at other processes' ends
        Finalize(None, close_all, exitpriority=-1)
    return run


def _after_fork_in_child() -> None:
    global _mutex  # noqa: PLW0603 (it may belong to a thread that is not there)
    _mutex = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
