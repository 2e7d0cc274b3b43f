"""What only the operating system knows: which machine and process this is, and whether another process lives.

The one module in which systems may differ.
"""

from __future__ import annotations

import functools
import os
import socket
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process, told apart from later ones with the same number by its start time."""

    host: str
    boot_id: str
    pid: int
    started_at: float


@functools.cache
def _machine() -> tuple[str, str]:
    try:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        import psutil

        boot_id = str(round(psutil.boot_time()))
    return socket.gethostname(), boot_id


def this_process() -> Process:
    """Describe the calling process."""
    import psutil

    pid = os.getpid()
    return Process(*_machine(), pid, psutil.Process(pid).create_time())


def lives(process: Process) -> bool | None:
    """Tell whether a process still runs; None where it cannot be known from here (another machine)."""
    import psutil

    host, boot_id = _machine()
    if process.host != host:
        return None
    if process.boot_id != boot_id:
        return False
    try:
        found = psutil.Process(process.pid)
        return abs(found.create_time() - process.started_at) < 1 and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
