"""Deleting runs, with all below them and their files."""

from __future__ import annotations

import logging
import shutil
import time
from typing import TYPE_CHECKING

from runwidgets.store.files import checked_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runwidgets.workspace import Workspace

_log = logging.getLogger(__name__)


def delete_runs(workspace: Workspace, run_ids: Sequence[str]) -> list[str]:
    """Delete runs with all below them, all that they logged, and their files. Registered models stay.

    Parameters
    ----------
    workspace
        Where they are.
    run_ids
        Their ids; an unknown one does no harm.

    Returns
    -------
    list of str
        The ids of the runs that are gone.

    Raises
    ------
    UserError
        If one of them has not ended and its process lives; nothing is deleted then.
    StoreError
        If the store does not answer.
    """
    recorder = workspace._recorder
    recorder.flush()
    recorder.recover()  # what is left of processes that are gone would bring their runs back
    deleted = recorder.store.delete_runs(run_ids, time.time())
    remove_files(workspace, deleted)
    return deleted


def remove_files(workspace: Workspace, run_ids: Iterable[str]) -> None:
    """Delete the files of runs that are not in the store any more; what cannot be deleted is a warning."""
    for run_id in run_ids:
        try:
            workspace._files.remove(run_id)
            submission = workspace._folder / "submissions" / checked_name(run_id)
            if submission.is_dir():
                shutil.rmtree(submission)
        except OSError as error:
            _log.warning("run %s is deleted, but files of it are left: %s", run_id, error)
