"""`HomeView`: workspaces, experiments and the latest runs, live."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, cast

import traitlets as t

from runwidgets.errors import ArgumentTypeError, RunwidgetsError
from runwidgets.home import workspace_names
from runwidgets.watch.overview import Overview, overview_as_html, overview_as_text
from runwidgets.watch.wire import MAX_TEXT
from runwidgets.widgets.display import Display
from runwidgets.widgets.panels import Panel
from runwidgets.widgets.scripts import part
from runwidgets.widgets.still import Picture
from runwidgets.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runwidgets.watch.overview import OverviewState

_LOOK_SECONDS: Final = 2.0


class HomePanel(Panel):
    """Workspaces, experiments, runs, and a search among them."""

    _esm = part("home")

    @t.default("state")
    def _nothing_yet(self) -> Any:
        return Overview(()).state(0.0)


class HomeView(Display):
    """Shows live what there is: workspaces, experiments, the runs that go on and those that were last.

    As the last expression of a cell it displays itself; `show` does so anywhere. In a terminal, `show` prints it.

    Parameters
    ----------
    workspaces
        Which; by default all that there are.

    Raises
    ------
    ArgumentTypeError
        If it is given something other than workspaces.
    """

    def __init__(self, workspaces: Sequence[Workspace] | None = None) -> None:
        if workspaces is None:
            workspaces = [Workspace(workspace_name=name) for name in workspace_names()]
        for workspace in workspaces:
            if not isinstance(workspace, Workspace):
                raise ArgumentTypeError(f"HomeView shows workspaces, not a {type(workspace).__name__}")
        self._overview = Overview(workspaces)
        self._panel = HomePanel(_view_count=0)
        super().__init__([self._panel], self._panel, seconds=_LOOK_SECONDS, classes=("rw-home-root",))
        self._panel.on_msg(self._on_message)
        self._begin()
        self._look()

    def _seen(self) -> OverviewState:
        state: Any = self._panel.state
        return cast("OverviewState", state)

    def _draw_still(self, seen: OverviewState) -> Picture:
        return Picture(overview_as_html(seen), overview_as_text(seen))

    def _look(self) -> None:
        state = self._overview.state(time.time())
        with self._mutex:
            if self._is_open and {**state, "sent_at": 0} != {**self._panel.state, "sent_at": 0}:
                self._panel.show_state(state)
                self._still.update(state)

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, dict) or content.get("kind") != "search":
            return
        text = content.get("text")
        if isinstance(text, str) and len(text) <= MAX_TEXT:
            try:
                self._panel.send(self._overview.found(text))
            except RunwidgetsError as error:
                self._panel.send({"kind": "found", "text": text, "runs": [], "is_all": True, "trouble": str(error)})
