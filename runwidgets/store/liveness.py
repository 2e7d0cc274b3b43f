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
SILENT_AFTER_SECONDS: Final = 30.0
"""After how long without a beat a process on another machine is taken for silent: with the 15 seconds between two looks
before and after, a person sees it within a minute."""

_seen: dict[str, tuple[float, float]] = {}
"""By journal, the last beat that was seen, and since when, in this process's monotonic seconds."""


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
    alive = lives_here(owner)
    if alive is None:
        alive = _silent_seconds(owner) < SILENT_AFTER_SECONDS
    return stored if alive else RunStatus.NOT_RESPONDING


def lives_here(owner: Owner) -> bool | None:
    """Tell whether a run's process lives; None where this machine cannot know."""
    return lives(Process(owner.host, owner.boot_id, owner.pid, owner.process_started_at))


def _silent_seconds(owner: Owner) -> float:
    """Tell for how long a process elsewhere has been silent.

    At the first look there are only the clocks of the two machines, which may disagree. From then on a beat is news
    whatever its time says, and this process's own clock tells how long there was none.
    """
    now = time.monotonic()
    beat, since = _seen.get(owner.journal_id, (None, 0.0))
    if beat is None:
        since = now - max(0.0, time.time() - owner.beat_at)
    elif beat != owner.beat_at:
        since = now
    _seen[owner.journal_id] = (owner.beat_at, since)
    return now - since
