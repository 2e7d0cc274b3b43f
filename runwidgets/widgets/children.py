"""The page of the child runs: their table, and one of them in a pop-up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from runwidgets.widgets.pages import Page
from runwidgets.widgets.popup import Popup
from runwidgets.widgets.runs import RunsPanel

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    import ipywidgets

    from runwidgets.watch.children import Children
    from runwidgets.watch.view import RunView

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
    """

    def __init__(self, table: Children, open_run: Callable[[str], ipywidgets.Widget], mutex: threading.RLock) -> None:
        self._table = table
        self._mutex = mutex
        self._is_stale = False
        self.panel = RunsPanel(table, self._open)
        super().__init__("children", (self.panel,))
        self.add_class("rw-popup-home")
        self.popup = Popup(self, open_run, self._shut)

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
