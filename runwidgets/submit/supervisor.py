"""The process of a submitted run, from its place in the queue to its end.

It begins small: while it waits for a slot it has loaded next to nothing, since hundreds of runs may wait. With a slot
it becomes two. The child, the supervisor proper (`runwidgets.submit.supervision`), starts the script and looks after
it. The parent, its warden, does nothing but wait for it: should the supervisor be killed, all that the script has
started falls to the warden, which ends it, records the run as Failed and lets go of the slot.

Arguments: ``FOLDER RUN_ID TARGET JOURNAL_ID LOCK TICKET HANDLE``, where ``LOCK`` and ``HANDLE`` are inherited handles,
of the journal's lock and of the ticket. It begins when a byte comes on standard input, and ends where none does.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runwidgets.store.queue import Queue, Ticket
from runwidgets.submit.descent import end_descendants
from runwidgets.submit.waking import Alarm
from runwidgets.system import adopt_orphans, this_process, wait_until_free

if TYPE_CHECKING:
    from runwidgets.store.queue import Slot

_FIRST_LOOK_SECONDS: Final = 2.0
"""How often the first in the line looks though nothing woke it: somebody may have given the target more slots."""
_LOOK_SECONDS: Final = 20.0
"""How often the others do."""
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
    slot = _wait_for_slot(queue, Ticket(Path(ticket), int(held)), run_id, submission, journal)
    adopt_orphans()
    supervisor = os.fork()
    if supervisor:
        return _ward(supervisor, Path(folder), int(lock))
    alarm = Alarm()
    _tell_whom_to_wake(submission)
    from runwidgets.submit.supervision import Supervision

    Supervision(Path(folder), run_id, journal_id, int(lock), alarm, has_slot=slot is not None).see_through()
    return 0


def _wait_for_slot(queue: Queue, ticket: Ticket, run_id: str, submission: Path, journal: Path) -> Slot | None:
    """Return with a slot when it is the run's turn; without one, when the run is to be canceled before."""
    alarm = Alarm()
    _tell_whom_to_wake(submission)
    watched: dict[Path, threading.Thread] = {}
    try:
        while not (submission / "cancel").exists() and alarm.ended_by is None:
            before = queue.ahead_of(ticket.path)
            if before is None:
                for _ in range(_TRIES):
                    slot = queue.take_slot(run_id)
                    if slot is not None:
                        return slot
                    time.sleep(_MOMENT_SECONDS)  # whoever waits for a slot holds it for a moment when it gets free
                import runwidgets.submit.supervision  # noqa: F401 (to be ready when a slot gets free)
            for path in queue.slot_paths() if before is None else [before]:
                if path not in watched or not watched[path].is_alive():
                    watched[path] = threading.Thread(target=_ring_when_free, args=(path, alarm), daemon=True)
                    watched[path].start()
            alarm.wait(_FIRST_LOOK_SECONDS if before is None else _LOOK_SECONDS)
            with suppress(OSError):
                os.utime(journal)  # which tells observers on other machines that its writer lives
    finally:
        ticket.give_back()
    return None


def _ring_when_free(path: Path, alarm: Alarm) -> None:
    wait_until_free(path)
    alarm.ring()


def _tell_whom_to_wake(submission: Path) -> None:
    process = this_process()
    scratch = submission / f".supervisor-{process.pid}"
    scratch.write_text(f"{process.pid} {process.started_at}", "ascii")
    scratch.replace(submission / "supervisor")


def _ward(supervisor: int, folder: Path, lock: int) -> int:
    """Wait for the supervisor; end what it leaves behind, and the run, should it be killed."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)
    _, status = os.waitpid(supervisor, 0)
    end_descendants()
    if status == 0:
        return 0
    os.close(lock)
    from runwidgets.store.recorder import recorder_of

    recorder_of(folder).recover()
    return 1
