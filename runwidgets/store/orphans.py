"""What goes on of a script whose supervisor and warden were both killed: it is ended by whoever recovers their journal.

Each process of a script has a mark in its environment, which what it starts inherits: the journal of the run, which has
an id of its own, and the process that supervised it. Nothing else is ended, whatever it calls itself: a process has to
be this user's, its mark that of the journal which is being recovered, the supervisor in it gone, and it no supervisor
of another run. A process that has taken the mark out of its environment is not found.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from runwidgets.system import Process, lives, this_process, variables_of

SUPERVISOR: Final = "RUNWIDGETS_SUPERVISOR"
"""The environment variable by which the process that looks after another run is known: that goes on by itself."""
MARK: Final = "RUNWIDGETS_MARK"
"""The environment variable of all processes of a script; see `mark_of`."""
_PROC: Final = Path("/proc")
_PATIENCE_SECONDS: Final = 2.0
_MOMENT_SECONDS: Final = 0.002


def mark_of(journal_id: str, run_id: str) -> str:
    """Give the mark of what the calling process starts for a run, whose events it writes into a journal."""
    process = this_process()
    return "|".join((journal_id, run_id, process.boot_id, str(process.pid), repr(process.started_at)))


def end_orphans(journal_id: str) -> int:
    """Kill the processes of a script whose journal nobody holds any more; give how many there were.

    The caller has the journal's lock. Where the system has no files of processes, nothing is done.
    """
    if not hasattr(os, "pidfd_open") or not (_PROC / "self/environ").exists():
        return 0
    ended: set[int] = set()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := _orphans(journal_id)) and time.monotonic() < deadline:  # again: one may just have started another
        for pid in found:
            if _end(pid, journal_id):
                ended.add(pid)
        time.sleep(_MOMENT_SECONDS)
    return len(ended)


def _orphans(journal_id: str) -> list[int]:
    try:
        names = os.listdir(_PROC)  # noqa: PTH208 (slow)
    except OSError:
        return []
    mark = f"{MARK}={journal_id}|".encode()
    pids = [int(name) for name in names if name.isdecimal() and mark in _environ(name)]
    return [pid for pid in pids if _is_orphan(pid, journal_id)]


def _environ(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:  # noqa: PTH123 (of hundreds)
            return file.read()
    except OSError:  # another user's, or it has ended
        return b""


def _is_orphan(pid: int, journal_id: str) -> bool:
    try:
        if pid == os.getpid() or (_PROC / str(pid)).stat().st_uid != os.getuid():
            return False
    except OSError:
        return False
    variables = variables_of(pid)
    mark = variables.get(MARK, "").split("|")
    if mark[0] != journal_id or SUPERVISOR in variables:
        return False
    try:
        _, _, boot_id, supervisor, started_at = mark
        process = Process(this_process().host, boot_id, int(supervisor), float(started_at))
    except ValueError:
        return False
    return lives(process) is False


def _end(pid: int, journal_id: str) -> bool:
    """Kill a process, unless it has ended and its number is another's by now."""
    with suppress(OSError):
        handle = os.pidfd_open(pid)
        try:
            if _is_orphan(pid, journal_id):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                return True
        finally:
            os.close(handle)
    return False
