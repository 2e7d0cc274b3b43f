"""What `RunList` and `CompareRuns` share: a table of runs, and below it what those that are selected have in common."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import ipywidgets

from runwidgets.run import Run
from runwidgets.watch.children import script_arguments
from runwidgets.watch.lineup import Lineup, lineup_as_html, lineup_as_text
from runwidgets.watch.numbers import number
from runwidgets.watch.poller import check_seconds, poller
from runwidgets.watch.roster import MAX_RUNS, Roster, Source
from runwidgets.watch.runtable import MAX_SELECTED, RunTable
from runwidgets.widgets.chosen import Chosen
from runwidgets.widgets.details import RunDetails
from runwidgets.widgets.frontend import has_front_end
from runwidgets.widgets.panels import ChartHeading
from runwidgets.widgets.popup import Popup
from runwidgets.widgets.runs import RunsPanel
from runwidgets.widgets.scripts import scripts
from runwidgets.widgets.still import Picture, Still

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from runwidgets.records import RunQuery, RunRecord
    from runwidgets.values import Value
    from runwidgets.watch.poller import Errand
    from runwidgets.workspace import Workspace

LOOK_SECONDS: Final = 2.0
"""Usual time between two looks."""


class Whence(NamedTuple):
    """Where runs come from: a workspace, and which of it are wanted."""

    workspace: Workspace
    query: RunQuery


def _no_reset() -> None:
    """Do nothing: a heading that is over no chart has nothing to reset."""


class Comparison(ipywidgets.VBox):
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

    _is_open = False

    def __init__(
        self, title: str, sources: Sequence[Whence], *, select_newest: int | None, seconds: float | None
    ) -> None:
        check_seconds(seconds)
        self._title = title
        self._workspaces = [source.workspace for source in sources]
        self._select_newest = select_newest
        self._preselected: list[str] = []
        self._seconds = LOOK_SECONDS if seconds is None else seconds
        limit = max([MAX_RUNS, *(len(source.query.ids or ()) for source in sources)])
        self._roster = Roster([Source(source.workspace._recorder, source.query) for source in sources], limit)
        self._table = RunTable("runs", self._arguments_of, limit=limit * len(sources))
        self._mutex = threading.RLock()
        self._looking = threading.Lock()
        self._errand: Errand | None = None
        self._still: Still[Lineup] = Still(self._draw_still)
        self._scripts = scripts()
        self._heading = ChartHeading(_no_reset)
        self._runs = RunsPanel(self._table, self._open_run, _view_count=0)
        if select_newest is not None:
            self._runs.controls = {**self._runs.controls, "sort": {"id": "number", "direction": "descending"}}
        self._chosen = Chosen(self._workspaces)
        panels = (*self._scripts, self._heading, self._runs, self._chosen)
        kind = "rw-list" if select_newest is not None else "rw-lines-first"
        classes = ("runwidgets", "rw-compare", kind, "rw-popup-home", self._still.live_class)
        super().__init__(panels, _dom_classes=classes)
        self._popup = Popup(self, self._details_of, self._shut)
        self._runs.observe(self._on_views, "_view_count")
        self._runs.observe(self._on_runs_controls, "controls")
        self._is_open = True
        self._roster.step()
        self._show_runs()

    # ---- showing

    def show(self) -> None:
        """Display the runs here; without a notebook, print them as text."""
        self._ipython_display_()
        if not has_front_end():
            self.close()

    def _ipython_display_(self) -> None:
        """Display the widget, and below it the picture that stands in for it where the notebook has no kernel."""
        from IPython.display import publish_display_data

        if not has_front_end():
            self._look()
            print(self._draw_still(self._lineup()).text)  # noqa: T201 (a terminal is where it is shown)
            return
        if not self._is_open:
            publish_display_data(self._repr_mimebundle_())
            return
        # Empty, not left out: a reader that knows no widgets has to find something that it can show.
        publish_display_data({**self._repr_mimebundle_(), "text/html": "", "text/plain": ""})
        self._still.show(self._lineup())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self._errand is None and self._is_open:
            self._look()
        picture = self._draw_still(self._lineup())
        still = {"text/plain": picture.text, "text/html": picture.html}
        if not self._is_open:  # there is no model any more that a page could show
            return still
        self._follow()
        bundle = super()._repr_mimebundle_(**kwargs)
        (bundle[0] if isinstance(bundle, tuple) else bundle).update(still)
        return bundle

    def _lineup(self) -> Lineup:
        with self._mutex:
            overlay = self._chosen.overlay
            shown: Any = overlay.state
            return Lineup(self._title, self._table.state, shown, overlay.points, self._roster.trouble)

    @staticmethod
    def _draw_still(lineup: Lineup) -> Picture:
        now = time.time()
        return Picture(lineup_as_html(lineup, now), lineup_as_text(lineup, now))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._title!r}, {self._roster.total} runs)"

    def close(self) -> None:
        """Stop following; in place of the display stays a static picture of what it showed last."""
        if not self._is_open:  # ipywidgets closes what is collected: again, or what was refused half-built
            return
        with self._mutex:
            self._is_open = False
            self._pause()
            self._still.update(self._lineup(), at_once=True)
            # Views that go away are counted, and the count of a model that is gone has no channel to be sent by.
            self._runs.unobserve(self._on_views, "_view_count")
            self._runs._view_count = None
            self._popup.close()
            panels: tuple[Any, ...] = (*self._scripts, self._heading, self._runs, self._chosen)
            for panel in panels:
                panel.close()
        super().close()
        self.__dict__.pop("_repr_mimebundle_", None)  # ipywidgets puts None there, and IPython calls it

    # ---- following

    def _follow(self) -> None:
        with self._mutex:
            if self._errand is None and self._is_open:
                self._errand = poller().every(self._seconds, self._look)

    def _pause(self) -> None:
        if self._errand is not None:
            self._errand.cancel()
            self._errand = None

    def _look(self) -> None:
        with self._looking:
            changed = self._roster.step()
        if not changed:
            return
        with self._mutex:
            if self._is_open:
                self._show_runs()
                self._still.update(self._lineup())

    def _on_views(self, change: Any) -> None:
        """Pause when the last view goes, go on when one comes back."""
        with self._mutex:
            if change["new"]:
                self._follow()
            else:
                self._pause()

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
