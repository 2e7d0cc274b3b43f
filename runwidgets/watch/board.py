"""What crosses the wire to the board of compute targets in ``js/src/board.ts``: their occupancy as a JSON state.

As in `runwidgets.watch.wire`, each class mirrors the interface of its name in ``js/src/wire.ts``, key for key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from runwidgets.records import RunStatus
from runwidgets.watch.wire import progress_state, run_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runwidgets.records import RunRecord
    from runwidgets.watch.occupancy import Occupancy, Occupant, Waiter
    from runwidgets.watch.wire import ProgressState


class BoardRow(TypedDict):
    """``BoardRow``."""

    run_id: str
    run_name: str
    run_number: int | None
    experiment: str
    status: str
    status_group: str
    owner: str
    can_cancel: bool
    open_children: int
    cancel_trouble: str | None


class ActiveRow(BoardRow):
    """``ActiveRow``."""

    started_at: float | None
    progress: ProgressState | None


class QueuedRow(BoardRow):
    """``QueuedRow``."""

    place: int
    priority: int
    queued_at: float


class TargetState(TypedDict):
    """``TargetState``."""

    id: str
    name: str
    kind: str
    workspace: str | None
    slots: int
    taken: int
    active: list[ActiveRow]
    active_total: int
    queued: list[QueuedRow]
    queued_total: int
    trouble: str | None


class OpenRun(TypedDict):
    """``OpenRun``."""

    run_id: str
    run_name: str


class BoardState(TypedDict):
    """``BoardState``."""

    targets: list[TargetState]
    open_run: OpenRun | None
    sent_at: float


NO_CANCELS: Final[Mapping[str, str | None]] = {}


def board_state(
    found: Sequence[Occupancy],
    now: float,
    cancels: Mapping[str, str | None] = NO_CANCELS,
    open_run: OpenRun | None = None,
) -> BoardState:
    """Give the board of some targets.

    Parameters
    ----------
    found
        What goes on at each.
    now
        The time at this side, so that the browser can correct its clock.
    cancels
        The runs that are being canceled from here, by id, with why that failed where it did.
    open_run
        The run whose details are shown below.
    """
    several = len({one.workspace for one in found}) > 1
    return {
        "targets": [
            {
                "id": str(index),
                "name": one.name,
                "kind": one.kind,
                "workspace": one.workspace if several else None,
                "slots": one.slots,
                "taken": one.taken,
                "active": [_active_row(there, now, cancels) for there in one.active],
                "active_total": one.active_count,
                "queued": [_queued_row(there, cancels) for there in one.waiting],
                "queued_total": one.waiting_count,
                "trouble": one.trouble,
            }
            for index, one in enumerate(found)
        ],
        "open_run": open_run,
        "sent_at": now,
    }


def _active_row(there: Occupant, now: float, cancels: Mapping[str, str | None]) -> ActiveRow:
    run = there.record
    return {
        **_row(run, there.owner, there.open_children, cancels),
        "started_at": run.started_at,
        "progress": progress_state(run.progress, now, is_final=False) if run.progress else None,
    }


def _queued_row(there: Waiter, cancels: Mapping[str, str | None]) -> QueuedRow:
    return {
        **_row(there.record, there.owner, 0, cancels),
        "place": there.place,
        "priority": there.priority,
        "queued_at": there.since,
    }


def _row(run: RunRecord, owner: str, open_children: int, cancels: Mapping[str, str | None]) -> BoardRow:
    trouble = cancels.get(run.run_id)
    is_canceling = run.run_id in cancels and trouble is None
    status = RunStatus.CANCEL_REQUESTED if is_canceling else run.status
    return {
        "run_id": run.run_id,
        "run_name": run_name(run),
        "run_number": run.number,
        "experiment": run.experiment,
        "status": status.value,
        "status_group": status.group,
        "owner": owner,
        "can_cancel": status is not RunStatus.CANCEL_REQUESTED,
        "open_children": open_children,
        "cancel_trouble": trouble,
    }
