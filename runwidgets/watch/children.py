"""The child runs of a run, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runwidgets.submit.definition import Place
from runwidgets.watch.beside import is_script
from runwidgets.watch.parameters import arguments_from_parent, configured_primary, read_arguments
from runwidgets.watch.runtable import RunTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runwidgets.records import RunRecord
    from runwidgets.values import Value
    from runwidgets.watch.runtable import RunRow, RunsPatch, RunsState
    from runwidgets.watch.view import RunView

WHAT: Final = "child runs"
SWEEPS: Final = frozenset({"hyperdrive", "automl"})
"""Types of runs that are about their children."""
_TOLD_COLUMNS: Final = 6


def script_arguments(workspace: Path, record: RunRecord) -> dict[str, Value]:
    """Give the named arguments of a run that is a submitted script; none where nothing is known of it.

    Parameters
    ----------
    workspace
        The workspace's folder.
    record
        The run.
    """
    if not is_script(record):
        return {}
    definition = Place(workspace, record.run_id).definition()
    return dict(read_arguments(definition.arguments)) if definition else {}


class Children:
    """The table of the children of one run.

    Parameters
    ----------
    workspace
        The workspace's folder, for the arguments of scripts; without it, they are not told.
    """

    def __init__(self, workspace: Path | None = None) -> None:
        self._workspace = workspace
        self._tags: Mapping[str, str | None] = {}
        self._table = RunTable(WHAT, self._arguments)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._table

    @property
    def state(self) -> RunsState:
        """All of the table."""
        return self._table.state

    def update(self, view: RunView, now: float) -> RunsPatch | None:
        """Bring the table up to date; see `RunTable.update`."""
        self._tags = view.tags
        primary = configured_primary(view.tags, view.properties)
        return self._table.update(view.children, view.silent, primary, now)

    def _arguments(self, record: RunRecord) -> dict[str, Value]:
        found = arguments_from_parent(self._tags, record.run_id)
        return found if found or self._workspace is None else script_arguments(self._workspace, record)


def is_about_children(view: RunView) -> bool:
    """Tell whether what there is to see of a run is its children: of a sweep, or of one that logs nothing itself."""
    if view.record is not None and (view.record.type or "").casefold() in SWEEPS:
        return True
    return bool(view.children) and all(metric.is_system for metric in view.metrics.values())


def children_state(view: RunView, now: float) -> RunsState:
    """Give the table of child runs, in order of creation, as of now."""
    table = Children()
    table.update(view, now)
    return table.state


def told_children(view: RunView, now: float) -> tuple[list[str], list[RunRow]]:
    """Give the child runs with a few of their columns, metrics first: what a picture of text shows.

    Returns
    -------
    columns : list of str
        Names.
    rows : list of RunRow
        In order of creation, with one value for each of the columns.
    """
    state = children_state(view, now)
    columns = state["columns"]
    places = sorted(range(len(columns)), key=lambda place: columns[place]["source"] != "metric")[:_TOLD_COLUMNS]
    rows = []
    for row in state["rows"]:
        values = row["values"]
        rows.append({**row, "values": [values[p] if p < len(values) else None for p in places]})
    return [columns[place]["name"] for place in places], rows  # type: ignore[return-value]
