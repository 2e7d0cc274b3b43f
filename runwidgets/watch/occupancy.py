"""What goes on at a compute target: which runs have its slots and which wait for one."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from runwidgets.errors import ComputeTargetError, StoreError
from runwidgets.store.liveness import observed_status
from runwidgets.store.queue import LOCAL, SETTINGS
from runwidgets.submit.definition import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runwidgets.compute import ComputeTarget
    from runwidgets.records import RunRecord
    from runwidgets.store.queue import Turn

_log = logging.getLogger(__name__)

MAX_ROWS: Final = 50
"""How many runs of each part are read and shown."""
_ASK_SECONDS: Final = 5.0
"""How often it is asked whether those who wait live: a ticket of the dead does not say so."""


@dataclass(frozen=True)
class Occupant:
    """A run that has a slot.

    Attributes
    ----------
    owner
        The user who submitted it; empty where that is not known.
    open_children
        How many runs just below it have not ended.
    """

    record: RunRecord
    owner: str
    open_children: int = 0


@dataclass(frozen=True)
class Waiter:
    """A run that waits for a slot.

    Attributes
    ----------
    place
        Its place in the queue, from 1.
    owner
        The user who submitted it; empty where that is not known.
    """

    record: RunRecord
    owner: str
    place: int
    priority: int
    since: float


@dataclass(frozen=True)
class Occupancy:
    """What goes on at a target, as of one look.

    Attributes
    ----------
    kind
        What kind of target it is.
    slots, taken
        How many slots it has, and how many of them runs have.
    active
        The first runs of those that have a slot, longest first.
    waiting
        The first runs of those that wait, in the order of their turns.
    active_count, waiting_count
        How many there are in all.
    trouble
        Why the last look failed, so that all of this is older; None if it did not.
    """

    name: str
    kind: str
    workspace: str
    slots: int = 0
    taken: int = 0
    active: tuple[Occupant, ...] = ()
    waiting: tuple[Waiter, ...] = ()
    active_count: int = 0
    waiting_count: int = 0
    trouble: str | None = None


class Seen(NamedTuple):
    """What the files of a queue say."""

    slots: int
    running: tuple[str, ...]
    line: tuple[Turn, ...]


def occupancy(
    before: Occupancy,
    seen: Seen,
    records: Mapping[str, RunRecord],
    owners: Mapping[str, str],
    open_children: Mapping[str, int],
) -> Occupancy:
    """Give the occupancy of a target after a look.

    Parameters
    ----------
    before
        That before the look.
    seen
        What its queue says: a run may be in both parts for a moment, and have ended before its slot is free.
    records
        The runs that were read, by id.
    owners, open_children
        By id; of runs that are missing nothing is known.
    """
    read = {run_id for run_id, record in records.items() if not record.status.is_final}
    over = records.keys() - read
    has_slot = set(seen.running)
    active = sorted((records[run_id] for run_id in seen.running if run_id in read), key=_beginning)
    line = [turn for turn in seen.line if turn.run_id not in has_slot and turn.run_id not in over]
    return replace(
        before,
        slots=seen.slots,
        taken=len(seen.running),
        active=tuple(
            Occupant(run, owners.get(run.run_id, ""), open_children.get(run.run_id, 0)) for run in active[:MAX_ROWS]
        ),
        waiting=tuple(
            Waiter(records[turn.run_id], owners.get(turn.run_id, ""), place, turn.priority, turn.since)
            for place, turn in enumerate(line, 1)
            if place <= MAX_ROWS and turn.run_id in read
        ),
        active_count=len(has_slot - over),
        waiting_count=len(line),
        trouble=None,
    )


def _beginning(run: RunRecord) -> tuple[float, float]:
    return run.started_at or math.inf, run.created_at or math.inf


class TargetFeed:
    """Follows one compute target: each `step` looks at its queue, and reads of the store only what may have changed.

    Parameters
    ----------
    target
        The target.

    Attributes
    ----------
    occupancy
        What goes on there, as of the last step.
    """

    def __init__(self, target: ComputeTarget) -> None:
        self.target = target
        self.occupancy = Occupancy(target.name, target.type, target.workspace.name)
        self._key: tuple[Seen, int] | None = None
        self._owners: dict[str, str] = {}
        self._tickets: list[str] = []
        self._turns: tuple[Turn, ...] = ()
        self._asked_at = 0.0

    def step(self) -> bool:
        """Look once.

        Returns
        -------
        bool
            Whether anything changed. What fails is told by the occupancy, which is otherwise that of the last look.
        """
        before = self.occupancy
        try:
            self._look()
        except Exception as error:  # noqa: BLE001 (whatever it is, who looks at it is told, and the next look may succeed)
            _log.debug("a look at the target %s failed", self.target.name, exc_info=True)
            self._key = None
            self.occupancy = replace(before, trouble=str(error) or type(error).__name__)
        return self.occupancy != before

    def _look(self) -> None:
        workspace, queue = self.target.workspace, self.target._queue
        if not workspace._folder.is_dir():
            raise StoreError(f"the workspace {workspace.name!r} is gone: {workspace._folder} is not there")
        if self.target.name != LOCAL and not (queue.folder / SETTINGS).is_file():
            raise ComputeTargetError(f"the compute target {self.target.name!r} was deleted")
        # The queue first: what leaves it between the two looks has at least its end in the store.
        seen = Seen(queue.slots, tuple(queue.running()), self._line())
        store = workspace._recorder.store
        key = (seen, store.version())
        if key == self._key:
            return
        wanted = [*seen.running, *(turn.run_id for turn in seen.line[: MAX_ROWS + len(seen.running)])]
        found = [found.run for found in store.described([*dict.fromkeys(wanted)])]
        records = {run.run_id: _observed(run) for run in found}
        children = {
            run_id: sum(not child.status.is_final for child in store.runs(parent_id=run_id))
            for run_id in seen.running[: 2 * MAX_ROWS]
            if run_id in records
        }
        self._know_owners(records)
        self.occupancy = occupancy(self.occupancy, seen, records, self._owners, children)
        self._key = key

    def _line(self) -> tuple[Turn, ...]:
        """List who waits. Who holds a ticket is asked anew only where tickets came or went, and now and then."""
        queue = self.target._queue
        tickets, now = queue.tickets(), time.monotonic()
        if tickets != self._tickets or now - self._asked_at > _ASK_SECONDS:
            self._tickets, self._asked_at = tickets, now
            self._turns = tuple(queue.line())
        return self._turns

    def _know_owners(self, run_ids: Iterable[str]) -> None:
        """Read who submitted the runs: once of each, and remembered as long as it is here."""
        folder = self.target.workspace._folder
        self._owners = {
            run_id: self._owners[run_id] if run_id in self._owners else _submitter(Place(folder, run_id))
            for run_id in run_ids
        }


def _submitter(place: Place) -> str:
    definition = place.definition()
    return definition.submitted_by if definition else ""


def _observed(run: RunRecord) -> RunRecord:
    return msgspec.structs.replace(run, status=observed_status(run.status, run.owner))


def find_run(found: Sequence[Occupancy], run_id: str) -> int | None:
    """Tell which of several targets shows a run; None if none does."""
    for index, one in enumerate(found):
        records = [there.record for there in one.active] + [there.record for there in one.waiting]
        if any(record.run_id == run_id for record in records):
            return index
    return None
