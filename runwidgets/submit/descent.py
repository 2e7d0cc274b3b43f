"""Ending what a process has started, and what that has started in turn."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import Final

from runwidgets.store.orphans import SUPERVISOR
from runwidgets.system import descendants, has_children, variables_of

_MOMENT_SECONDS: Final = 0.002


def processes_of_run() -> list[int]:
    """List what descends from this process, but other supervisors, which a script may start, and what is theirs."""
    if not has_children():  # nearly always, at the end of a run: that takes no look at all processes of the machine
        return []
    return descendants(os.getpid(), but=lambda pid: SUPERVISOR in variables_of(pid))


def terminate_descendants() -> bool:
    """Send SIGTERM to all that descends from this process; tell whether there was anything."""
    found = processes_of_run()
    for pid in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)
    return bool(found)


def end_descendants() -> None:
    """Kill all that descends from this process, and return when it is gone."""
    found = processes_of_run()
    while found:
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_MOMENT_SECONDS)
        found = processes_of_run()
        with suppress(ChildProcessError):  # what has ended is no descendant any more, but still to be waited for
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
