"""What `RunList` and `CompareRuns` share: a table of runs, and below it what those that are selected have in common."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from runwidgets.run import Run
from runwidgets.watch.children import script_arguments
from runwidgets.watch.lineup import Lineup, lineup_as_html, lineup_as_text
from runwidgets.watch.numbers import number
from runwidgets.watch.poller import check_seconds
from runwidgets.watch.roster import MAX_RUNS, Roster, Source
from runwidgets.watch.runtable import MAX_SELECTED, RunTable
from runwidgets.widgets.chosen import Chosen
from runwidgets.widgets.details import RunDetails
from runwidgets.widgets.display import Display
from runwidgets.widgets.panels import ChartHeading
from runwidgets.widgets.popup import Popup
from runwidgets.widgets.runs import RunsPanel
from runwidgets.widgets.still import Picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from runwidgets.records import RunQuery, RunRecord
    from runwidgets.values import Value
    from runwidgets.workspace import Workspace

LOOK_SECONDS: Final = 2.0
"""Usual time between two looks."""


class Whence(NamedTuple):
    """Where runs come from: a workspace, and which of it are wanted."""

    workspace: Workspace
    query: RunQuery


def _no_reset() -> None:
    """Do nothing: a heading that is over no chart has nothing to reset."""


class Comparison(Display):
    """A live table of runs, and of those that are selected in it one metric, the differences and the images.

    Parameters
    ----------
    title
        What runs they are.
    sources
        Where they come from.
    select_newest
        How many of the newest are selected as long as nobody selects others; None for all that there are.
    seconds
        Time between looks; None for the usual.
    """

    def __init__(
        self, title: str, sources: Sequence[Whence], *, select_newest: int | None, seconds: float | None
    ) -> None:
        check_seconds(seconds)
        self._title = title
        self._workspaces = [source.workspace for source in sources]
        self._select_newest = select_newest
        self._preselected: list[str] = []
        limit = max([MAX_RUNS, *(len(source.query.ids or ()) for source in sources)])
        self._roster = Roster([Source(source.workspace._recorder, source.query) for source in sources], limit)
        self._table = RunTable("runs", self._arguments_of, limit=limit * len(sources))
        self._looking = threading.Lock()
        self._heading = ChartHeading(_no_reset)
        self._runs = RunsPanel(self._table, self._open_run, _view_count=0)
        if select_newest is not None:
            self._runs.controls = {**self._runs.controls, "sort": {"id": "number", "direction": "descending"}}
        self._chosen = Chosen(self._workspaces)
        kind = "rw-list" if select_newest is not None else "rw-lines-first"
        super().__init__(
            (self._heading, self._runs, self._chosen),
            self._runs,
            seconds=LOOK_SECONDS if seconds is None else seconds,
            classes=("rw-compare", kind, "rw-popup-home"),
        )
        self._popup = Popup(self, self._details_of, self._shut)
        self._runs.observe(self._on_runs_controls, "controls")
        self._begin()
        self._roster.step()
        self._show_runs()

    def _seen(self) -> Lineup:
        with self._mutex:
            overlay = self._chosen.overlay
            shown: Any = overlay.state
            return Lineup(self._title, self._table.state, shown, overlay.points, self._roster.trouble)

    def _draw_still(self, seen: Lineup) -> Picture:
        now = time.time()
        return Picture(lineup_as_html(seen, now), lineup_as_text(seen, now))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._title!r}, {self._roster.total} runs)"

    def _end(self) -> None:
        self._popup.close()

    # ---- following

    def _look(self) -> None:
        with self._looking:
            changed = self._roster.step()
        if not changed:
            return
        with self._mutex:
            if self._is_open:
                self._show_runs()
                self._still.update(self._seen())

    def _show_runs(self) -> None:
        """Show the table as it is now, and what follows from it."""
        patch = self._table.update(self._roster.records, self._roster.silent, None, time.time())
        total = self._roster.total
        self._table.state["total"] = total
        if not self._runs.is_shown:
            self._runs.show_all()
        elif patch is not None:
            self._runs.show_patch({**patch, "total": total})
        self._show_heading()
        self._preselect()
        self._show_selected()

    def _show_heading(self) -> None:
        listed, total = len(self._roster.records), self._roster.total
        subtitle = f"{number(total)} run{'' if total == 1 else 's'}"
        if listed < total:
            subtitle += f", the newest {number(listed)} are listed"
        trouble = self._roster.trouble
        state = {
            "title": self._title, "subtitle": subtitle, "last": None, "last_digits": 0, "legend": [],
            "notes": [] if trouble is None else [f"⚠ {trouble}"],
        }  # fmt: skip
        if state != self._heading.state:
            self._heading.state = state

    def _preselect(self) -> None:
        """Select the newest runs, as long as nobody has selected any."""
        if self._runs.controls.get("selected", []) != self._preselected:
            return
        newest = list(self._roster.records)
        newest = newest[:MAX_SELECTED] if self._select_newest is None else newest[-self._select_newest :]
        if newest != self._preselected:
            self._preselected = newest
            self._runs.controls = {**self._runs.controls, "selected": newest}

    def _show_selected(self) -> None:
        self._chosen.follow(self._roster.members(self._runs.selected))

    def _on_runs_controls(self, change: Any) -> None:
        if change["old"].get("selected") != change["new"].get("selected"):
            with self._mutex:
                if self._is_open:
                    self._show_selected()

    # ---- single runs

    def _workspace_of(self, run_id: str) -> Workspace:
        (member,) = self._roster.members([run_id])
        return self._workspaces[member.source]

    def _folder_of(self, run_id: str) -> Path:
        return self._workspace_of(run_id)._folder

    def _details_of(self, run_id: str) -> RunDetails:
        return RunDetails(Run.get(self._workspace_of(run_id), run_id), self._seconds)

    def _open_run(self, run_id: str, name: str) -> None:
        with self._mutex:
            if self._is_open:
                self._popup.open(run_id, name)

    def _shut(self) -> None:
        with self._mutex:
            self._popup.close()

    def _arguments_of(self, record: RunRecord) -> Mapping[str, Value]:
        return script_arguments(self._folder_of(record.run_id), record)
