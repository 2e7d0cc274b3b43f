"""Whether a run waits for slots that the runs it comes from hold: then it starts when one of those ends, not before."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runwidgets.context import RUN_ID, WORKSPACE
from runwidgets.errors import UserError
from runwidgets.store.queue import Queue
from runwidgets.submit.definition import Place

if TYPE_CHECKING:
    from runwidgets.workspace import Workspace


def submitting_run(workspace: Workspace) -> str:
    """Give the id of the run whose script this process is, where that is in the workspace; else an empty text."""
    return os.environ.get(RUN_ID, "") if os.environ.get(WORKSPACE) == workspace.name else ""


def held_above(workspace: Workspace, target: str, *origins: str | None) -> str | None:
    """Say that the runs from which another comes hold all slots of a target; None where they do not.

    Parameters
    ----------
    workspace
        Where all of them are.
    target
        The target's name.
    origins
        The ids of the run's parent and of the run whose script submitted it, as far as there are any.
    """
    if not any(origins):
        return None
    queue = Queue(workspace._folder, target)
    holders, slots = set(queue.running()), queue.slots
    if len(holders) < slots or not holders <= _with_all_above(workspace, *origins):
        return None
    if len(holders) == 1:
        return "the run that started it holds the only slot: it starts when that run ends"
    return f"the runs above it hold all {len(holders)} slots: it starts when one of them ends"


def _with_all_above(workspace: Workspace, *origins: str | None) -> set[str]:
    """Give the ids of runs with those of all that they come from, by birth or by submission."""
    found: set[str] = set()
    rest = {origin for origin in origins if origin}
    while rest:
        run_id = rest.pop()
        found.add(run_id)
        record = workspace._store.run(run_id)
        above = {record.parent_id if record is not None else None}
        try:
            definition = Place(workspace._folder, run_id).definition()
        except UserError:  # an id of the environment that is none
            definition = None
        above.add(definition.submitted_from if definition is not None else None)
        rest |= {one for one in above if one} - found
    return found
