"""How a process gets into a workspace: it writes a journal, and keeps a thread that folds it into the store.

Writing needs neither the store nor the folder: what cannot be folded waits in the journal, what cannot be written there
waits in memory, and the thread tries again until it can.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Final, NamedTuple

from runwidgets.errors import StoreError
from runwidgets.events import StatusSet
from runwidgets.exiting import watch_exit_code
from runwidgets.records import RunStatus
from runwidgets.store.access import StoreAccess
from runwidgets.store.appender import NO_FILE, Appender
from runwidgets.store.ending import TERMINATED, UNFINISHED, ending_error, when_terminated, within_grace
from runwidgets.store.framing import frame
from runwidgets.store.journal import JournalWriter
from runwidgets.store.liveness import BEAT_SECONDS
from runwidgets.store.recovery import Recovery, fold_journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runwidgets.events import Event, RunCreated
    from runwidgets.records import RunError
    from runwidgets.store.contract import Store
    from runwidgets.store.locks import Adopted

_log = logging.getLogger(__name__)

FOLD_SECONDS: Final = 0.25
"""How often the thread looks at the journal."""
SOON_SECONDS: Final = 0.05
"""How long after a status was set it is folded."""
PATIENCE: Final = 3
"""After how many such looks what is in the journal is folded, however little it is."""
MUCH_BYTES: Final = 16 * 2**10
"""From how much on it is folded at the next look."""
_MOMENT_SECONDS: Final = 0.01
RECOVER_SECONDS: Final = 2.0
"""How often journals of dead processes are looked for."""


class Owned(NamedTuple):
    """A run that this process owes an end: how it began, and what is to be done at its end."""

    created: RunCreated | None
    at_end: Callable[[], None] | None
    completes_at_exit: bool


class Recorder:
    """Writes events of one workspace, and sees to it that readers find them.

    One per workspace and process: get it with `recorder_of`. Any thread may call any method. After a fork the child
    goes on with a journal of its own; the runs stay its parent's.

    Parameters
    ----------
    folder
        The workspace's folder; it is made where it is missing.

    Nothing that fails here reaches the training: it is a warning, and events wait. Who reads gets a `StoreError`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._access = StoreAccess(folder)
        self._recovery = Recovery(folder / "journals")
        self.appender = Appender(self._insert)
        """What threads append to the journal with: whatever is bound to it is good for as long as this recorder."""
        self.is_deleted = False
        """Whether the workspace was deleted: then what is logged is lost, lest a late value bring the folder back."""
        self._reset()
        with contextlib.suppress(StoreError):  # who reads is told by `store`, who writes by the thread
            self.recover()

    def _reset(self) -> None:
        self._status_listeners: list[Callable[[str], None]] = []
        self._mutex = threading.RLock()
        self._folding = threading.RLock()
        self._journal: JournalWriter | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._folded = 0
        self._folded_into: Store | None = None
        self._lost = 0
        self._owned: dict[str, Owned] = {}
        self._has_told_of_deletion = False
        self._beaten_at = self._recovered_at = time.monotonic()

    @property
    def store(self) -> Store:
        """The workspace's store, to read from; opened where it is not open.

        Raises
        ------
        StoreError, SchemaError
            If it cannot be opened.
        """
        if self.is_deleted:
            raise StoreError(f"the workspace {self.folder} was deleted")
        return self._access.get()

    # ---- writing

    def write(self, event: Event) -> None:
        """Append an event to the journal; on return it outlives this process."""
        self.appender.append(frame(event))

    def _insert(self, data: bytes, written: int) -> None:
        """Write what could not be appended: there is no journal, or it cannot be written just now."""
        journal = self._journal
        while journal is None or not journal.insert(data, written):
            journal, written = self._open_journal(), 0
            if journal is None:
                return

    def adopt(self, journal: Adopted) -> None:
        """Write on in a journal that another process has begun for this one, instead of one of its own."""
        self._open_journal(journal)

    def _open_journal(self, adopted: Adopted | None = None) -> JournalWriter | None:
        with self._mutex:
            if self.is_deleted:
                if not self._has_told_of_deletion:
                    self._has_told_of_deletion = True
                    _log.warning("the workspace %s was deleted: what is logged there is lost", self.folder)
                return None
            if self._journal is None or self._journal.is_closed:
                self._journal = JournalWriter(self.folder / "journals", self.appender, adopted)
                self._folded_into = None
                self._lost = 0
                self._beaten_at = time.monotonic()  # a journal's first event says that its writer lives
                self._stop, self._wake = threading.Event(), threading.Event()
                thread = threading.Thread(target=self._keep_folding, name="runwidgets-fold", daemon=True)
                with contextlib.suppress(RuntimeError):  # the interpreter ends, and starts no more: others will fold
                    thread.start()
                    self._thread = thread
            return self._journal

    def set_status(self, event: StatusSet) -> None:
        """Write a status, remember whether this process owes the run an end, and tell who watches here."""
        self.write(event)
        if event.status.is_final:
            self._owned.pop(event.run_id, None)
        self._wake.set()
        for listener in tuple(self._status_listeners):
            listener(event.run_id)

    def own(
        self,
        run_id: str,
        created: RunCreated | None = None,
        *,
        at_end: Callable[[], None] | None = None,
        completes_at_exit: bool = False,
    ) -> None:
        """Take on a run: if this process ends before the run does, the run is recorded as Failed.

        Parameters
        ----------
        run_id
            Its id.
        created
            How it began; with that it is made anew, should the store lose it.
        at_end
            What to do when it ends in this process, however it does. It may be called again after a call that failed.
        completes_at_exit
            Record it as Completed instead, where the process ends by itself and without an error.
        """
        self._owned[run_id] = Owned(created, at_end, completes_at_exit)
        if completes_at_exit:
            watch_exit_code()
        when_terminated(_terminate)

    def finish(self, run_id: str) -> None:
        """Do what is to be done before a run ends, if this process owns it."""
        owned = self._owned.get(run_id)
        if owned is not None and owned.at_end is not None:
            owned.at_end()

    @property
    def owned(self) -> tuple[str, ...]:
        """The runs that this process owes an end."""
        return tuple(self._owned)

    @property
    def waits_in_memory(self) -> bool:
        """Whether events wait in memory, because the journal cannot be written; of which it has told."""
        return self._journal is not None and self._journal.waiting > 0

    @property
    def journal_id(self) -> str | None:
        """The journal that this process writes; None while it writes none."""
        return self._journal.journal_id if self._journal else None

    def on_status(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call ``listener(run_id)`` when this process sets a run's status; returns what ends that."""
        self._status_listeners.append(listener)

        def forget() -> None:
            with contextlib.suppress(ValueError):
                self._status_listeners.remove(listener)

        return forget

    # ---- folding

    def flush(self) -> None:
        """Return when all that this process logged can be read by others.

        Raises
        ------
        StoreError
            If the store does not answer, or events wait in memory. What was logged stays where it is.
        """
        journal = self._journal
        if journal is None:
            return
        journal.drain()
        self._fold(journal)
        if journal.waiting:
            raise StoreError(
                f"the journal {journal.path} cannot be written: events that wait in memory: {journal.waiting}"
            )

    def _fold(self, journal: JournalWriter) -> None:
        """Fold the journal of this process, and make sure that the store has the runs it owns."""
        with self._folding:
            try:
                was_gone = journal.mend()
            except OSError as error:
                raise StoreError(
                    f"the journal {journal.path} was deleted or replaced, and cannot be made anew ({error})"
                ) from error
            try:
                store, owned = self.store, tuple(self._owned.items())
                is_other, lost = store is not self._folded_into, journal.lost
                if is_other:
                    was_gone |= self._go_on_in(store, journal)
                if was_gone:
                    _log.warning(
                        "%s, or files in it, were deleted or replaced while this process logged. What it still has is "
                        "written anew: its runs, and their journal from byte %d on; whatever else was there is lost",
                        self.folder,
                        journal.segments[0].begin,
                    )
                self._folded = fold_journal(store, journal.segments, self._folded, journal.end())
                if (was_gone or is_other or lost != self._lost) and not journal.waiting:
                    self._make_missing(store, journal, owned)
                    self._folded_into, self._lost = store, lost
            except OSError as error:
                raise StoreError(f"the journal {journal.path} cannot be read: {error}") from error
            finally:
                journal.tidy(self._folded)

    def _go_on_in(self, store: Store, journal: JournalWriter) -> bool:
        """Learn how far a store that was opened anew has got; tell whether it had been further."""
        folded = store.folded_bytes(journal.journal_id)
        has_less = self._folded_into is not None and folded < self._folded
        begin = journal.segments[0].begin
        if has_less and folded < begin:
            store.fold(journal.journal_id, folded, begin, (journal.opened,))
            folded = store.folded_bytes(journal.journal_id)
        self._folded = folded
        return has_less

    def _make_missing(self, store: Store, journal: JournalWriter, owned: tuple[tuple[str, Owned], ...]) -> None:
        for run_id, run in owned:
            created, found = run.created, store.run(run_id)
            if created is not None and (found is None or found.created_at is None):
                journal.write(created)
                journal.write(StatusSet(run_id, created.at, RunStatus.RUNNING))
        self._folded = fold_journal(store, journal.segments, self._folded, journal.end())

    def _keep_folding(self) -> None:
        stop, wake = self._stop, self._wake
        looks, trouble = 0, False
        while not stop.is_set():
            is_woken = wake.wait(FOLD_SECONDS)
            if is_woken:
                stop.wait(SOON_SECONDS)  # a burst of statuses is one fold, or none where somebody flushes
            wake.clear()
            journal = self._journal
            if journal is None or stop.is_set():
                return
            looks += 1
            unfolded = journal.end() - self._folded
            is_due = is_woken or looks >= PATIENCE or unfolded > MUCH_BYTES
            if not is_due and not journal.waiting:
                continue
            looks = 0
            try:
                journal.drain()
                self._look(journal)
            except Exception as error:  # noqa: BLE001 (the thread that carries the data must outlive a mistake of ours)
                if not trouble and not journal.waiting:  # of which the journal has told
                    trouble = True
                    _complain(error, journal)
                if isinstance(error, StoreError):
                    self._access.forget()
            else:
                if trouble:
                    _log.warning("the store in %s answers again: what waited in the journal is in it", self.folder)
                trouble = False

    def _look(self, journal: JournalWriter) -> None:
        self._fold(journal)
        now = time.monotonic()
        if now - self._beaten_at >= BEAT_SECONDS:
            self.store.beat(journal.journal_id, time.time())
            self._beaten_at = now
        if now - self._recovered_at >= RECOVER_SECONDS:
            self._recovered_at = now
            self.recover()

    def recover(self) -> None:
        """Fold the journals of processes that are gone, end the runs that they left, delete the files.

        Where this user may only read the store, they stay for somebody else.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        journal, store = self._journal, self.store
        if not self._access.is_read_only:
            self._recovery.recover(store, journal.journal_id if journal else None)

    def recover_all(self, patience_seconds: float) -> None:
        """Recover, and wait for what others recover just now: afterwards what dead processes logged can be read.

        Parameters
        ----------
        patience_seconds
            How long to wait at most.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        until = time.monotonic() + patience_seconds
        self.recover()
        while self._recovery.has_dead(self.store, self.journal_id) and time.monotonic() < until:
            time.sleep(_MOMENT_SECONDS)
            self.recover()

    @property
    def has_company(self) -> bool:
        """Whether there are journals of other processes."""
        return self._recovery.has_others(self.journal_id)

    # ---- the end of the process, and forks

    def close(self) -> None:
        """End what this process left unfinished, fold all, and close; writing again opens anew."""
        self._end_owned(self.set_status, ending_error())
        with self._mutex:
            journal, thread = self._journal, self._thread
            if journal is None:
                self._access.forget()
                return
            self._stop.set()
            self._wake.set()
            if thread is not None and thread is not threading.current_thread():
                thread.join(timeout=10)
            try:
                self.flush()
                self.recover()  # of workers that this process forked, and that are gone by now
                self.store.end_journal(journal.journal_id, time.time())
                journal.close(folded=self._folded)
            except (StoreError, OSError) as error:
                if not journal.waiting:  # else the journal tells what is lost
                    _log.warning("%s; what is in %s will be read later", error, journal.path)
                journal.close()
            if self._journal is journal:  # else a signal's handler has logged, and so opened another
                self._journal = self._thread = None
            self._access.forget()

    def _end_owned(self, write: Callable[[StatusSet], None], error: RunError | None) -> None:
        """Record the ends of the runs, then do what is to be done then: that may take longer than there is."""
        owned, self._owned = self._owned, {}
        for run_id, run in owned.items():
            if error is None and run.completes_at_exit:
                write(StatusSet(run_id, time.time(), RunStatus.COMPLETED))
            else:
                write(StatusSet(run_id, time.time(), RunStatus.FAILED, error or UNFINISHED))
        for run in owned.values():
            if run.at_end is not None:
                run.at_end()

    def _before_fork(self) -> None:
        self._mutex.acquire()
        self._folding.acquire()
        self._access.suspend()

    def _after_fork_in_parent(self) -> None:
        self._access.resume(in_child=False)
        self._folding.release()
        self._mutex.release()

    def _after_fork_in_child(self) -> None:
        self.appender.go_on(NO_FILE)
        self._access.resume(in_child=True)
        journal = self._journal
        self._reset()
        if journal is not None:
            journal.abandon()


def _complain(error: Exception, journal: JournalWriter) -> None:
    if isinstance(error, (StoreError, OSError)):
        _log.warning(
            "%s. What is logged waits in the journal %s and goes to the store when that can be; training goes on",
            error,
            journal.path,
        )
    else:
        _log.error(
            "folding the journal %s failed; what is logged waits there, and training goes on",
            journal.path,
            exc_info=error,
        )


_recorders: dict[Path, Recorder] = {}
_recorders_mutex = threading.Lock()
_for_fork: weakref.WeakSet[Recorder] = weakref.WeakSet()
_suspended: list[Recorder] = []


def recorder_of(folder: Path) -> Recorder:
    """Give this process's recorder of a workspace's folder; all callers share it."""
    folder = folder.absolute()
    with _recorders_mutex:
        if folder not in _recorders:
            recorder = Recorder(folder)
            _recorders[folder] = recorder
            _for_fork.add(recorder)
        return _recorders[folder]


def opened_recorder(folder: Path) -> Recorder | None:
    """Give this process's recorder of a workspace's folder where there is one."""
    with _recorders_mutex:
        return _recorders.get(folder.absolute())


def discard(folder: Path) -> None:
    """Close this process's recorder of a workspace's folder and forget it: the folder is about to go."""
    with _recorders_mutex:
        recorder = _recorders.pop(folder.absolute(), None)
    if recorder is not None:
        recorder.close()


def _terminate() -> None:
    """Record the end of all runs, in the middle of whatever the main thread is at.

    Journals can be written then. What folds them, and whoever watches, may need what the main thread holds.
    """
    ending = [recorder for recorder in list(_recorders.values()) if recorder._owned]
    for recorder in ending:
        for run_id in list(recorder._owned):
            recorder.write(StatusSet(run_id, time.time(), RunStatus.FAILED, TERMINATED))
    if ending:
        within_grace(close_all)


@atexit.register
def close_all() -> None:
    """Close every recorder of this process (at its end, by itself)."""
    with _recorders_mutex:
        recorders = list(_recorders.values())
        _recorders.clear()
    for recorder in recorders:
        recorder.close()


def _before_fork() -> None:
    _recorders_mutex.acquire()
    for recorder in _for_fork:
        recorder._before_fork()
        _suspended.append(recorder)


def _after_fork_in_parent() -> None:
    while _suspended:
        _suspended.pop()._after_fork_in_parent()
    _recorders_mutex.release()


def _after_fork_in_child() -> None:
    global _recorders_mutex  # noqa: PLW0603 (it belongs to a thread that is not there)
    while _suspended:
        _suspended.pop()._after_fork_in_child()
    _recorders_mutex = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
