"""Ending what a process has started, and what that has started in turn."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import Final

from runwidgets.system import descendants

_MOMENT_SECONDS: Final = 0.002


def terminate_descendants() -> None:
    """Send SIGTERM to all that descends from this process."""
    for pid in descendants(os.getpid()):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)


def end_descendants() -> None:
    """Kill all that descends from this process, and return when it is gone."""
    while found := descendants(os.getpid()):
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(_MOMENT_SECONDS)
