"""Whether a run that the store calls running can still be running: its process is there, or beats."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from runwidgets.records import RunStatus
from runwidgets.system import Process, lives

if TYPE_CHECKING:
    from runwidgets.records import Owner

BEAT_SECONDS: Final = 5.0
"""How often a process that owns a run says that it is alive."""
SILENT_AFTER_SECONDS: Final = 45.0
"""After how long without a beat a process on another machine is taken for silent."""


def observed_status(stored: RunStatus, owner: Owner | None) -> RunStatus:
    """Give the status that a person should see.

    Parameters
    ----------
    stored
        The last status that was recorded.
    owner
        The process that started the run.

    Returns
    -------
    RunStatus
        ``NOT_RESPONDING`` where the run is unfinished and its process is known to be gone (same machine, at once)
        or has not beaten for `SILENT_AFTER_SECONDS` (another machine); else what is stored.
    """
    if stored.is_final or owner is None or owner.pid == 0:
        return stored
    alive = lives(Process(owner.host, owner.boot_id, owner.pid, owner.process_started_at))
    if alive is None:
        alive = time.time() - owner.beat_at < SILENT_AFTER_SECONDS
    return stored if alive else RunStatus.NOT_RESPONDING
