"""The process of a submitted run, from its place in the queue to its end.

It begins small: while it waits for a slot it has loaded next to nothing, since hundreds of runs may wait. With a slot
it becomes two. The child, the supervisor proper (`runwidgets.submit.supervision`), starts the script and looks after
it. The parent, its warden, does nothing but wait for it: should the supervisor be killed, all that the script has
started falls to the warden, which ends it, records the run as Failed and lets go of the slot.

Arguments: ``FOLDER RUN_ID TARGET JOURNAL_ID LOCK TICKET HANDLE``, where ``LOCK`` and ``HANDLE`` are inherited handles,
of the journal's lock and of the ticket. It begins when a byte comes on standard input, and ends where none does.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runwidgets.store.queue import Queue, Ticket
from runwidgets.submit.descent import end_descendants
from runwidgets.submit.waking import Alarm
from runwidgets.system import adopt_orphans, open_to_wait, this_process, wait_until_free

if TYPE_CHECKING:
    from runwidgets.store.queue import Slot

_FIRST_LOOK_SECONDS: Final = 2.0
"""How often the first in the line looks though nothing woke it: somebody may have given the target more slots."""
_LOOK_SECONDS: Final = 20.0
"""How often the others do."""
_READY: Final = 2
"""So many at the head of the line have loaded what they need."""
_TRIES: Final = 3
_MOMENT_SECONDS: Final = 0.002


def main(arguments: list[str]) -> int:
    """Wait for a slot, and see a run through to its end."""
    folder, run_id, target, journal_id, lock, ticket, held = arguments
    for handle in (int(lock), int(held)):
        os.set_inheritable(handle, False)
    if not os.read(0, 1):
        return 1  # who submitted it has ended, or changed its mind
    submission = Path(folder, "submissions", run_id)
    queue = Queue(Path(folder), target)
    journal = Path(folder, "journals", f"{journal_id}.journal")
    watches = _Watches(Alarm())
    place = Ticket(Path(ticket), int(held))
    slot = _wait_for_slot(queue, place, submission, journal, watches)
    turn = None if slot is None else place
    adopt_orphans()
    supervisor = os.fork()
    if supervisor:
        return _ward(supervisor, Path(folder), int(lock), turn)
    adopt_orphans()  # a child does not inherit that
    watches.close()
    alarm = Alarm()
    _tell_whom_to_wake(submission)
    _load()
    gc.freeze()  # so that pages stay shared with the warden
    gc.enable()
    from runwidgets.store.locks import Adopted
    from runwidgets.submit.supervision import Supervision

    Supervision(Path(folder), run_id, Adopted(journal_id, int(lock)), alarm, turn).see_through()
    return 0


def _wait_for_slot(queue: Queue, ticket: Ticket, submission: Path, journal: Path, watches: _Watches) -> Slot | None:
    """Return with a slot when it is the run's turn; without one, when the run is to be canceled before.

    With a slot the ticket is kept: who is next may take another slot when this run's script has begun.
    """
    alarm = watches.alarm
    _tell_whom_to_wake(submission)
    slot: Slot | None = None
    try:
        while not (submission / "cancel").exists() and alarm.ended_by is None:
            ahead = queue.ahead_of(ticket.path, _READY)
            for _ in range(0 if ahead else _TRIES):
                slot = queue.take_slot(submission.name)
                if slot is not None:
                    return slot
                time.sleep(_MOMENT_SECONDS)  # whoever waits for a slot holds it for a moment when it gets free
            if len(ahead) < _READY:
                _load()  # to be ready when a slot gets free
            for path in ahead or queue.slot_paths():
                watches.watch(path)
            alarm.wait(_LOOK_SECONDS if ahead else _FIRST_LOOK_SECONDS)
            with suppress(OSError):
                os.utime(journal)  # which tells observers on other machines that its writer lives
    finally:
        if slot is None:
            ticket.give_back()
    return None


def _load() -> None:
    """Load what a supervisor needs, but for typing_extensions, which msgspec takes where it can and can do without."""
    is_missing = "typing_extensions" not in sys.modules
    if is_missing:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment] # as if it were not installed
    try:
        import runwidgets.submit.supervision  # noqa: F401
    finally:
        if is_missing:
            del sys.modules["typing_extensions"]


class _Watches:
    """Threads that wake this process when files get free: each waits for the lock of one.

    They go on waiting in the warden, and let go at once of what they get. The supervisor has none of them, but it has
    inherited their handles, which would keep a lock for as long as it lives: it closes them.
    """

    def __init__(self, alarm: Alarm) -> None:
        self.alarm = alarm
        self._handles: dict[Path, int] = {}
        self._threads: dict[Path, threading.Thread] = {}

    def watch(self, path: Path) -> None:
        """Have this process woken when a file gets free or is gone."""
        if path in self._threads and self._threads[path].is_alive():
            return
        if path in self._handles:
            os.close(self._handles.pop(path))
        handle = open_to_wait(path)
        if handle is None:
            self.alarm.ring()
            return
        self._handles[path] = handle
        self._threads[path] = threading.Thread(target=self._ring_when_free, args=(handle,), daemon=True)
        self._threads[path].start()

    def _ring_when_free(self, handle: int) -> None:
        wait_until_free(handle)
        self.alarm.ring()

    def close(self) -> None:
        """Close the handles, in the child."""
        while self._handles:
            os.close(self._handles.popitem()[1])


def _tell_whom_to_wake(submission: Path) -> None:
    process = this_process()
    scratch = submission / f".supervisor-{process.pid}"
    scratch.write_text(f"{process.pid} {process.started_at}", "ascii")
    scratch.replace(submission / "supervisor")


def _ward(supervisor: int, folder: Path, lock: int, turn: Ticket | None) -> int:
    """Wait for the supervisor; end what it leaves behind, and the run, should it be killed."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)
    _, status = os.waitpid(supervisor, 0)
    if turn is not None:
        with suppress(OSError):
            turn.give_back()
    end_descendants()
    if status == 0:
        return 0
    os.close(lock)
    from runwidgets.store.recorder import recorder_of

    recorder = recorder_of(folder)
    recorder.recover()
    recorder.close()
    return 1
