"""Starting runs."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import StoreError, UserError
from runwidgets.events import RunCreated, StatusSet
from runwidgets.records import RunStatus
from runwidgets.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runwidgets.experiment import Experiment
    from runwidgets.surroundings import Surroundings

_log = logging.getLogger(__name__)
_now = time.time
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][\w.\-]{0,254}", re.ASCII)


def start_run(
    experiment: Experiment,
    *,
    name: str | None = None,
    run_id: str | None = None,
    parent_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
    completes_at_exit: bool = False,
    surroundings: Surroundings | None = None,
) -> Run:
    """Start a run in this process, which from now on owes it an end; `Recorder.own` tells which."""
    run_id = str(uuid.uuid4()) if run_id is None else checked_run_id(experiment, run_id)
    run = Run.__new__(Run)
    run._begin(experiment, run_id, name, parent_id)
    recorder = run._recorder
    created = RunCreated(run_id, _now(), experiment.name, parent_id, name)
    run._write(created)
    if description is not None:
        run.description = description
    if tags:
        run.set_tags(tags)
    at_end = surroundings.record(run) if surroundings is not None else None
    recorder.own(run_id, created, at_end=at_end, completes_at_exit=completes_at_exit)
    run._status = RunStatus.RUNNING
    recorder.set_status(StatusSet(run_id, _now(), RunStatus.RUNNING))
    return run


def is_run_id(text: str) -> bool:
    """Tell whether a text can be the id of a run."""
    return _RUN_ID.fullmatch(text) is not None


def checked_run_id(experiment: Experiment, run_id: str) -> str:
    """Give an id back, if a new run may have it.

    Raises
    ------
    UserError
        If it is none, or the workspace has a run of it.
    """
    if not isinstance(run_id, str) or not is_run_id(run_id):
        raise UserError(
            f"run_id {run_id!r}: it must begin with a letter or digit and hold only letters, digits, '_', '-' and '.', "
            "at most 255"
        )
    if _exists(experiment, run_id):
        raise UserError(f"the workspace {experiment.workspace.name!r} has a run {run_id!r} already")
    return run_id


def _exists(experiment: Experiment, run_id: str) -> bool:
    try:
        experiment.workspace._recorder.flush()
        return experiment.workspace._store.run(run_id) is not None
    except StoreError as error:
        _log.warning("%s; run %s begins without a look at whether there is one of that name", error, run_id)
        return False
