"""How a process gets into a workspace: it writes a journal, and keeps a thread that folds it into the store."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import time
import weakref
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from runwidgets.errors import StoreError
from runwidgets.records import RunStatus, StatusSet
from runwidgets.store.ending import TERMINATED, unfinished, when_terminated, within_grace
from runwidgets.store.journal import JournalWriter, lock_of, read_journal, segments_in
from runwidgets.store.liveness import BEAT_SECONDS
from runwidgets.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from runwidgets.records import Event, RunError
    from runwidgets.store.contract import Store
    from runwidgets.store.journal import Segment

_log = logging.getLogger(__name__)

FOLD_SECONDS: Final = 0.25
"""How often the journal is folded into the store."""
RECOVER_SECONDS: Final = 2.0
"""How often journals of dead processes are looked for."""


class Recorder:
    """Writes events of one workspace, and sees to it that readers find them.

    One per workspace and process: get it with `recorder_of`. Any thread may call any method. After a fork the child
    goes on with a journal of its own; the runs stay its parent's.

    Parameters
    ----------
    folder
        The workspace's folder; it is made where it is missing.

    Raises
    ------
    StoreError, SchemaError
        If the store in it cannot be opened. Once open, nothing that fails here reaches the training: it is a
        warning, and events wait.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journals = folder / "journals"
        try:
            self._journals.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the workspace's folder {folder} cannot be made ({error}): "
                "set RUNWIDGETS_HOME to a folder that this user can write"
            ) from error
        self.store: Store = SqliteStore(folder / "runs.sqlite")
        self._reset()
        self.recover()

    def _reset(self) -> None:
        self._status_listeners: list[Callable[[str], None]] = []
        self._mutex = threading.RLock()
        self._folding = threading.RLock()
        self._journal: JournalWriter | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._folded = 0
        self._owned: dict[str, Callable[[], None] | None] = {}
        self._beaten_at = 0.0
        self._recovered_at = 0.0
        self._complained = False
        self._unreadable: set[str] = set()

    # ---- writing

    def write(self, event: Event) -> None:
        """Append an event to the journal; on return it outlives this process."""
        journal = self._journal
        if journal is None:
            journal = self._open_journal()
        journal.write(event)

    def _open_journal(self) -> JournalWriter:
        with self._mutex:
            if self._journal is None:
                self._journal = JournalWriter(self._journals)
                self._folded = 0
                self._stop.clear()
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
        for listener in tuple(self._status_listeners):
            listener(event.run_id)

    def own(self, run_id: str, at_end: Callable[[], None] | None = None) -> None:
        """Take on a run: if this process ends before the run does, the run is recorded as Failed.

        Parameters
        ----------
        run_id
            Its id.
        at_end
            What to do when it ends in this process, however it does. It may be called again after a call that failed.
        """
        self._owned[run_id] = at_end
        when_terminated(_terminate)

    def finish(self, run_id: str) -> None:
        """Do what is to be done before a run ends, if this process owns it."""
        if at_end := self._owned.get(run_id):
            at_end()

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
            If the store does not answer. What was logged stays in the journal.
        """
        journal = self._journal
        if journal is None:
            return
        with self._folding:
            journal.drain()
            try:
                self._folded = self._fold(journal.segments, self._folded, is_final=False)
                journal.tidy(self._folded)
            except OSError as error:
                raise StoreError(f"the journal {journal.path} cannot be read: {error}") from error

    def _fold(self, segments: Sequence[Segment], folded: int, *, is_final: bool) -> int:
        """Fold the files of a journal from an offset on; give the offset to go on from.

        Parameters
        ----------
        segments
            The journal's files, in order.
        folded
            Up to where it is folded.
        is_final
            Whether its writer is gone.
        """
        for segment, following in zip_longest(segments, segments[1:]):
            if folded < segment.begin:
                _log.warning("%s: the %d bytes before it are missing", segment.path, segment.begin - folded)
                if not self.store.fold(segment.journal_id, folded, segment.begin, ()):
                    return self.store.folded_bytes(segment.journal_id)
                folded = segment.begin
            end_of_file = following.begin if following else None
            while end_of_file is None or folded < end_of_file:
                end = self._fold_file(segment, folded, is_final=is_final or following is not None)
                if end == folded:
                    break  # nothing more is there, or a torn event that could not be cut off
                folded = end
        return folded

    def _fold_file(self, segment: Segment, folded: int, *, is_final: bool) -> int:
        reading = read_journal(segment.path, folded - segment.begin, is_final=is_final)
        for damage in reading.damage:
            _log.warning(
                "%s: %d bytes at offset %d are damaged and were skipped", segment.path, damage.length, damage.offset
            )
        end = segment.begin + reading.end
        if end == folded or self.store.fold(segment.journal_id, folded, end, reading.events):
            return end
        return self.store.folded_bytes(segment.journal_id)

    def _keep_folding(self) -> None:
        stop = self._stop
        while not stop.wait(FOLD_SECONDS):
            try:
                self._tick()
                self._complained = False
            except (StoreError, OSError) as error:
                if not self._complained:
                    self._complained = True
                    _log.warning("%s; what is logged waits in the journal, and training goes on", error)
            except Exception:  # noqa: BLE001 (the thread that carries the data must outlive a mistake of ours)
                if not self._complained:
                    self._complained = True
                    _log.exception("folding the journal failed; what is logged waits there, and training goes on")

    def _tick(self) -> None:
        self.flush()
        now = time.time()
        journal = self._journal
        if journal is not None and abs(now - self._beaten_at) >= BEAT_SECONDS:
            self.store.beat(journal.journal_id, now)
            self._beaten_at = now
        if abs(now - self._recovered_at) >= RECOVER_SECONDS:
            self._recovered_at = now
            self.recover()

    def recover(self) -> None:
        """Fold the journals of processes that are gone, end the runs that they left, delete the files."""
        for journal_id, segments in segments_in(self._journals).items():
            if self._journal is not None and journal_id == self._journal.journal_id:
                continue
            try:
                self._recover_one(journal_id, segments[0].path)
            except OSError as error:
                if journal_id not in self._unreadable:
                    self._unreadable.add(journal_id)
                    _log.warning("the journal %s of a process that is gone is kept: %s", journal_id, error)

    def _recover_one(self, journal_id: str, path: Path) -> None:
        from filelock import Timeout

        lock = lock_of(path)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            return  # its writer lives, or it is not ours to touch
        segments: Sequence[Segment] = ()
        try:
            segments = segments_in(self._journals).get(journal_id, ())
            if not segments or not all(os.access(segment.path, os.R_OK | os.W_OK) for segment in segments):
                return  # another process was faster, or they are another user's
            self._fold(segments, self.store.folded_bytes(journal_id), is_final=True)
            for run_id in self.store.end_journal(journal_id, time.time()):
                _log.warning("run %s is recorded as Failed: its process ended without completing it", run_id)
            for segment in segments:
                segment.path.unlink()
        finally:
            lock.release()
            if not any(segment.path.exists() for segment in segments):
                path.with_name(f"{journal_id}.lock").unlink(missing_ok=True)

    # ---- the end of the process, and forks

    def close(self) -> None:
        """End what this process left unfinished, fold all, and close; writing again opens anew."""
        self._end_owned(self.set_status, unfinished)
        with self._mutex:
            journal, thread = self._journal, self._thread
            if journal is None:
                self.store.close()
                return
            self._stop.set()
            if thread is not None and thread is not threading.current_thread():
                thread.join(timeout=10)
            try:
                self.flush()
                self.recover()  # of workers that this process forked, and that are gone by now
                self.store.end_journal(journal.journal_id, time.time())
                journal.close(remove=True)
            except (StoreError, OSError) as error:
                _log.warning("%s; what was logged is in %s and will be read later", error, journal.path)
                journal.close()
            self._journal = self._thread = None
            self.store.close()

    def _end_owned(self, write: Callable[[StatusSet], None], reason: Callable[[], RunError]) -> None:
        """Record the runs as Failed, then do what is to be done at their end: that may take longer than there is."""
        owned, self._owned = self._owned, {}
        for run_id in owned:
            write(StatusSet(run_id, time.time(), RunStatus.FAILED, reason()))
        for at_end in owned.values():
            if at_end is not None:
                at_end()

    def _before_fork(self) -> None:
        self._mutex.acquire()
        self._folding.acquire()
        self.store.suspend()

    def _after_fork_in_parent(self) -> None:
        self.store.resume(in_child=False)
        self._folding.release()
        self._mutex.release()

    def _after_fork_in_child(self) -> None:
        self.store.resume(in_child=True)
        journal = self._journal
        self._reset()
        if journal is not None:
            journal.abandon()


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
