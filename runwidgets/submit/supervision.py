"""`Supervision`: a submitted run from its slot to its end."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from runwidgets.context import FAILED_LOG, FAILURE_CODE, FAILURE_MESSAGE
from runwidgets.errors import EnvironmentBuildStoppedError, RunwidgetsError, StoreError
from runwidgets.events import FileStored, PointLogged, PropertiesAdded, StatusSet
from runwidgets.outputs import Outputs
from runwidgets.records import RunError, RunStatus
from runwidgets.store.ending import error_of
from runwidgets.store.files import FileRoot
from runwidgets.store.orphans import mark_of
from runwidgets.store.recorder import recorder_of
from runwidgets.store.snapshots import snapshots_of
from runwidgets.submit.definition import Definition, Place, working_folder
from runwidgets.submit.descent import end_descendants, processes_of_run, terminate_descendants
from runwidgets.submit.failure import exit_error
from runwidgets.submit.launching import BUILD_LOG, Rank, launch
from runwidgets.system import out_of_memory_kills

if TYPE_CHECKING:
    from pathlib import Path

    from runwidgets.store.locks import Adopted
    from runwidgets.store.queue import Ticket
    from runwidgets.submit.sampling import Sampler
    from runwidgets.submit.waking import Alarm

_log = logging.getLogger(__name__)
_now = time.time

GRACE_SECONDS: Final = 10.0
"""How long processes have after SIGTERM, before SIGKILL; ``RUNWIDGETS_GRACE_SECONDS`` sets another."""
_LOOK_SECONDS: Final = 1.0
_SAMPLE_SECONDS: Final = 5.0
_FIRST_SAMPLE_SECONDS: Final = 1.0
_COLLECT_SECONDS: Final = 5.0
_SETTLED_SECONDS: Final = 2.0
"""For how long a file must not have changed to be kept while the script goes on."""
_RESTLESS_SECONDS: Final = 10.0
"""How long a file that never rests so long waits to be kept all the same, where nobody has it open to write."""
_PATIENCE_SECONDS: Final = 3.0
"""How long the end of a run waits, at most, for another process that reads the script's journal just now."""
_SHARE: Final = 0.02
"""How much of the time the looks for new outputs may take."""


class _StoppedError(Exception):
    """The run is to end: canceled, out of time, or its supervisor is being terminated."""


class Supervision:
    """Sees one run through: makes a fresh copy of its files, starts its processes, watches them, records their end.

    Parameters
    ----------
    folder
        The workspace's folder.
    run_id, journal
        The run, and the journal that was begun for it.
    alarm
        What wakes the main thread.
    turn
        The run's ticket, where it has a slot; it is given back when the script has begun, so that scripts begin in the
        order of the queue. None where the run was canceled before.
    """

    def __init__(self, folder: Path, run_id: str, journal: Adopted, alarm: Alarm, turn: Ticket | None) -> None:
        self._run_id = run_id
        self._journal_id = journal.journal_id
        self._alarm = alarm
        self._turn = turn
        self._has_slot = turn is not None
        self._place = Place(folder, run_id)
        self._files = FileRoot(folder / "artifacts")
        self._snapshots = snapshots_of(folder)
        self._recorder = recorder_of(folder)
        self._recorder.adopt(journal)
        self._recorder.own(run_id)
        self._working = working_folder(run_id)
        self._code = self._working / "code"
        self._is_told_of_cancel = False
        self._sizes: dict[str, int] = {}
        self._ranks: list[Rank] = []
        self._outputs: Outputs | None = None
        self._deadline = float("inf")

    def see_through(self) -> None:
        """Do all of it; the run is in a final state on return."""
        status, error = RunStatus.FAILED, None
        try:
            definition = self._definition()
            self._check()
            status, error = self._run(definition)
        except _StoppedError:
            status, error = self._stopped()
        except (RunwidgetsError, OSError, subprocess.SubprocessError) as problem:
            error = RunError(type(problem).__name__, str(problem))
        except Exception as problem:  # noqa: BLE001 (the run must end, whatever mistake is ours)
            error = error_of(problem)
        finally:
            end_descendants()
            self._let_the_next_begin()
            self._finish(status, error)

    # ---- what it does, in order

    def _definition(self) -> Definition:
        definition = self._place.definition()
        if definition is None:
            raise StoreError(f"{self._place.folder}: what run {self._run_id} is to do is not there")
        return definition

    def _run(self, definition: Definition) -> tuple[RunStatus, RunError | None]:
        interpreter = self._prepare(definition)
        self._say(RunStatus.STARTING)
        shutil.rmtree(self._working, ignore_errors=True)  # of a run of that id that was deleted
        self._code.mkdir(parents=True)
        self._snapshots.restore(definition.snapshot_id, self._code)
        kept = [*(["outputs"] if definition.collects_outputs else []), *definition.watched_directories]
        self._outputs = Outputs({name: self._code / name for name in kept}, restless_seconds=_RESTLESS_SECONDS)
        self._check()
        kills = out_of_memory_kills()
        mark = mark_of(self._journal_id, self._run_id)
        self._ranks = launch(definition, interpreter, self._code, self._files, mark)
        for rank in self._ranks:
            self._record(FileStored(self._run_id, _now(), rank.log, 0))
        self._say(RunStatus.RUNNING)
        self._let_the_next_begin()
        self._deadline = time.monotonic() + (definition.max_run_duration_seconds or float("inf"))
        failed = self._watch()
        if failed is None:
            self._stop_all()
            return RunStatus.COMPLETED, None
        self._stop_all()
        code = failed.process.returncode
        what = definition.script or "the command"
        log = self._files.path(self._run_id, failed.log)
        number = failed.number if len(self._ranks) > 1 else None
        error = exit_error(what, code, log, rank=number, out_of_memory=out_of_memory_kills() > kills)
        return RunStatus.FAILED, self._said_by_script() or error

    def _said_by_script(self) -> RunError | None:
        """Give why the script says that it failed, where it has called `Run.fail` before it ended."""
        with suppress(StoreError):
            self._recorder.recover_all(_PATIENCE_SECONDS)
            properties = self._recorder.store.properties(self._run_id)
            if FAILURE_MESSAGE in properties:
                return RunError(properties.get(FAILURE_CODE, "UserError"), properties[FAILURE_MESSAGE])
        return None

    def _prepare(self, definition: Definition) -> str:
        """Give the Python that runs the script; where it has to be made first, that is logged with the run."""
        if definition.interpreter is not None:
            return definition.interpreter
        from runwidgets.submit.building import cache_folder, interpreter_for

        self._say(RunStatus.PREPARING)
        self._let_the_next_begin()  # this may take minutes
        self._record(FileStored(self._run_id, _now(), BUILD_LOG, 0))
        with os.fdopen(self._files.open_to_append(self._run_id, BUILD_LOG), "wb") as log:
            try:
                return str(interpreter_for(definition.environment, cache_folder(), log, self._is_to_stop))
            except EnvironmentBuildStoppedError:
                self._check()
                raise
            finally:
                self._record(FileStored(self._run_id, _now(), BUILD_LOG, log.tell()))

    def _let_the_next_begin(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            with suppress(OSError):  # a ticket that cannot be deleted counts for nothing without its lock
                turn.give_back()

    def _is_to_stop(self) -> bool:
        try:
            self._check()
        except _StoppedError:
            return True
        return False

    def _watch(self) -> Rank | None:
        """Return when all processes have ended well, or one has failed: that one."""
        now = started_at = time.monotonic()
        sampler: Sampler | None = None
        sample_at, collect_at, sizes_at = now + _FIRST_SAMPLE_SECONDS, now + _COLLECT_SECONDS, now + _LOOK_SECONDS
        while True:
            self._reap()
            ended = [rank for rank in self._ranks if rank.process.returncode is not None]
            failed = next((rank for rank in ended if rank.process.returncode != 0), None)
            if failed is not None or len(ended) == len(self._ranks):
                self._note_exit(failed or ended[0], is_one_of_several=failed is not None and len(self._ranks) > 1)
                return failed
            self._check()
            now = time.monotonic()
            if now >= sample_at:
                sample_at = now + _SAMPLE_SECONDS
                if sampler is None:
                    sampler = _sampler(started_at)
                for name, value in sampler.sample(processes_of_run()).items():
                    self._record(PointLogged(self._run_id, name, _now(), value))
            if now >= collect_at:
                self._collect(settled_seconds=_SETTLED_SECONDS)
                took = time.monotonic() - now
                collect_at = now + max(_COLLECT_SECONDS, took / _SHARE)
            if now >= sizes_at:
                sizes_at = now + _LOOK_SECONDS
                self._note_sizes()
            self._alarm.wait(min(sample_at, collect_at, sizes_at, self._deadline) - time.monotonic())

    def _finish(self, status: RunStatus, error: RunError | None) -> None:
        if self._has_slot:
            self._say(RunStatus.FINALIZING)
        self._note_sizes()
        self._collect()
        with suppress(StoreError):
            self._recorder.recover_all(_PATIENCE_SECONDS)  # what the script logged last, where it was killed
        self._recorder.set_status(StatusSet(self._run_id, _now(), status, error))
        self._recorder.close()
        shutil.rmtree(self._working, ignore_errors=True)
        with suppress(OSError):
            self._place.supervisor.unlink()

    # ---- being stopped

    def _check(self) -> None:
        """Raise `_StoppedError` where the run is to end."""
        if self._place.is_to_cancel and not self._is_told_of_cancel:
            self._is_told_of_cancel = True
            self._say(RunStatus.CANCEL_REQUESTED)
        if (
            self._is_told_of_cancel
            or not self._has_slot
            or self._alarm.ended_by is not None
            or time.monotonic() >= self._deadline
        ):
            raise _StoppedError

    def _stopped(self) -> tuple[RunStatus, RunError | None]:
        self._stop_all()
        if self._is_told_of_cancel:
            return RunStatus.CANCELED, None
        if self._alarm.ended_by is not None or not self._has_slot:
            name = signal.Signals(self._alarm.ended_by or signal.SIGTERM).name
            return RunStatus.FAILED, RunError(
                "SupervisorTerminated", f"The process that ran the script was ended by {name}, and the script with it."
            )
        return RunStatus.CANCELED, RunError(
            "MaxRunDurationExceeded", "The run took longer than its max_run_duration_seconds, and was ended."
        )

    def _stop_all(self) -> None:
        """End all that the script has started: SIGTERM, and after a grace period SIGKILL."""
        until = time.monotonic() + _grace_seconds()
        if not terminate_descendants():
            return
        while processes_of_run() and time.monotonic() < until:
            self._reap()
            self._alarm.wait(min(0.05, until - time.monotonic()))
        end_descendants()
        for rank in self._ranks:
            rank.process.poll()

    def _reap(self) -> None:
        """Take notice of all children that have ended, those included that others have left to this process."""
        for rank in self._ranks:
            rank.process.poll()
        if not hasattr(os, "waitid"):  # macOS, before Python 3.13; nothing is left to this process there
            return
        mine = {rank.process.pid for rank in self._ranks if rank.process.returncode is None}
        with suppress(ChildProcessError):
            while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if found.si_pid in mine:
                    return
                os.waitpid(found.si_pid, 0)

    # ---- what is recorded

    def _say(self, status: RunStatus) -> None:
        self._recorder.set_status(StatusSet(self._run_id, _now(), status))

    def _record(self, event: FileStored | PointLogged | PropertiesAdded) -> None:
        self._recorder.write(event)

    def _note_exit(self, rank: Rank, *, is_one_of_several: bool) -> None:
        code = rank.process.returncode
        facts = {"runwidgets.exit_code": str(code)} if code >= 0 else {"runwidgets.signal": str(-code)}
        if is_one_of_several:
            facts[FAILED_LOG] = rank.log
        self._record(PropertiesAdded(self._run_id, _now(), facts))

    def _note_sizes(self) -> None:
        """Tell readers how long the logs are by now."""
        for rank in self._ranks:
            with suppress(OSError, LookupError):
                size = self._files.path(self._run_id, rank.log).stat().st_size
                if self._sizes.get(rank.log) != size:
                    self._sizes[rank.log] = size
                    self._record(FileStored(self._run_id, _now(), rank.log, size))

    def _collect(self, settled_seconds: float = 0.0) -> None:
        if self._outputs is None:
            return
        for name, size in self._outputs.collect(self._files, self._run_id, settled_seconds=settled_seconds):
            self._record(FileStored(self._run_id, _now(), name, size))


def _sampler(since: float) -> Sampler:
    from runwidgets.submit.sampling import Sampler  # a script that ends at once need not wait for psutil

    return Sampler(since)


def _grace_seconds() -> float:
    try:
        return float(os.environ.get("RUNWIDGETS_GRACE_SECONDS", GRACE_SECONDS))
    except ValueError:
        return GRACE_SECONDS
