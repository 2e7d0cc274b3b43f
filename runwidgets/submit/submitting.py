"""Submitting a script: all is checked and kept before anything starts, and the run outlives who submitted it."""

from __future__ import annotations

import getpass
import logging
import os
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runwidgets.compute import ComputeTarget
from runwidgets.errors import ArgumentTypeError, RunwidgetsError, SnapshotError, StoreError, UserError
from runwidgets.events import PropertiesAdded, RunCreated, StatusSet, TagsSet
from runwidgets.home import home
from runwidgets.recording import tag_texts
from runwidgets.records import RunStatus
from runwidgets.starting import checked_run_id
from runwidgets.store.handover import NewJournal
from runwidgets.store.orphans import SUPERVISOR
from runwidgets.store.queue import Queue
from runwidgets.store.recovery import fold_journal
from runwidgets.store.snapshots import snapshots_of
from runwidgets.store.sources import Limits
from runwidgets.submit.definition import Definition, Place, working_folder
from runwidgets.submit.lineage import held_above, submitting_run
from runwidgets.submit.script_run import ScriptRun
from runwidgets.surroundings import SNAPSHOT_ID, facts_of, keep_texts
from runwidgets.system import process_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runwidgets.events import Event
    from runwidgets.experiment import Experiment
    from runwidgets.store.contract import Store
    from runwidgets.submit.definition import Program

_MAIN: Final = (
    "import gc, os, sys; gc.disable(); sys.path.append(sys.argv[1]); "
    "from runwidgets.submit.supervisor import main; code = main(sys.argv[2:]); "
    "sys.stdout.flush(); sys.stderr.flush(); os._exit(code)"  # taking down the interpreter keeps the slot for 5 ms more
)
_PACKAGE_ROOT: Final = str(Path(__file__).parents[2])
_FOR_AZURE_ALONE: Final = frozenset({"credential_passthrough"})
_HIGHEST_PRIORITY: Final = 10_000
_log = logging.getLogger(__name__)
_now = time.time


def submit_program(
    experiment: Experiment,
    program: Program,
    tags: Mapping[str, Any] | None = None,
    *,
    run_id: str | None = None,
    display_name: str | None = None,
    priority: int | None = None,
    _parent_run_id: str | None = None,
    **unused: object,
) -> ScriptRun:
    """Submit a program that was checked; see `submit`.

    Raises
    ------
    UserError
        If there is no such argument, or the id is taken.
    ComputeTargetError
        If the workspace has no such target.
    """
    if unknown := sorted(unused.keys() - _FOR_AZURE_ALONE):
        raise ArgumentTypeError(f"submit() has no argument {', '.join(unknown)}")
    ComputeTarget(experiment.workspace, program.target)
    priority = _priority(priority if priority is not None else program.priority)
    definition = Definition(
        **msgspec.structs.asdict(program),
        run_id=new_run_id(experiment, run_id),
        home=str(home()),
        workspace=experiment.workspace.name,
        experiment=experiment.name,
        snapshot_id="",
        submitted_by=_user(),
        submitted_from=submitting_run(experiment.workspace),
    )
    run = submit(experiment, definition, tags=tags, parent_id=_parent_run_id, name=display_name, priority=priority)
    if held := held_above(experiment.workspace, program.target, _parent_run_id, definition.submitted_from):
        _log.warning(
            "run %s waits in the queue of %r: %s. Who waits for it before that waits for ever: submit it to another "
            "target, or give this one more slots by ComputeTarget.create(workspace, name, LocalCompute(slots=…))",
            run.id,
            program.target,
            held,
        )
    return run


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, LookupError, ImportError):  # a user of whom the system knows a number alone
        return ""


def _priority(priority: object) -> int:
    if priority is None:
        return 0
    if not isinstance(priority, int) or isinstance(priority, bool) or abs(priority) > _HIGHEST_PRIORITY:
        raise UserError(
            f"priority is {priority!r}: give an integer from -{_HIGHEST_PRIORITY:,} to {_HIGHEST_PRIORITY:,}; "
            "runs of a higher one come first"
        )
    return priority


def submit(
    experiment: Experiment,
    definition: Definition,
    *,
    tags: Mapping[str, Any] | None = None,
    parent_id: str | None = None,
    name: str | None = None,
    priority: int = 0,
) -> ScriptRun:
    """Keep what a run is to do, and start the process that sees it through.

    Parameters
    ----------
    experiment
        Where the run will be.
    definition
        What it is to do, but for the snapshot, which is taken now.
    tags
        Tags to begin with.
    parent_id
        The run that it is a child of.
    name
        What to call it.
    priority
        Runs of a higher one come first.

    Raises
    ------
    SnapshotError
        If the folder cannot be kept.
    StoreError
        If the workspace cannot be written. Nothing is started then.
    UserError
        If a tag is not one, or the temporary folder cannot be written.
    """
    workspace, run_id = experiment.workspace, definition.run_id
    source = Path(definition.source_directory)
    texts = tag_texts(tags) if tags else {}
    _check_working_folder(run_id)
    store = workspace._store
    start: _Start | None = None
    try:
        start = _Start(workspace._folder, definition, priority)
        snapshot_id = _snapshot(
            workspace._folder, source, definition.script
        )  # while the other process loads what it needs
        start.place.define(msgspec.structs.replace(definition, snapshot_id=snapshot_id))
        properties, files = facts_of(source, with_diff=True)
        properties[SNAPSHOT_ID] = snapshot_id
        at = _now()
        events: list[Event] = [RunCreated(run_id, at, experiment.name, parent_id, name, ScriptRun.RUN_TYPE)]
        if texts:
            events.append(TagsSet(run_id, at, texts))
        events += [PropertiesAdded(run_id, at, properties), *keep_texts(workspace, run_id, files)]
        events.append(StatusSet(run_id, at, RunStatus.QUEUED))
        start.record(store, events)
    except BaseException as error:
        if start is not None:
            start.give_up()
        if isinstance(error, OSError) and not isinstance(error, RunwidgetsError):
            raise StoreError(f"the run cannot be submitted: {workspace._folder}: {error}") from error
        raise
    start.go()
    run = ScriptRun.__new__(ScriptRun)
    run._begin(experiment, run_id, name, parent_id, ScriptRun.RUN_TYPE)
    run._status = RunStatus.QUEUED
    run._tags, run._properties = dict(texts), properties
    return run


class _Start:
    """A supervisor that is started and waits for the word to go on, its journal, and its place in the queue."""

    def __init__(self, folder: Path, definition: Definition, priority: int) -> None:
        self.place = Place(folder, definition.run_id)
        self.place.folder.mkdir(parents=True, exist_ok=True)
        self._journal = NewJournal(folder / "journals")
        try:
            self._ticket = Queue(folder, definition.target).enter(definition.run_id, priority)
            try:
                self._process = self._start(folder, definition)
            except BaseException:
                self._ticket.give_back()
                raise
        except BaseException:
            self._journal.discard()
            self.place.remove()
            raise

    def _start(self, folder: Path, definition: Definition) -> subprocess.Popen[bytes]:
        journal, ticket = self._journal, self._ticket
        words = [_PACKAGE_ROOT, folder, definition.run_id, definition.target, journal.journal_id, journal.lock]
        words += [ticket.path, ticket.handle]
        with self.place.said.open("ab") as said:
            return subprocess.Popen(  # noqa: S603 (our own)
                [sys.executable, "-P", "-W", "ignore::DeprecationWarning", "-c", _MAIN, *map(str, words)],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                cwd=folder,
                env=os.environ | {"RUNWIDGETS_HOME": definition.home, SUPERVISOR: definition.run_id},
                pass_fds=(journal.lock, ticket.handle),
                start_new_session=True,
            )

    def record(self, store: Store, events: list[Event]) -> None:
        """Write the first events of the run into its journal, and fold them: it can be read from now on."""
        journal = self._journal
        journal.begin(process_of(self._process.pid), events)
        fold_journal(store, [journal.segment], 0, journal.path.stat().st_size)

    def give_up(self) -> None:
        """Undo all; the supervisor ends at once."""
        self._say("")
        self._process.wait()
        self._ticket.give_back()
        self._journal.discard()
        self.place.remove()

    def go(self) -> None:
        """Let the supervisor go on, alone from now on."""
        self._say("go")
        self._journal.let_go()
        os.close(self._ticket.handle)
        threading.Thread(target=self._process.wait, name="runwidgets-reap", daemon=True).start()

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 (for mypy)
        with suppress(BrokenPipeError), self._process.stdin as pipe:
            pipe.write(word.encode())


def new_run_id(experiment: Experiment, run_id: str | None) -> str:
    """Give a run its id: the one that was asked for, where it can be; else one of the form that SDK v1 gives.

    Raises
    ------
    UserError
        If it is no id, or the workspace has a run of it.
    """
    if run_id is None:
        return f"{experiment.name}_{int(_now())}_{uuid.uuid4().hex[:8]}"
    return checked_run_id(experiment, run_id)


def _check_working_folder(run_id: str) -> None:
    folder = working_folder(run_id).parent
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            raise PermissionError(13, "it is another user's")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "this user may not write there")
    except OSError as error:
        raise UserError(
            f"scripts run in copies of their files in {folder}, which cannot be written ({error}): "
            "set TMPDIR to a folder that can"
        ) from error


def _snapshot(folder: Path, source: Path, script: str | None) -> str:
    snapshots = snapshots_of(folder)
    snapshot = snapshots.take(source, without=[home()], limits=Limits())
    if snapshot.unreadable:
        raise SnapshotError(
            f"no snapshot of {source} is kept: these cannot be read: {', '.join(snapshot.unreadable[:5])}"
        )
    if script is not None and all(file.name != script for file in snapshots.files(snapshot.id)):
        raise SnapshotError(
            f"the snapshot of {source} leaves out the script {script}, so that it could not run: take it out of "
            ".amlignore or .gitignore, or out of a folder that no snapshot has, such as outputs and logs"
        )
    return snapshot.id
