"""`Run`: what a training script logs to, and what a reader asks."""

from __future__ import annotations

import json
import logging
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from runwidgets.context import InContext
from runwidgets.errors import ArgumentTypeError, RunFailedError, StoreError, UserError, WaitInterruptedError
from runwidgets.events import RunDescribed, StatusSet
from runwidgets.family import Family, found_runs_of
from runwidgets.filters import run_query
from runwidgets.opening import add_factory, experiment_of, factory_of, found_run, own_class
from runwidgets.reading import Reading
from runwidgets.records import RunError, RunStatus
from runwidgets.snapshotting import Snapshotting
from runwidgets.store.files import USER_LOG
from runwidgets.system import may_be_written
from runwidgets.waiting import LogStream, flush_within, run_details, wait_for_end

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from runwidgets.experiment import Experiment
    from runwidgets.filters import Filter
    from runwidgets.records import FoundRun, RunRecord
    from runwidgets.submit.environment import Environment
    from runwidgets.workspace import Workspace

_log = logging.getLogger(__name__)
_now = time.time


class Run(InContext, Family, Snapshotting, Reading):
    """One run of an experiment: metrics, tags, files, children and a status.

    ``Run(experiment, run_id)`` opens a run that exists, that of a submitted script as a `ScriptRun`;
    `Experiment.start_logging` and `Run.child_run` start new ones.
    Any number of processes may log to one run; each call returns when what was logged outlives the process.

    Parameters
    ----------
    experiment
        The experiment it belongs to.
    run_id
        Its id.

    Raises
    ------
    NotFoundError
        If the workspace has no such run.
    """

    _streamed_logs: tuple[str, ...] = (USER_LOG,)
    """The logs that waiting for the run prints, in this order."""

    def __init__(self, experiment: Experiment, run_id: str) -> None:
        found = found_run(experiment.workspace, run_id)
        if type(self) is Run and (kind := own_class(found.run)) is not None:
            self.__class__ = kind  # else a submitted script would not end by `cancel`
        self._attach(experiment, found)

    def _attach(self, experiment: Experiment, found: FoundRun) -> None:
        record = found.run
        experiment = experiment_of(record, experiment)
        self._begin(experiment, record.run_id, record.name, record.parent_id, record.type, record.number)
        self._description = record.description or ""
        self._status = record.status
        self._tags = found.tags
        self._properties = found.properties
        if self._limits:
            self._limits.know(self._id, self._tags, self._properties)

    def _begin(  # noqa: PLR0917 (private, and all of them are needed)
        self,
        experiment: Experiment,
        run_id: str,
        name: str | None,
        parent_id: str | None,
        run_type: str | None = None,
        number: int | None = None,
    ) -> None:
        self._experiment = experiment
        self._id = run_id
        self._name = name
        self._parent_id = parent_id
        self._type = run_type
        self._number = number
        self._status = RunStatus.NOT_STARTED
        self._recorder = experiment.workspace._recorder
        self._parent: Run | None = None
        self._description = ""
        self._tags = {}
        self._properties = {}
        self._series = {}

    @classmethod
    def _of(cls, experiment: Experiment, found: FoundRun) -> Run:
        factory = factory_of(found.run)
        if factory is not None:
            return factory(experiment_of(found.run, experiment), found.run)
        kind = own_class(found.run) or cls
        run = kind.__new__(kind)
        run._attach(experiment, found)
        return run

    @classmethod
    def get(cls, workspace: Workspace, run_id: str) -> Run:
        """Open a run of whichever experiment by its id, as `add_type_provider` says of its type.

        Raises
        ------
        NotFoundError
            If the workspace has no such run.
        """
        from runwidgets.experiment import Experiment

        return cls._of(Experiment(workspace, "any"), found_run(workspace, run_id))

    @staticmethod
    def add_type_provider(runtype: str, run_factory: Callable[..., Run]) -> None:
        """Have runs of a type be made by a function wherever they are found; for classes derived from this one.

        Parameters
        ----------
        runtype
            The type, as `Run.type` has it.
        run_factory
            Takes the experiment and the run's record, whose ``run_id`` tells which, and gives the run.

        Raises
        ------
        UserError
            If the type has a function already (also a `ValueError`).
        """
        add_factory(runtype, run_factory)

    @staticmethod
    def list(  # noqa: PLR0917 (SDK v1's signature)
        experiment: Experiment,
        type: str | None = None,  # noqa: A002 (SDK v1's name)
        tags: Filter = None,
        properties: Filter = None,
        status: str | None = None,
        include_children: bool = False,
    ) -> Iterator[Run]:
        """Give runs of an experiment, newest first.

        Parameters
        ----------
        experiment
            The experiment.
        type
            Only runs of this type.
        tags, properties
            Only runs that have this ``"key"``, or all of ``{"key": "value"}``.
        status
            Only runs that are in this state now.
        include_children
            Whether runs below others count.

        Raises
        ------
        UserError
            If a filter is of another form.
        """
        query = run_query(
            experiment=experiment.name,
            deep=include_children,
            tags=tags,
            properties=properties,
            run_type=type,
            status=status,
        )
        return found_runs_of(experiment, query, status)

    # ---- what it is

    @property
    def id(self) -> str:
        """Its id."""
        return self._id

    @property
    def name(self) -> str:
        """Its name; ``run_<id>`` where none was given."""
        return self._name or f"run_{self._id}"

    @property
    def display_name(self) -> str:
        """The name that displays show; it can be set."""
        return self.name

    @display_name.setter
    def display_name(self, name: str) -> None:
        self._name = _text("display_name", name)
        self._write(RunDescribed(self._id, _now(), name=name))

    @property
    def description(self) -> str:
        """What is said of it; it can be set."""
        return self._description

    @description.setter
    def description(self, description: str) -> None:
        self._description = _text("description", description)
        self._write(RunDescribed(self._id, _now(), description=description))

    @property
    def type(self) -> str | None:
        """What kind of run it is; None for an interactive one."""
        return self._type

    @property
    def experiment(self) -> Experiment:
        """The experiment it belongs to."""
        return self._experiment

    @property
    def number(self) -> int | None:
        """Its number in the experiment, counting from 1."""
        if self._number is None:
            record = self._record()
            self._number = record.number if record else None
        return self._number

    @property
    def status(self) -> str:
        """The status as this object last saw it; `get_status` asks anew."""
        return self._status.value

    def get_status(self) -> str:
        """Ask for the status now.

        Returns
        -------
        str
            One of the words of `RunStatus`. ``NotResponding`` where the process that ran it is gone and nobody has
            recorded an end yet. While the store does not answer, what this object knows of a run that this process
            started and has not ended.

        Raises
        ------
        StoreError
            If the store does not answer, and it is not such a run.
        """
        if not self._status.is_final:
            from runwidgets.store.liveness import observed_status

            try:
                record = self._record()
            except StoreError:
                if self._id not in self._recorder.owned:
                    raise
                return self._status.value  # nobody knows better than the process that runs it
            if record is not None:
                self._status = observed_status(record.status, record.owner)
        return self._status.value

    def _record(self) -> RunRecord | None:
        self._recorder.flush()
        return self._recorder.store.run(self._id)

    # ---- details

    def get_details(self) -> dict[str, Any]:
        """Tell all about the run but what it logged.

        Returns
        -------
        dict
            With the keys ``runId``, ``target``, ``status``, ``startTimeUtc``, ``endTimeUtc`` (of a run that has ended),
            ``services``, ``error``, ``warnings``, ``properties``, ``inputDatasets``, ``outputDatasets``,
            ``runDefinition``, ``logFiles`` (addresses by name) and ``submittedBy``.
        """
        status = self.get_status()
        record = self._record()
        logs = {name: path.as_uri() for name, path in self._log_files().items()}
        return run_details(self._id, status, record, self.get_properties(), logs)

    def get_detailed_status(self) -> dict[str, str | None]:
        """Give the status, and what the queue says of it; of an interactive run, nothing."""
        return {"status": self.get_status(), "details": None}

    def get_portal_url(self) -> str:
        """Give the address of this run's page; a server is found, or started on this machine.

        Returns
        -------
        str
            With a ticket that lets a browser in, once, within ten minutes; see `runwidgets.addressing.portal_url`.

        Raises
        ------
        StoreError
            If no server answers, and none can be started.
        """
        from runwidgets.addressing import page_path, portal_url

        return portal_url(page_path("w", self._experiment.workspace.name, "runs", self._id))

    def get_environment(self) -> Environment:
        """Give the environment that a submitted script runs in.

        Raises
        ------
        UserError
            If it is no submitted script.
        """
        raise UserError(f"run {self._id} has no environment: it was not submitted, it runs in its own process")

    # ---- life

    def flush(self, timeout_seconds: float = 300) -> None:
        """Return when others can read all that this process logged.

        Raises
        ------
        StoreError
            If that takes longer than ``timeout_seconds``, or the store does not answer. What was logged stays in the
            journal.
        """
        flush_within(self._recorder, timeout_seconds)

    def start(self) -> None:
        """Say that the run is Running; runs that this package makes are started already."""
        self._recorder.set_status(StatusSet(self._id, _now(), RunStatus.RUNNING))
        if not self._status.is_final:
            self._status = RunStatus.RUNNING

    def cancel(self) -> None:
        """End the run, and those below it: Canceled. The process that runs an interactive run goes on."""
        self._cancel_children()
        self._end(RunStatus.CANCELED, None)

    def wait_for_completion(
        self, show_output: bool = False, wait_post_processing: bool = False, raise_on_error: bool = True
    ) -> dict[str, Any]:
        """Wait until the run has ended, in whichever process it runs.

        Parameters
        ----------
        show_output
            Print the run's id now, what it prints as it comes (an interactive run: in its ``with`` block), and a
            summary at the end.
        wait_post_processing
            Wait also while the run is Finalizing or being canceled.
        raise_on_error
            Whether a run that Failed raises.

        Returns
        -------
        dict
            What `get_details` gives.

        Raises
        ------
        RunFailedError
            If the run Failed and ``raise_on_error`` is set. A run that was Canceled raises nothing.
        WaitInterruptedError
            If the waiting is interrupted with ``show_output``, by Ctrl-C or a notebook's stop button; the run goes on.
        """
        if show_output:
            sys.stdout.write(f"RunId: {self._id}\n")
            streams = [LogStream(self, name) for name in self._streamed_logs]

            def print_more() -> None:
                for stream in streams:
                    stream.print_more()

            try:
                wait_for_end(self, wait_post_processing=wait_post_processing, at_each_look=print_more)
            except KeyboardInterrupt as interrupt:
                raise WaitInterruptedError(
                    f"waiting for run {self._id} was interrupted; the run goes on: run.cancel() ends it"
                ) from interrupt
        else:
            wait_for_end(self, wait_post_processing=wait_post_processing)
        details = self.get_details()
        error = json.dumps(details["error"], indent=4, ensure_ascii=False)
        failed = details["status"] == RunStatus.FAILED
        if show_output:
            sys.stdout.write(f"\nExecution Summary\n=================\nRunId: {self._id}\n")
            if failed and not raise_on_error:
                sys.stdout.write(f"Error:\n{error}\n")
        if failed and raise_on_error:
            raise RunFailedError(f"run {self._id} has failed:\n{error}", error)
        return details

    def complete(self, _set_status: bool = True) -> None:
        """End the run: Completed."""
        self._end(RunStatus.COMPLETED if _set_status else None, None)

    def fail(
        self,
        error_details: str | BaseException | None = None,
        error_code: str | None = None,
        _set_status: bool = True,
    ) -> None:
        """End the run: Failed.

        Parameters
        ----------
        error_details
            Why: a text, or the exception (then its traceback is kept).
        error_code
            A word for the kind of error; by default ``UserError``, or the name of the exception's class.
        """
        if isinstance(error_details, BaseException):
            from runwidgets.store.ending import error_of

            error = error_of(error_details)
            error = RunError(error_code or error.code, error.message, error.traceback)
        elif error_details is None or isinstance(error_details, str):
            error = RunError(error_code or "UserError", error_details or "The run was marked as failed.")
        else:
            raise ArgumentTypeError(
                f"fail(): error_details is a {type(error_details).__name__}: give a str or an exception"
            )
        self._end(RunStatus.FAILED if _set_status else None, error)

    def _end(self, status: RunStatus | None, error: RunError | None) -> None:
        """Set a final status, where there is one, and make all that was logged readable."""
        self._recorder.finish(self._id)
        if status is not None:
            self._status = status
            ended = StatusSet(self._id, _now(), status, error)
            if self._limits:
                self._limits.check(ended)
            self._recorder.set_status(ended)
        try:
            self._recorder.recover()  # what workers logged that were forked and are gone
            record = self._record()
        except StoreError as problem:
            what = f"the end of run {self._id}" if status else f"what was logged to run {self._id}"
            if not self._recorder.waits_in_memory:
                _log.warning("%s; %s waits in the journal", problem, what)
            elif may_be_written(self._recorder.folder):  # else the journal has told, and tells at the end what is lost
                _log.warning(
                    "%s; %s waits in memory, and is lost if this process ends before it can be written", problem, what
                )
        else:
            if record is not None:
                self._status = record.status  # a run that had ended before keeps that end

    def __enter__(self) -> Self:
        self._blocks.append(self._open_block())
        return self

    def __exit__(
        self, kind: builtins.type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._blocks.pop().close()
        if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
            self.complete()
        else:
            self.fail(error)

    def _repr_html_(self) -> str:
        from runwidgets.reprs import as_table

        with suppress(StoreError):
            self.get_status()
        return as_table(
            {"Experiment": self._experiment.name, "Id": self._id, "Type": self._type, "Status": self.status}
        )

    def __repr__(self) -> str:
        with suppress(StoreError):
            self.get_status()
        return f"Run(Experiment: {self._experiment.name},\nId: {self._id},\nType: {self._type},\nStatus: {self.status})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and (self._id, self._experiment) == (other._id, other._experiment)

    def __hash__(self) -> int:
        return hash(self._id)


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{what} is a {type(value).__name__}: give a str")
    return value
