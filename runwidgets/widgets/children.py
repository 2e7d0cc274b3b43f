"""The page of the child runs: their table, and one of them in a pop-up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from runwidgets.records import RunQuery
from runwidgets.watch.roster import Roster, Source
from runwidgets.widgets.chosen import Chosen
from runwidgets.widgets.pages import Page
from runwidgets.widgets.popup import Popup
from runwidgets.widgets.runs import RunsPanel

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    import ipywidgets

    from runwidgets.watch.children import Children
    from runwidgets.watch.view import RunView
    from runwidgets.workspace import Workspace

_FEW: Final = 200
"""So many child runs are sent though nobody has opened their tab."""


class ChildrenPage(Page):
    """The child runs.

    Parameters
    ----------
    table
        Their table.
    open_run
        Makes the display of one of them, given its id.
    mutex
        The lock of the display.
    workspace
        Where they are.
    """

    def __init__(
        self,
        table: Children,
        open_run: Callable[[str], ipywidgets.Widget],
        mutex: threading.RLock,
        workspace: Workspace,
    ) -> None:
        self._table = table
        self._mutex = mutex
        self._workspace = workspace
        self._is_stale = False
        self._chosen: Chosen | None = None
        self._roster = Roster(())
        self._selected: list[str] = []
        self.panel = RunsPanel(table, self._open)
        super().__init__("children", (self.panel,))
        self.add_class("rw-popup-home")
        self.popup = Popup(self, open_run, self._shut)
        self.panel.observe(self._on_controls, "controls")

    def show(self, view: RunView) -> None:
        """Show the child runs: the rows that changed, or all of them where none were shown."""
        if not view.children or not (self.is_open or len(view.children) <= _FEW):
            return
        patch = self._table.update(view, time.time())
        if not self.panel.is_shown:
            self.panel.show_all()
        elif patch is not None:
            self.panel.show_patch(patch)
            self._is_stale = True
        if self._is_stale and view.status.is_final:  # for whoever saves the notebook: what its page keeps are states
            self.panel.show_all()
            self._is_stale = False
        if self.is_open:
            self._show_selected()

    def _show_selected(self) -> None:
        """Show what is new of the children that are selected; the panels for it are made when the first are."""
        if self.panel.selected != self._selected:
            self._selected = self.panel.selected
            source = Source(self._workspace._recorder, RunQuery(ids=tuple(self._selected)))
            self._roster = Roster([source] if self._selected else ())
        elif not self._selected:
            return
        if self._chosen is None:
            self._chosen = Chosen([self._workspace])
            self.children: tuple[Any, ...] = (self.panel, self._chosen, *self.children[1:])
        self._roster.step()
        self._chosen.follow(self._roster.members())

    def _on_controls(self, change: Any) -> None:
        if change["old"].get("selected") != change["new"].get("selected"):
            with self._mutex:
                if self.comm is not None:
                    self._show_selected()

    def close(self) -> None:
        """Close the page, its panel and the pop-up."""
        self.popup.close()
        super().close()

    def _open(self, run_id: str, name: str) -> None:
        with self._mutex:
            if self.comm is not None:
                self.popup.open(run_id, name)

    def _shut(self) -> None:
        with self._mutex:
            self.popup.close()
