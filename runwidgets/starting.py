"""Starting runs."""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import UserError
from runwidgets.records import RunCreated, RunStatus, StatusSet
from runwidgets.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runwidgets.experiment import Experiment
    from runwidgets.surroundings import Surroundings

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
    surroundings: Surroundings | None = None,
) -> Run:
    """Start a run in this process, which from now on owes it an end."""
    if run_id is None:
        run_id = str(uuid.uuid4())
    elif not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
        raise UserError(
            f"run_id {run_id!r}: it must begin with a letter or digit and hold only letters, digits, '_', '-' and '.', "
            "at most 255"
        )
    else:
        experiment.workspace._recorder.flush()
        if experiment.workspace._store.run(run_id) is not None:
            raise UserError(f"the workspace {experiment.workspace.name!r} has a run {run_id!r} already")
    run = Run.__new__(Run)
    run._begin(experiment, run_id, name, parent_id)
    recorder = run._recorder
    recorder.write(RunCreated(run_id, _now(), experiment.name, parent_id, name))
    if description is not None:
        run.description = description
    if tags:
        run.set_tags(tags)
    recorder.own(run_id, surroundings.record(run) if surroundings is not None else None)
    run._status = RunStatus.RUNNING
    recorder.set_status(StatusSet(run_id, _now(), RunStatus.RUNNING))
    return run
