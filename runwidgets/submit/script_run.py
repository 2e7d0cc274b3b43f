"""`ScriptRun`: a script that was submitted, whichever process asks for it."""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from runwidgets.errors import UserError
from runwidgets.events import StatusSet
from runwidgets.records import RunStatus
from runwidgets.run import Run
from runwidgets.store.queue import Queue
from runwidgets.submit.definition import Place, working_folder
from runwidgets.submit.launching import BUILD_LOG, log_names
from runwidgets.submit.lineage import held_above
from runwidgets.submit.waking import WAKE
from runwidgets.system import lives, this_process

if TYPE_CHECKING:
    from runwidgets.experiment import Experiment
    from runwidgets.submit.definition import Definition
    from runwidgets.submit.environment import Environment

_log = logging.getLogger(__name__)
_now = time.time
_WAITING: Final = frozenset({RunStatus.NOT_STARTED, RunStatus.QUEUED})


class ScriptRun(Run):
    """A run of a submitted script, which a process of its own looks after; `Experiment.submit` starts it.

    Parameters
    ----------
    experiment
        The experiment it belongs to.
    run_id
        Its id.
    directory, _run_config
        Accepted, as in SDK v1.

    Raises
    ------
    NotFoundError
        If the workspace has no such run.
    """

    RUN_TYPE: Final = "azureml.scriptrun"

    def __init__(
        self,
        experiment: Experiment,
        run_id: str,
        directory: str | None = None,  # noqa: ARG002 (SDK v1's signature)
        _run_config: object = None,
    ) -> None:
        super().__init__(experiment, run_id)

    @property
    def _streamed_logs(self) -> tuple[str, ...]:  # type: ignore[override]
        definition = self._definition
        return BUILD_LOG, log_names(definition.process_count if definition else 1)[0]

    @property
    def _place(self) -> Place:
        return Place(self._experiment.workspace._folder, self._id)

    @property
    def _definition(self) -> Definition | None:
        return self._place.definition()

    def cancel(self) -> None:
        """End the run and those below it: its processes get SIGTERM, and SIGKILL where they go on after a grace period.

        Returns at once, with the run in CancelRequested; `wait_for_completion` waits for the end. A run that waits for
        its turn leaves the queue. To cancel a run twice, or one that has ended, does nothing.
        """
        self._cancel_children()
        if RunStatus(self.get_status()).is_final:
            return
        self._place.ask_to_cancel()
        self._status = RunStatus.CANCEL_REQUESTED
        self._recorder.set_status(StatusSet(self._id, _now(), RunStatus.CANCEL_REQUESTED))
        self._recorder.flush()
        _wake(self._place)

    def complete(self, _set_status: bool = True) -> None:
        """Make what was logged readable by all; the status follows from how the script ends."""
        self._warn_of_end("complete", is_wanted=_set_status)
        super().complete(_set_status=False)

    def fail(
        self,
        error_details: str | BaseException | None = None,
        error_code: str | None = None,
        _set_status: bool = True,
    ) -> None:
        """Make what was logged readable by all; the status follows from how the script ends.

        Parameters
        ----------
        error_details, error_code
            Checked, and not recorded.
        """
        self._warn_of_end("fail", is_wanted=_set_status)
        super().fail(error_details, error_code, _set_status=False)

    def _warn_of_end(self, call: str, *, is_wanted: bool) -> None:
        """Say that the script goes on: a run that had ended by its status alone could not be canceled any more."""
        if is_wanted and not RunStatus(self.get_status()).is_final:
            _log.warning("%s(): run %s ends when its script does; cancel() ends it sooner", call, self._id)

    def get_detailed_status(self) -> dict[str, str | None]:
        """Give the status, and while the run waits for its turn which place it has in which queue.

        Returns
        -------
        dict
            ``status``, and ``details``: such as ``2nd of 5 in the queue of 'local'``; None for a run that does not
            wait. Where the runs that it comes from hold all slots, that is said: it starts when one ends.
        """
        status = self.get_status()
        definition = self._definition if status in _WAITING else None
        if definition is None:
            return {"status": status, "details": None}
        queue = Queue(self._experiment.workspace._folder, definition.target)
        waiting = queue.waiting()
        if self._id not in waiting:
            return {"status": status, "details": None}
        place, count = waiting.index(self._id) + 1, len(waiting)
        taken = (
            held_above(self._experiment.workspace, definition.target, self._parent_id, definition.submitted_from)
            or f"{len(queue.running())} of {queue.slots} slots are taken"
        )
        return {
            "status": status,
            "details": f"{_ordinal(place)} of {count} in the queue of {definition.target!r}; {taken}",
        }

    def get_details(self) -> dict[str, Any]:
        """Tell all about the run but what it logged: as `Run.get_details`, with what was submitted.

        Returns
        -------
        dict
            ``target`` is the compute target's name, ``submittedBy`` the name of the user who submitted it (empty where
            that is not known), ``runDefinition`` has the keys ``script``, ``command``,
            ``arguments``, ``sourceDirectory``, ``target``, ``environment``, ``environmentVariables``,
            ``maxRunDurationSeconds``, ``communicator``, ``processCount`` and ``nodeCount``. ``warnings`` has what the
            process that looks after the run complained of.
        """
        details = super().get_details()
        with suppress(OSError):
            if said := self._place.said.read_text("utf-8", "replace").strip():
                details["warnings"] = [{"source": "supervisor", "message": said}]
        definition = self._definition
        if definition is not None:
            details["target"] = definition.target
            details["submittedBy"] = definition.submitted_by
            details["runDefinition"] = {
                "script": definition.script,
                "command": definition.command,
                "arguments": definition.arguments,
                "sourceDirectory": definition.source_directory,
                "target": definition.target,
                "environment": definition.environment,
                "environmentVariables": definition.environment_variables,
                "maxRunDurationSeconds": definition.max_run_duration_seconds,
                "communicator": definition.communicator or "None",
                "processCount": definition.process_count,
                "nodeCount": 1,
            }
        return details

    def get_environment(self) -> Environment:
        """Give the environment that the script runs in.

        Raises
        ------
        UserError
            If what was submitted is not there any more.
        """
        from runwidgets.submit.environment import Environment

        definition = self._definition
        if definition is None:
            raise UserError(f"run {self._id} has no environment: what was submitted is not in {self._place.folder}")
        return Environment.from_dict(definition.environment)

    def clean(self) -> list[str]:
        """Delete the copy of the files that the script worked in, where the end of the run has not.

        Returns
        -------
        list of str
            The files that were deleted.

        Raises
        ------
        UserError
            If the run has not ended.
        """
        import shutil

        status = RunStatus(self.get_status())
        if not status.is_final:
            raise UserError(f"clean(): run {self._id} is {status}: wait for its end, or cancel it")
        folder = working_folder(self._id)
        found = sorted(os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)  # noqa: PTH118
        shutil.rmtree(folder, ignore_errors=True)
        return found


def _wake(place: Place) -> None:
    """Have the supervisor of a run look now whether somebody left word; without that it does within seconds."""
    with suppress(OSError, ValueError):
        pid, started_at = place.supervisor.read_text("ascii").split()
        if lives(this_process()._replace(pid=int(pid), started_at=float(started_at))):
            os.kill(int(pid), WAKE)


def _ordinal(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
