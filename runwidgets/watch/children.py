"""The child runs of a run, for the panel ``js/src/children.ts``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

from runwidgets.watch.wire import run_name, shortened

if TYPE_CHECKING:
    from runwidgets.records import ChildRecord
    from runwidgets.watch.view import RunView

MAX_CHILDREN: Final = 2000
MAX_CHILD_COLUMNS: Final = 6


class ChildRow(TypedDict):
    """``ChildRow``."""

    run_id: str
    number: int | None
    name: str
    status: str
    status_group: str
    started_at: float | None
    ended_at: float | None
    values: list[Any]


class ChildrenState(TypedDict):
    """``ChildrenState``."""

    columns: list[str]
    rows: list[ChildRow]
    total: int
    sent_at: float


def children_state(view: RunView, now: float) -> ChildrenState:
    """Give the table of child runs, in order of creation."""
    children = list(view.children.values())
    columns: dict[str, None] = {}
    for child in children:
        for name in child.last:
            if len(columns) < MAX_CHILD_COLUMNS:
                columns.setdefault(name)
    return {
        "columns": list(columns),
        "rows": [_child_row(view, child, list(columns)) for child in children[-MAX_CHILDREN:]],
        "total": len(children),
        "sent_at": now,
    }


def _child_row(view: RunView, child: ChildRecord, columns: list[str]) -> ChildRow:
    status = view.status_of(child.run)
    return {
        "run_id": child.run.run_id,
        "number": child.run.number,
        "name": run_name(child.run),
        "status": status.value,
        "status_group": status.group,
        "started_at": child.run.started_at,
        "ended_at": child.run.ended_at,
        "values": [shortened(child.last.get(column)) for column in columns],
    }
